"""Numbers, sizes, times and names in readable form, the same in the page and in the terminal."""

import math
from typing import Final

NOT_STATED: Final = "not stated"
LONGEST_NAME: Final = 60


def number(value: float) -> str:
    """Formats four significant digits: 0.9722, 2,859, 1.2e-05. Whole numbers are complete."""
    if isinstance(value, bool) or not math.isfinite(value):
        return str(value)
    if value == int(value) and abs(value) < 1e15:
        return f"{int(value):,}"
    if 1e-3 <= abs(value) < 1e6:
        return f"{value:,.{max(0, 3 - math.floor(math.log10(abs(value))))}f}"
    return f"{value:.4g}"


def size(count_bytes: float) -> str:
    """Formats bytes with powers of 1,000: 2.2 kB."""
    return _scale(count_bytes, 1000, ("B", "kB", "MB", "GB", "TB"))


def energy(joules: float) -> str:
    """Formats joules, or watt-hours if they are easier to picture."""
    if joules >= 3.6e6:
        return f"{joules / 3.6e6:.4g} kWh"
    return f"{joules / 3600:.3g} Wh" if joules >= 3600 else f"{joules:.3g} J"


def mass(grams: float) -> str:
    """Formats grams as mg, g or kg."""
    return _scale(grams * 1000, 1000, ("mg", "g", "kg", "t"))


def duration(seconds: float) -> str:
    """Formats a duration: 4.2 ms, 42 s, 3 min 20 s, 2 h 5 min."""
    if seconds < 1:
        return f"{seconds * 1000:.3g} ms"
    if seconds < 60:
        return f"{seconds:.3g} s"
    minutes, rest = divmod(round(seconds), 60)
    if minutes < 60:
        return f"{minutes} min {rest} s"
    return f"{minutes // 60} h {minutes % 60} min"


def printable(text: str) -> str:
    """Reduces a text to lines of printable characters, since a terminal obeys control characters."""
    return "".join(letter if letter.isprintable() or letter == "\n" else "\N{REPLACEMENT CHARACTER}" for letter in text)


def name(text: str, longest: int = LONGEST_NAME) -> str:
    """Reduces a text to one line of printable characters, cut with an ellipsis. Names come from data and may contain
    anything.
    """
    clean = printable(" ".join(text.split()))
    return (clean if len(clean) <= longest else clean[: longest - 1] + "…") or "(empty)"


def plain(value: object) -> str:
    """Formats any JSON value for a table's cell."""
    if value is None:
        return "none"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int | float):
        return number(value)
    if isinstance(value, list | tuple):
        return ", ".join(plain(one) for one in value) or "none"
    return str(value)


def _scale(value: float, base: int, names: tuple[str, ...]) -> str:
    power = 0
    while abs(value) >= base and power < len(names) - 1:
        value, power = value / base, power + 1
    return f"{value:.3g} {names[power]}"
