"""The engine's state of a resource: the live object, its inputs, the API version that it was created with and its field
manager. The form is the official plugin's.
"""

import copy
from typing import Any, Final

from airgap.plugins.kubernetes.inputs import annotate_secrets
from airgap.plugins.kubernetes.objects import Object
from sealift.provider import Properties, reveal_all

INPUTS: Final = "__inputs"
INITIAL_API_VERSION: Final = "__initialApiVersion"
FIELD_MANAGER: Final = "__fieldManager"


def outputs(inputs: Object, live: Object, given: Properties, initial_api_version: str, manager: str) -> Properties:
    """Returns the outputs of a resource. `inputs` and `live` are plain; `given` marks the secret ones."""
    state: dict[str, Any] = copy.deepcopy(live)
    kept: dict[str, Any] = copy.deepcopy(inputs)
    annotate_secrets(state, given)
    annotate_secrets(kept, given)
    state[INPUTS] = kept
    state[INITIAL_API_VERSION] = initial_api_version
    state[FIELD_MANAGER] = manager
    return state


def parse(state: Properties) -> tuple[Object, Object]:
    """Returns inputs and live object, both plain, from the result of `outputs`. ({}, {}) without a state."""
    live: Object = reveal_all(state)
    inputs = live.pop(INPUTS, {})
    live.pop(INITIAL_API_VERSION, None)
    live.pop(FIELD_MANAGER, None)
    return inputs if isinstance(inputs, dict) else {}, live


def initial_api_version(state: Properties, otherwise: str) -> str:
    return str(state.get(INITIAL_API_VERSION) or otherwise)


def remembered_manager(state: Properties) -> str:
    """Returns the field manager in the state, "" if it has none yet."""
    return str(state.get(FIELD_MANAGER) or "")
