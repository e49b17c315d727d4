"""One matplotlib figure as an `<svg>` element that fits into any page. Equal input gives equal bytes.

It leaves out everything that a content security policy forbids (style attributes, a style element), everything that
depends on a date or random number, and ids that two figures would share. Colours are the fixed ones below, so that the
page's style sheet can replace them on a dark page. It does not use pyplot, whose state belongs to the whole process.
"""

import io
import re
import warnings
from collections.abc import Callable
from html import escape
from typing import Any, Final, cast

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.backends.backend_svg import FigureCanvasSVG
from matplotlib.figure import Figure

INK: Final = "#24292f"
GRID: Final = "#d8dee4"
BLUE: Final = "#0072b2"
ORANGE: Final = "#d55e00"
GREY: Final = "#8c959f"
"""Okabe and Ito's blue and vermilion, distinct for every kind of colour blindness, and three greys."""

WIDTH_INCHES: Final = 5.2
HEIGHT_INCHES: Final = 3.2
SETTINGS: Final = {
    "svg.fonttype": "none",
    "svg.hashsalt": "sealift",
    "text.parse_math": False,
    "font.size": 10.5,
    "axes.titlesize": 11.5,
    "axes.edgecolor": GREY,
    "axes.labelcolor": INK,
    "axes.titlecolor": INK,
    "text.color": INK,
    "xtick.color": INK,
    "ytick.color": INK,
    "axes.grid": True,
    "axes.axisbelow": True,
    "grid.color": GRID,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.formatter.useoffset": False,
    "legend.frameon": False,
    "lines.linewidth": 1.6,
    "figure.facecolor": "none",
    "axes.facecolor": "none",
    "savefig.facecolor": "none",
}
NO_METADATA: Final = {"Date": None, "Creator": None, "Format": None, "Type": None}


def picture(key: str, label: str, paint: Callable[[Axes], None], height_inches: float = HEIGHT_INCHES) -> str:
    """Returns the figure that `paint` draws. `key`, of letters and dashes, makes its ids unique. Screen readers read
    `label`.
    """
    with mpl.rc_context(), warnings.catch_warnings(), np.errstate(all="ignore"):
        mpl.rcdefaults()
        mpl.rcParams.update(cast(Any, SETTINGS))  # its type names every setting
        # the browser has the fonts that count; matplotlib only estimates widths
        warnings.filterwarnings("ignore", message="Glyph .* missing from font")
        figure = Figure(figsize=(WIDTH_INCHES, height_inches), layout="constrained")
        FigureCanvasSVG(figure)
        paint(figure.add_subplot())
        written = io.StringIO()
        figure.savefig(written, format="svg", metadata=NO_METADATA)
    return _inline(written.getvalue(), key, label)


def _inline(document: str, key: str, label: str) -> str:
    content = document[document.index("<svg") :]
    content = re.sub(r"<metadata>.*?</metadata>|<style.*?</style>|<!--.*?-->", "", content, flags=re.DOTALL)
    box = re.search(r'viewBox="[^"]*"', content)
    if box is None:
        raise AssertionError("internal error: matplotlib wrote an SVG without a viewBox")
    # matplotlib escapes < and > in texts and attributes, so this finds only tags and no part of a name
    content = re.sub(r"<[^>]*>", lambda tag: _tag(tag[0], key), content)
    content = re.sub(r">\s+<", "><", content).replace("<defs></defs>", "").strip()
    names = 'xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink"'
    return f'<svg {names} {box[0]} role="img" aria-label="{escape(label)}">' + content[content.index(">") + 1 :]


def _tag(tag: str, key: str) -> str:
    """Returns a tag without style attribute, and with ids of this figure."""
    tag = re.sub(r' style="([^"]*)"', lambda found: _attributes(found[1]), tag)
    return re.sub(r'(\bid="|xlink:href="#|url\(#)', rf"\g<1>{key}-", tag)


def _attributes(style: str) -> str:
    """Converts style declarations to SVG attributes of the same names. The last of several counts, as in a style."""
    declarations = (declaration.partition(":") for declaration in style.split(";") if declaration.strip())
    values = {name.strip(): value.strip() for name, _, value in declarations}
    return "".join(_attribute(name, value) for name, value in values.items())


def _attribute(name: str, value: str) -> str:
    """Leaves out font families, which the page chooses."""
    if name == "font":
        size = re.search(r"[\d.]+px", value)
        return f' font-size="{size[0]}"' if size else ""
    return "" if name == "font-family" else f' {name}="{value}"'
