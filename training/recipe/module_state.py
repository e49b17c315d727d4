"""State that a run needs, besides a network's `state_dict`, to continue bit for bit: other values of its modules, and
random generators.

A network may count in a Python number, draw from its own generator, or keep a tensor that is not a parameter. Its code
may draw from Python's `random` or from NumPy. All of these are seeded with the run and kept in its checkpoints. A list
or dictionary that changes from step to step cannot be kept, and is refused before the first step.
"""

import copy
import json
import random
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final

import numpy as np
import torch
from torch import nn
from torch.nn.parameter import is_lazy

from training.errors import ModelError

NUMBERS: Final = "numbers"
"""Key of the JSON with all Python numbers and texts."""
TENSOR: Final = "tensor."
OWN_GENERATOR: Final = "generator."
COLLECTIONS: Final = (list, dict, set, deque)
MODULE_S_OWN: Final = frozenset(vars(nn.Module()))
LARGEST_SEED: Final = 2**32 - 1
"""Largest seed that NumPy accepts."""
RandomGenerator = torch.Generator | random.Random | np.random.Generator | np.random.RandomState


def seed_all(seed: int) -> None:
    """Seeds torch, Python's `random` and NumPy's global generator."""
    torch.manual_seed(seed)
    random.seed(seed)
    np.random.seed(seed & LARGEST_SEED)


def read_global_states() -> dict[str, torch.Tensor]:
    """Returns the states of Python's and NumPy's global generators."""
    return {"python": _to_bytes(random.getstate()), "numpy": _to_bytes(np.random.get_state(legacy=False))}


def restore_global_states(saved: Mapping[str, torch.Tensor]) -> None:
    """Restores the states of `read_global_states`."""
    random.setstate(_to_tuple(_from_bytes(saved["python"])))
    np.random.set_state(_to_numpy_state(_from_bytes(saved["numpy"])))


def read_other_state(net: nn.Module) -> dict[str, torch.Tensor]:
    """Returns everything that a network's modules hold besides `state_dict`: numbers, texts, tensors and generators."""
    numbers, found = dict[str, Any](), dict[str, torch.Tensor]()
    for name, value in _list_attributes(net):
        if value is None or isinstance(value, bool | int | float | str):
            numbers[name] = value
        elif isinstance(value, torch.Tensor):
            found[f"{TENSOR}{name}"] = value.detach().clone().contiguous()
        elif isinstance(value, RandomGenerator):
            found[f"{OWN_GENERATOR}{name}"] = _to_bytes(_get_generator_state(value))
    return found | {NUMBERS: _to_bytes(numbers)}


def restore_other_state(net: nn.Module, saved: Mapping[str, torch.Tensor]) -> None:
    """Restores the state of `read_other_state`, in place where possible."""
    numbers = _from_bytes(saved[NUMBERS])
    for name, value in list(_list_attributes(net)):
        module, _, attribute = name.rpartition(".")
        owner = net.get_submodule(module)
        if name in numbers:
            setattr(owner, attribute, numbers[name])
        elif isinstance(value, RandomGenerator):
            _set_generator_state(value, _from_bytes(saved[f"{OWN_GENERATOR}{name}"]))
        elif isinstance(value, torch.Tensor):
            with torch.no_grad():
                setattr(owner, attribute, saved[f"{TENSOR}{name}"].to(value.device))


def refuse_what_changes(net: nn.Module, name: str, step: Callable[[], object]) -> None:
    """Raises ModelError for collections of the network that a step changes, since no checkpoint keeps them."""
    before = {one: copy.copy(value) for one, value in _list_attributes(net) if isinstance(value, COLLECTIONS)}
    step()
    for one, value in _list_attributes(net):
        if isinstance(value, COLLECTIONS) and (one not in before or not _is_same(before[one], value)):
            raise ModelError(
                f"{name} changes its {one}, a {type(value).__name__}, during training: an interrupted run could not "
                "continue with it",
                "keep it in a tensor (register_buffer) or a number, or leave it out of forward",
            )


def refuse_another(net: nn.Module, twin: nn.Module, name: str) -> None:
    """Raises ModelError if two networks built alike differ, since no seed controls the difference."""
    one, other = _read_whole_state(net), _read_whole_state(twin)
    for key in one:
        if key not in other or not torch.equal(one[key], other[key]):
            what = key.removeprefix(OWN_GENERATOR).removeprefix(TENSOR)
            raise ModelError(
                f"the constructor of {name} makes another {what if key != NUMBERS else 'number'} each time, regardless "
                "of the seed",
                "use torch, random or numpy.random, which the run seeds, or a generator with its own seed",
            )


def _read_whole_state(net: nn.Module) -> dict[str, torch.Tensor]:
    held = {name: one for name, one in net.state_dict().items() if not is_lazy(one)}
    return held | read_other_state(net)


def _is_same(before: Any, now: Any) -> bool:
    """Compares by the elements themselves, since comparing tensors does not give a single truth value."""
    if len(before) != len(now):
        return False
    if isinstance(now, dict):
        return list(before) == list(now) and all(before[key] is now[key] for key in now)
    return (
        all(one is other for one, other in zip(before, now, strict=True)) if not isinstance(now, set) else before == now
    )


def _list_attributes(net: nn.Module) -> Iterator[tuple[str, Any]]:
    """Yields values that modules hold under their own names, and buffers that `state_dict` leaves out."""
    for path, module in net.named_modules():
        prefix = f"{path}." if path else ""
        for name, value in vars(module).items():
            if name != "training" and not name.startswith("__") and name not in MODULE_S_OWN:
                yield prefix + name, value
        for name in sorted(module._non_persistent_buffers_set):  # noqa: SLF001 - torch has no other way to tell them
            yield prefix + name, module._buffers[name]  # noqa: SLF001


def _get_generator_state(generator: RandomGenerator) -> Any:
    if isinstance(generator, torch.Generator):
        return generator.get_state().tolist()
    if isinstance(generator, random.Random):
        return generator.getstate()
    if isinstance(generator, np.random.RandomState):
        return generator.get_state(legacy=False)
    return generator.bit_generator.state


def _set_generator_state(generator: RandomGenerator, state: Any) -> None:
    if isinstance(generator, torch.Generator):
        generator.set_state(torch.tensor(state, dtype=torch.uint8))
    elif isinstance(generator, random.Random):
        generator.setstate(_to_tuple(state))
    elif isinstance(generator, np.random.RandomState):
        generator.set_state(_to_numpy_state(state))
    else:
        generator.bit_generator.state = _to_numpy_state(state)


def _to_bytes(value: Any) -> torch.Tensor:
    """Encodes as JSON in a tensor, since a checkpoint holds only tensors."""
    content = json.dumps(value, default=lambda array: array.tolist()).encode()
    return torch.frombuffer(bytearray(content), dtype=torch.uint8)


def _from_bytes(content: torch.Tensor) -> Any:
    return json.loads(bytes(content.numpy()))


def _to_tuple(state: Any) -> Any:
    """Restores tuples, which Python's `random` requires."""
    return tuple(_to_tuple(one) for one in state) if isinstance(state, list) else state


def _to_numpy_state(state: Any) -> Any:
    """Restores arrays, which NumPy requires. Words of its Mersenne Twister have 32 bits, those of others 64."""
    word = np.uint32 if state["bit_generator"] == "MT19937" else np.uint64
    inner = {name: np.array(one, word) if isinstance(one, list) else one for name, one in state["state"].items()}
    rest = {name: np.array(one, word) if isinstance(one, list) else one for name, one in state.items()}
    return rest | {"state": inner}
