"""HTML elements of a report. Every `str` is escaped; only `Html` counts as markup."""

from collections.abc import Iterable, Sequence
from html import escape
from typing import Final, NewType

from training.report import units

Html = NewType("Html", str)
LONGEST_CELL: Final = 300
MOST_ROWS: Final = 50
NONE: Final = Html("")


def text(value: str) -> Html:
    """Escapes a text and reduces it to one line of printable characters."""
    return Html(escape(units.name(value, 10_000)))


def paragraph(value: str, kind: str = "") -> Html:
    """Makes a paragraph. `kind` is a class of the style sheet."""
    return Html(f'<p class="{kind}">{text(value)}</p>' if kind else f"<p>{text(value)}</p>")


def join(parts: Iterable[Html]) -> Html:
    """Joins the parts."""
    return Html("".join(parts))


def section(key: str, title: str, parts: Sequence[Html]) -> Html:
    """Makes a section, or nothing if it has no content."""
    body = join(parts)
    return Html(f'<section id="{key}"><h2>{text(title)}</h2>{body}</section>') if body else NONE


def heading(title: str) -> Html:
    """Makes the heading of a part of a section."""
    return Html(f"<h3>{text(title)}</h3>")


def table(caption: str, head: Sequence[str], rows: Sequence[Sequence[object]]) -> Html:
    """Makes a table. The first column names the row, numbers are aligned right, and rows beyond MOST_ROWS are only
    counted.
    """
    if not rows:
        return NONE
    right = [at > 0 and any(_is_number(row[at]) for row in rows) for at in range(len(head))]
    top = join(_element("th", name, at_right, ' scope="col"') for name, at_right in zip(head, right, strict=True))
    return _frame(caption, Html(f"<thead><tr>{top}</tr></thead>"), [_row(row, right) for row in rows], "")


def pairs(caption: str, rows: Sequence[tuple[str, object]]) -> Html:
    """Makes a table of names and values, aligned left."""
    return _frame(caption, NONE, [_row(row, (False, False)) for row in rows], ' class="pairs"') if rows else NONE


def pictures(drawn: Iterable[str]) -> Html:
    """Places figures side by side where they fit."""
    figures = "".join(f"<figure>{svg}</figure>" for svg in drawn)
    return Html(f'<div class="figures">{figures}</div>') if figures else NONE


def _frame(caption: str, head: Html, rows: Sequence[Html], kind: str) -> Html:
    """Makes a table that scrolls on its own if the window is narrower."""
    more = len(rows) - MOST_ROWS
    note = paragraph(f"{more:,} more rows are in the JSON inside this page", "note") if more > 0 else NONE
    return Html(
        f'<div class="table">{paragraph(caption, "caption")}'
        f'<div class="scroll" role="region" tabindex="0" aria-label="{text(caption)}">'
        f"<table{kind}>{head}<tbody>{join(rows[:MOST_ROWS])}</tbody></table></div>{note}</div>"
    )


def _row(cells: Sequence[object], right: Sequence[bool]) -> Html:
    first, *others = cells
    name = _element("th", first, False, ' scope="row"')
    return Html(f"<tr>{name}{join(_element('td', *one) for one in zip(others, right[1:], strict=True))}</tr>")


def _element(tag: str, value: object, at_right: bool, attributes: str = "") -> Html:
    """Makes a cell. An empty cell stays empty, while an empty name is marked as such."""
    kind = ' class="number"' if at_right else ""
    shown = "" if value == "" and tag == "td" else escape(units.name(units.plain(value), LONGEST_CELL))
    return Html(f"<{tag}{attributes}{kind}>{shown}</{tag}>")


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)
