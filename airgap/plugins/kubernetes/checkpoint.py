"""What the engine keeps of a resource: the live object, and beside it the inputs, the API version it was made with and
its field manager. The shape is the official plugin's.
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
    """The outputs of a resource. `inputs` and `live` are plain; `given` says which of them are secret."""
    state: dict[str, Any] = copy.deepcopy(live)
    kept: dict[str, Any] = copy.deepcopy(inputs)
    annotate_secrets(state, given)
    annotate_secrets(kept, given)
    state[INPUTS] = kept
    state[INITIAL_API_VERSION] = initial_api_version
    state[FIELD_MANAGER] = manager
    return state


def parse(state: Properties) -> tuple[Object, Object]:
    """Inputs and live object, both plain, of what `outputs` made; ({}, {}) of no state."""
    live: Object = reveal_all(state)
    inputs = live.pop(INPUTS, {})
    live.pop(INITIAL_API_VERSION, None)
    live.pop(FIELD_MANAGER, None)
    return inputs if isinstance(inputs, dict) else {}, live


def initial_api_version(state: Properties, otherwise: str) -> str:
    return str(state.get(INITIAL_API_VERSION) or otherwise)


def remembered_manager(state: Properties) -> str:
    """ "" if there is none yet."""
    return str(state.get(FIELD_MANAGER) or "")
