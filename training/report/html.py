"""The few elements that a report is made of. Whatever comes in as `str` is escaped; only `Html` is taken as markup."""

from collections.abc import Iterable, Sequence
from html import escape
from typing import Final, NewType

from training.report import units

Html = NewType("Html", str)
LONGEST_CELL: Final = 300
MOST_ROWS: Final = 50
NONE: Final = Html("")


def text(value: str) -> Html:
    """Escaped; printable characters only, in one line."""
    return Html(escape(units.name(value, 10_000)))


def paragraph(value: str, kind: str = "") -> Html:
    """`kind` is a class of the style sheet."""
    return Html(f'<p class="{kind}">{text(value)}</p>' if kind else f"<p>{text(value)}</p>")


def join(parts: Iterable[Html]) -> Html:
    """One after the other."""
    return Html("".join(parts))


def section(key: str, title: str, parts: Sequence[Html]) -> Html:
    """Nothing at all if there is nothing in it."""
    body = join(parts)
    return Html(f'<section id="{key}"><h2>{text(title)}</h2>{body}</section>') if body else NONE


def heading(title: str) -> Html:
    """Of a part of a section."""
    return Html(f"<h3>{text(title)}</h3>")


def table(caption: str, head: Sequence[str], rows: Sequence[Sequence[object]]) -> Html:
    """The first column names the row, columns of numbers stand right; rows over MOST_ROWS are only counted."""
    if not rows:
        return NONE
    right = [at > 0 and any(_is_number(row[at]) for row in rows) for at in range(len(head))]
    top = join(_element("th", name, at_right, ' scope="col"') for name, at_right in zip(head, right, strict=True))
    return _frame(caption, Html(f"<thead><tr>{top}</tr></thead>"), [_row(row, right) for row in rows], "")


def pairs(caption: str, rows: Sequence[tuple[str, object]]) -> Html:
    """A table of names and values, all at the left."""
    return _frame(caption, NONE, [_row(row, (False, False)) for row in rows], ' class="pairs"') if rows else NONE


def pictures(drawn: Iterable[str]) -> Html:
    """Side by side where there is room."""
    figures = "".join(f"<figure>{svg}</figure>" for svg in drawn)
    return Html(f'<div class="figures">{figures}</div>') if figures else NONE


def _frame(caption: str, head: Html, rows: Sequence[Html], kind: str) -> Html:
    """A table that scrolls by itself where the window is narrower than it."""
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
    """An empty cell stays empty, while a name that is empty is said to be."""
    kind = ' class="number"' if at_right else ""
    shown = "" if value == "" and tag == "td" else escape(units.name(units.plain(value), LONGEST_CELL))
    return Html(f"<{tag}{attributes}{kind}>{shown}</{tag}>")


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)
