"""Diff of resources without an update: every change replaces them. With the same name, the old one is deleted first."""

from airgap.plugins.docker.differences import differences
from airgap.plugins.docker.naming import is_given
from sealift.provider import DiffRequest, DiffResponse


def always_replaced(request: DiffRequest) -> DiffResponse:
    """Returns a diff in which every changed input replaces the resource."""
    changes = differences(request.old_inputs, request.new_inputs, lambda name: True)
    return DiffResponse(changes, delete_before_replace=is_given(request.new_inputs))
