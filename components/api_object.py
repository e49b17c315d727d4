"""Kubernetes objects as the API has them, where the SDK takes them.

Its types know only its own classes, so they check nothing of these. tests/cluster/test_api_schema.py holds what comes
out against the API's own schema instead.
"""

from typing import Any


def api_object(part: object) -> Any:
    """The camelCase dictionary itself, or an output of one."""
    return part
