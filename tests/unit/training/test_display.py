"""Progress for people: a bar on a terminal, lines elsewhere, and nothing that a terminal would obey."""

import contextlib
import fcntl
import io
import os
import struct
import termios
from dataclasses import replace

from tests.unit.training.test_status_line import EVENT
from training.display import LINE_SECONDS, Display


class Clock:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def test_without_a_terminal_a_descent_is_a_line_now_and_then_and_one_at_its_end() -> None:
    stream, clock = io.StringIO(), Clock()
    display = Display(stream, clock)

    display.phase("data", "reading iris")
    for epoch in range(1, 101):
        clock.now += LINE_SECONDS / 40
        display.tell(replace(EVENT, epoch=epoch, last=epoch == 39))
        if epoch == 39:
            break

    lines = stream.getvalue().splitlines()
    assert lines[0] == "reading iris"
    assert lines[1].startswith("epoch 1/100, loss 0.4164, validation mae 43.21, ")
    assert lines[-1].startswith("epoch 39/100, ")
    assert len(lines) == 3
    assert "\r" not in stream.getvalue()


def drawn(columns: int) -> str:
    """What a terminal of this width is sent for two looks and a message."""
    main, terminal = os.openpty()
    fcntl.ioctl(terminal, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))
    with os.fdopen(terminal, "w") as stream:
        display = Display(stream)
        display.tell(EVENT)
        display.tell(replace(EVENT, epoch=50))
        display.phase("export", "exporting")
    sent = b""
    with contextlib.suppress(OSError):  # the end of a terminal that nobody holds any more
        while piece := os.read(main, 65536):
            sent += piece
    os.close(main)
    return sent.decode()


def test_a_terminal_gets_a_bar_with_what_is_worth_knowing_beside_it() -> None:
    sent = drawn(140)

    assert "\repoch 50/100 |" in sent
    assert "| loss 0.4164, validation mae 43.21, about 3 min 20 s left, 117,903 rows/s, 12.3 J" in sent
    assert sent.endswith("\r\nexporting\r\n")


def test_a_narrow_terminal_gets_what_fits() -> None:
    looks = drawn(60).split("\r\n")[0].split("\r")

    assert max(map(len, looks)) <= 60


def test_a_terminal_that_says_no_width_gets_lines() -> None:
    assert drawn(0).startswith("epoch 12/100, loss 0.4164")


def test_a_warning_is_shown_and_what_a_terminal_would_obey_is_not_sent() -> None:
    stream = io.StringIO()

    Display(stream).log("warning", "column \x1b[2J is constant")

    assert stream.getvalue() == "warning: column \N{REPLACEMENT CHARACTER}[2J is constant\n"
