"""Of what the user's code raises, the type and the line are shown, and no value."""

from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from torch import nn

from training import raised, user_code
from training.errors import ModelError

HUSH = "patient 4711, hiv positive"


def caught(act: Callable[[], object]) -> BaseException:
    try:
        act()
    except (Exception, SystemExit) as error:  # noqa: BLE001 - whatever it is
        return error
    raise AssertionError("nothing was raised")


def raising(error: BaseException) -> Callable[[], object]:
    def act() -> None:
        raise error

    return act


@pytest.mark.parametrize(
    "act",
    [
        raising(ValueError(HUSH)), raising(RuntimeError(HUSH)), raising(KeyError(HUSH)), raising(SystemExit(HUSH)),
        raising(TypeError(f"{HUSH}() got an unexpected keyword argument 'x'")), raising(AttributeError(HUSH)),
        raising(NameError(f"name '{HUSH}' is not defined")), raising(FileNotFoundError(2, "No such file", HUSH)),
        raising(OSError(HUSH)), raising(UnicodeDecodeError("utf-8", HUSH.encode(), 0, 1, "odd")),
        raising(RuntimeError(f"division by zero\n{HUSH}")), lambda: float(HUSH), lambda: dict[str, int]()[HUSH],
        lambda: list[str]().index(HUSH), lambda: int(HUSH), lambda: torch.tensor([HUSH]),
    ],
)  # fmt: skip
def test_no_value_is_shown(act: Callable[[], object]) -> None:
    error = caught(act)

    said = user_code.say(error)

    assert "4711" not in said and "hiv" not in said
    assert type(error).__name__ in said or "sys.exit" in said
    assert "test_raised.py:" in said


def linear(*shape: int, dtype: torch.dtype = torch.float32) -> Callable[[], object]:
    return lambda: nn.Linear(10, 3)(torch.zeros(shape, dtype=dtype))


class Net(nn.Module):
    def __init__(self, features: int, outputs: int) -> None: ...


@pytest.mark.parametrize(
    ("act", "text"),
    [
        (linear(32, 7), "mat1 and mat2 shapes cannot be multiplied (32x7 and 10x3)"),
        (linear(32, 10, dtype=torch.float64), "must have the same dtype"),
        (lambda: torch.zeros(3) + torch.zeros(4), "must match the size of tensor b (4)"),
        (lambda: torch.zeros(3, 2).view(5), "shape '[5]' is invalid for input of size 6"),
        (lambda: torch.zeros(3).sum(dim=2), "Dimension out of range"),
        (lambda: torch.cat([torch.zeros(2, 3), torch.zeros(2, 4)]), "Sizes of tensors must match"),
        (lambda: nn.Conv2d(3, 4, 3)(torch.zeros(2, 1, 8, 8)), "to have 3 channels, but got 1 ("),
        (lambda: nn.Conv2d(3, 4, 3)(torch.zeros(2)), "input to conv2d"),
        (lambda: nn.LayerNorm(5)(torch.zeros(2, 4)), "expected input with shape"),
        (lambda: nn.BatchNorm1d(5)(torch.zeros(2, 4)), "should contain"),
        (lambda: torch.zeros(2).backward(), "does not require grad"),  # type: ignore[no-untyped-call]
        (lambda: Net(1, width=2), "Net.__init__() got an unexpected keyword argument 'width'"),  # type: ignore[call-arg]
        (lambda: Net(1), "missing 1 required positional argument: 'outputs'"),  # type: ignore[call-arg]
        (lambda: Net(1, 2, 3), "takes 3 positional arguments but 4 were given"),  # type: ignore[call-arg]
        (lambda: nn.Linear(1, 1).widht, "'Linear' object has no attribute 'widht'"),
        (lambda: __import__("no_such"), "No module named 'no_such'"),
        (lambda: 1 / 0, "division by zero"),
        (lambda: Path("/nowhere/weights").read_text(), "No such file or directory"),
    ],
)
def test_what_is_about_the_code_is_shown(act: Callable[[], object], text: str) -> None:
    error = caught(act)

    assert text in user_code.say(error)
    assert user_code.LEFT_OUT not in user_code.say(error) or isinstance(error, OSError)


def test_the_whole_text_is_there_for_the_terminal() -> None:
    with pytest.raises(ModelError) as found, user_code.blame("mine:Net"):
        raise ValueError(HUSH)

    assert HUSH not in f"{found.value} {found.value.message} {found.value.hint}"
    assert user_code.LEFT_OUT in found.value.message
    assert raised.leave_out(found.value) == HUSH
