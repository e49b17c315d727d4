"""What has no update: every change makes it anew, first ending the old one if both would have the same name."""

from airgap.plugins.docker.differences import differences
from airgap.plugins.docker.naming import is_given
from sealift.provider import DiffRequest, DiffResponse


def always_replaced(request: DiffRequest) -> DiffResponse:
    """Every changed input replaces."""
    changes = differences(request.old_inputs, request.new_inputs, lambda name: True)
    return DiffResponse(changes, delete_before_replace=is_given(request.new_inputs))
