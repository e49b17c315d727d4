"""The part of an exception's text that is shown: what is known to concern the code, and never what may be a value of
the data.

Messages, events, the state and logs outlive a run and have other readers than its data. Whoever runs `python -m
training` in a terminal has the data, and sees the whole text.
"""

import re
from typing import Final

_NAME: Final = r"'[\w.]+'"
_SHAPE: Final = r"[\[(][-\d, x]*[\])]"
_NAMES: Final = (
    r"name '\w+' is not defined",
    rf"(module |type object )?{_NAME} (object )?has no attribute '\w+'",
    rf"No module named {_NAME}(; '\w+' is not a package)?",
    rf"cannot import name '\w+' from (partially initialized module )?{_NAME}",
    r"an installed module has the same name; rename yours",
    r"cannot access local variable '\w+' where it is not associated with a value",
    r"[\w.]+\(\) got an unexpected keyword argument '\w+'",
    r"[\w.]+\(\) got multiple values for argument '\w+'",
    r"[\w.]+\(\) missing \d+ required (positional|keyword-only) arguments?: ('\w+'(, and |, | and )?)+",
    r"[\w.]+\(\) takes (from )?\d+( to \d+)? positional arguments? but \d+ (was|were) given",
    r"'\w+' object is not (callable|iterable|subscriptable)",
    r"division by zero",
    r"maximum recursion depth exceeded(?P<rest>.*)",
)
"""Texts of Python itself, about names in code."""
_SIZES: Final = (
    r"(addmm: )?mat1 and mat2 shapes cannot be multiplied \(\d+x\d+ and \d+x\d+\)",
    r"mat1 and mat2 must have the same dtype, but got \w+ and \w+",
    r"expected scalar type \w+ but found \w+",
    r"expected m1 and m2 to have the same dtype(?P<rest>.*)",
    r"[Tt]he size of tensor a \(\d+\) must match the size of tensor b \(\d+\) at non-singleton dimension \d+",
    rf"shape '{_SHAPE}' is invalid for input of size \d+",
    r"Dimension out of range \(expected to be in range of \[-?\d+, -?\d+\], but got -?\d+\)",
    r"Sizes of tensors must match except in dimension \d+\. Expected size \d+ but got size \d+(?P<rest>.*)",
    rf"Given groups=\d+, weight of size {_SHAPE}, expected input{_SHAPE} to have \d+ channels, but got \d+(?P<rest>.*)",
    rf"Expected \dD \(unbatched\) or \dD \(batched\) input to \w+, but got input of size: {_SHAPE}",
    r"[Ee]xpected \dD or \dD input \(got \dD input\)",
    rf"Given normalized_shape={_SHAPE}, expected input with shape \[[*\d, ]+\], but got input of size{_SHAPE}",
    r"running_mean should contain \d+ elements not \d+",
    r"[\w.]+\(\): argument '\w+' \(position \d+\) must be \w+, not \w+",
    r"element \d+ of tensors does not require grad and does not have a grad_fn",
    r"one of the variables needed for gradient computation has been modified by an inplace operation(?P<rest>.*)",
)
"""Texts of torch, about shapes and types."""
KNOWN: Final = tuple(re.compile(pattern) for pattern in (*_NAMES, *_SIZES))
"""Whole texts; `rest` is left out."""


def show(error: BaseException) -> str:
    """The first line of its text, if it has one of these forms, or what the system said; else nothing."""
    if isinstance(error, OSError) and error.strerror:
        return error.strerror
    if isinstance(error, SyntaxError):
        return str(error.msg)
    lines = str(error).strip().splitlines()
    first = re.sub(r" \((?:/|unknown location)[^)]*\)$", "", lines[0]) if lines else ""  # where a module is
    for pattern in KNOWN:
        if found := pattern.fullmatch(first):
            return first.removesuffix(found.groupdict().get("rest") or "")
    return ""


def is_whole(error: BaseException) -> bool:
    """Whether nothing is left out."""
    return str(error).strip() in ("", show(error))


def leave_out(error: BaseException) -> str:
    """The text of the exception that an error of ours was raised from, where the error does not show it."""
    cause = error.__cause__
    return "" if cause is None or is_whole(cause) or str(cause).strip() in str(error) else str(cause).strip()
