"""Kubernetes objects in the API's own form, for the SDK.

The SDK's types know only its own classes, so they do not check these objects. tests/cluster/test_api_schema.py checks
them against the API's schema instead.
"""

from typing import Any


def api_object(part: object) -> Any:
    """Returns the camelCase dictionary, or an output of one, unchanged."""
    return part
