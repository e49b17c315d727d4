"""Detects where a network's Python code reads the values of its input, which no trace can express.

A trace records operations on tensors. Where Python takes a value out of one (`if x.max() > 3`, `.item()`, `.tolist()`),
the exported model keeps the value of two training rows for all others. So one pass over rows is watched
(torch.overrides.TorchFunctionMode): everything computed from the input is followed, and a read of its values is refused
with its line. Reads of shapes or of weights alone are allowed.
"""

# ruff: noqa: N803 (names of tensors carry the letters of their shape)

import traceback
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import torch
from torch import nn
from torch.overrides import TorchFunctionMode

from training.errors import ExportError

READS: Final = frozenset({
    "__array__", "__bool__", "__complex__", "__contains__", "__dlpack__", "__float__", "__format__", "__index__",
    "__int__", "__repr__", "allclose", "data_ptr", "equal", "is_nonzero", "item", "numpy", "storage", "tensor",
    "tolist", "untyped_storage",
})  # fmt: skip
"""Names of torch's functions and of Tensor's methods that return Python or NumPy values."""
SIZED_BY_VALUES: Final = frozenset({"argwhere", "masked_select", "nonzero", "unique", "unique_consecutive"})
"""Functions whose result's size depends on the values of their input, as an index by a mask does."""
SIZES: Final = frozenset({"__len__", "__get__", "numel", "size", "nelement"})
"""Names by which Python requests the size of a tensor. `__get__` stands for `shape`, among others."""
TORCH: Final = f"{Path(torch.__file__).parent}/"
PASSED: Final = (__file__, torch.overrides.__file__, f"{TORCH}_tensor.py")
"""Files between a read and the code that reads. The last one has methods of Tensor written in Python."""
OURS: Final = f"{Path(__file__).parent}/"


def refuse_value_reads(model: nn.Module, rows_BS: torch.Tensor, name: str) -> None:
    """Raises ExportError, with the line, if the network reads values of these rows. Raises the network's own errors."""
    with torch.no_grad(), _Watch(rows_BS, name):
        model.eval()(rows_BS)


class _Watch(TorchFunctionMode):
    def __init__(self, rows_BS: torch.Tensor, name: str) -> None:
        super().__init__()
        self._name = name
        self._followed = {id(rows_BS): rows_BS}
        """Followed tensors by id, kept alive so that no id is reused."""
        self._sized = dict[int, torch.Tensor]()
        """The ones of these whose size depends on values."""

    def __torch_function__(
        self,
        func: Callable[..., Any],
        types: Sequence[type],
        args: tuple[Any, ...] = (),
        kwargs: Mapping[str, Any] | None = None,
    ) -> Any:
        given = list(_find_tensors((args, kwargs or {})))
        follows = any(id(tensor) in self._followed for tensor in given)
        called = getattr(func, "__name__", "")
        reads = called in READS or (called in SIZES and any(id(tensor) in self._sized for tensor in given))
        if follows and reads and (line := _find_line()) is not None:
            raise ExportError(
                f"{self._name} reads values of its input in Python, at {line}: the served model would keep the values "
                "of the exported rows",
                "compute with tensors instead: use torch.where, clamp or masks for a branch, and no item(), tolist() "
                "or numpy() in forward; put a check that only raises behind `if self.training`",
            )
        result = func(*args, **(kwargs or {}))
        if called == "__iter__":
            result = list(result)
        if follows:
            made = list(_find_tensors(result))
            self._follow(made)
            if _is_sized_by_values(called, args) or any(id(tensor) in self._sized for tensor in given):
                self._sized |= {id(tensor): tensor for tensor in made if tensor.dim()}
            if called.endswith("_") or called == "__setitem__":
                self._follow(given[:1])
        return iter(result) if called == "__iter__" else result

    def _follow(self, tensors: Iterable[torch.Tensor]) -> None:
        self._followed |= {id(tensor): tensor for tensor in tensors}


def _is_sized_by_values(called: str, args: tuple[Any, ...]) -> bool:
    if called == "__getitem__":
        return any(index.dtype in (torch.bool, torch.uint8) for index in _find_tensors(args[1:]))
    return called in SIZED_BY_VALUES or (called == "where" and len(args) == 1)


def _find_tensors(value: Any) -> Iterator[torch.Tensor]:
    """Yields all tensors in nested tuples, lists and dictionaries."""
    if isinstance(value, torch.Tensor):
        yield value
    elif isinstance(value, tuple | list):
        for one in value:
            yield from _find_tensors(one)
    elif isinstance(value, dict):
        yield from _find_tensors(tuple(value.values()))


def _find_line() -> str | None:
    """Returns file and line of the reading code. None if it is torch's or ours, whose networks are tested."""
    for frame in reversed(traceback.extract_stack()):
        if frame.filename in PASSED:
            continue
        tried = frame.filename.startswith((TORCH, OURS, "<"))
        return None if tried else f"{Path(frame.filename).name}:{frame.lineno}"
    return None
