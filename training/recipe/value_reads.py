"""Where a network's Python code reads the values of its input: what no trace can hold.

A trace records operations on tensors. Where Python takes a value out of one (`if x.max() > 3`, `.item()`, `.tolist()`),
the exported model keeps what two rows of training had, and answers all others by it. So one pass over rows is watched
(torch.overrides.TorchFunctionMode): what is computed from the input is followed, and a read of it is refused, with the
line. What depends on shapes or on weights alone is not a read of the input.
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
"""Names of torch's functions and of Tensor's methods that give Python, or NumPy, values."""
SIZED_BY_VALUES: Final = frozenset({"argwhere", "masked_select", "nonzero", "unique", "unique_consecutive"})
"""Whose results have as many rows as the values of what is given have it; so has an index by a mask."""
SIZES: Final = frozenset({"__len__", "__get__", "numel", "size", "nelement"})
"""How Python asks for the size of a tensor; `__get__` stands for `shape`, among others."""
TORCH: Final = f"{Path(torch.__file__).parent}/"
PASSED: Final = (__file__, torch.overrides.__file__, f"{TORCH}_tensor.py")
"""Those between a read and the code that reads: the last has methods of Tensor that are written in Python."""
OURS: Final = f"{Path(__file__).parent}/"


def refuse_value_reads(model: nn.Module, rows_BS: torch.Tensor, name: str) -> None:
    """Raises ExportError with the line where the network reads values of these rows, and what the network raises."""
    with torch.no_grad(), _Watch(rows_BS, name):
        model.eval()(rows_BS)


class _Watch(TorchFunctionMode):
    def __init__(self, rows_BS: torch.Tensor, name: str) -> None:
        super().__init__()
        self._name = name
        self._followed = {id(rows_BS): rows_BS}
        """By id; kept alive, so that no id is another tensor's."""
        self._sized = dict[int, torch.Tensor]()
        """Of these, the ones whose size hangs on values."""

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
    """All in nested tuples, lists and dictionaries."""
    if isinstance(value, torch.Tensor):
        yield value
    elif isinstance(value, tuple | list):
        for one in value:
            yield from _find_tensors(one)
    elif isinstance(value, dict):
        yield from _find_tensors(tuple(value.values()))


def _find_line() -> str | None:
    """File and line of the code that reads; None where that is torch's own or ours, whose networks are tried."""
    for frame in reversed(traceback.extract_stack()):
        if frame.filename in PASSED:
            continue
        tried = frame.filename.startswith((TORCH, OURS, "<"))
        return None if tried else f"{Path(frame.filename).name}:{frame.lineno}"
    return None
