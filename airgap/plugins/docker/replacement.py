"""What has no update: every change makes it anew, first ending the old one if both would have the same name."""

from airgap.plugins.docker.naming import is_given
from provider import DiffRequest, DiffResponse, changed_inputs, detailed


def always_replaced(request: DiffRequest) -> DiffResponse:
    """Every changed input replaces."""
    changed = changed_inputs(request.old_inputs, request.new_inputs)
    return DiffResponse(
        detailed(changed, replaces=changed, input_diff=False), delete_before_replace=is_given(request.new_inputs)
    )
