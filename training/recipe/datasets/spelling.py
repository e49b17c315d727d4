"""NUMBERS AND DATES IN ANOTHER SPELLING: found by the form of a column's texts, however few there are.

An unambiguous spelling of a CSV file is read. Others are refused, since a category would hide them. Errors show the
form of a value, with each digit as 9, never a value, which may be personal.
"""

import re
from collections.abc import Collection
from dataclasses import dataclass
from typing import Final

import pyarrow as pa
import pyarrow.compute as pc

DIGIT: Final = r"\p{Nd}"
SIGN: Final = r"[-+\x{2212}\x{2013}\x{2012}]?"
PLAIN: Final = r"^\s*[-+]?(\d+\.?\d*|\.\d+)([eE][-+]?\d+)?\s*$"
"""A number that every reader accepts."""
GROUPED: Final = (
    rf"(?:{DIGIT}{{1,3}}(?:[ .,'\x{{2019}}_]{DIGIT}{{3}})+|{DIGIT}{{1,2}}(?:,{DIGIT}{{2}})+,{DIGIT}{{3}}"
    rf"|{DIGIT}{{1,4}}(?:[ ,]{DIGIT}{{4}})+)"
)
"""Groups of thousands, of Indian lakhs, and of ten thousands."""
CORE: Final = rf"(?:(?:{GROUPED}|{DIGIT}+)(?:[.,\x{{066b}}]{DIGIT}*)?|[.,]{DIGIT}+)(?:\s?[eE]{SIGN}{DIGIT}+)?"
MONEY: Final = (
    r"(?:[A-Z]{0,3}\p{Sc}|R\$|(?i:EUR|USD|GBP|CHF|JPY|CNY|RMB|INR|SEK|NOK|DKK|PLN|CZK|HUF|RON|TRY|RUB|AUD|CAD|NZD|"
    r"BRL|MXN|ZAR|KRW|SGD|HKD|euros?|dollars?|Fr\.?|kr\.?|z\x{0142}|K\x{010d}|Rs\.?))"
)
AMOUNT: Final = (
    rf"{SIGN}\s*{MONEY}?\s*{SIGN}\s*{CORE}(?:,?[-\x{{2013}}]{{1,2}})?\s*(?:%|\x{{2030}}|{MONEY})?\s*[-\x{{2212}}]?"
)
NUMBER: Final = rf"^(?:{AMOUNT}|\({AMOUNT}\)|%\s*{CORE})$"
YEAR: Final = r"(?:1[5-9]|2[01])\d\d"
MONTH: Final = r"(?i:jan|feb|m[a\x{e4}]r|apr|ma[iy]|jun|jul|aug|sep|o[ck]t|nov|de[cz])\p{L}*"
"""Months in English and German. Those of other languages count as text."""
CLOCK: Final = r"\d{1,2}:\d\d(?::\d\d(?:[.,]\d+)?)?(?:\s?[AaPp]\.?[Mm]\.?)?\s*(?:Z|UTC|GMT|[-+]\d\d:?\d\d)?"
SHORT_YEAR: Final = rf"(?:{YEAR}|'?\d\d)"
DAYS: Final = (
    rf"{YEAR}\.\s?\d\d?\.\s?\d\d?|\d\d?\.\s?\d\d?\.\s?{SHORT_YEAR}",
    rf"{YEAR}/\d\d?/\d\d?|\d\d?/\d\d?/{SHORT_YEAR}",
    rf"{YEAR}-\d\d?-\d\d?|\d\d?-\d\d?-{YEAR}",
    rf"{YEAR}[-/]\d\d?|\d\d?/{YEAR}",
    rf"\d\d?[-./ ]*{MONTH}[-./, ]*{SHORT_YEAR}",
    rf"{MONTH}[-. ]*\d\d?(?:st|nd|rd|th)?,?\s+{YEAR}|{MONTH}[-./ ]*{YEAR}",
    rf"{YEAR}\s*\x{{5e74}}\s*\d\d?\s*\x{{6708}}(?:\s*\d\d?\s*\x{{65e5}})?",
)
"""Whole days, and months of a year. The last form is Chinese and Japanese."""
DATE: Final = rf"^(?:{'|'.join(DAYS)})(?:[T, ]+{CLOCK})?$"
TIME: Final = rf"^{CLOCK}$"
UNIT: Final = rf"^{SIGN}\s?{CORE}\s?(?P<unit>[\p{{L}}\x{{b5}}\x{{b0}}\"'][\p{{L}}\p{{No}}\x{{b0}}/.^*2-3]{{0,11}})$"
FEWEST_OF_A_UNIT: Final = 3
"""Smallest number of different values with a unit, since "2wd" and "4wd" are names."""
LONGEST_FORM: Final = 30

COMMA: Final = r"^\s*[-+]?\d+(?:,\d+)?\s*$"
ONLY_A_DECIMAL: Final = r"^\s*[-+]?(?:0\d*,\d+|\d{4,},\d+|\d+,(?:\d{1,2}|\d{4,}))\s*$"
"""A number whose comma cannot separate thousands."""
YEAR_FIRST: Final = rf"^\s*({YEAR})[/.](\d\d?)[/.](\d\d?)((?:[T ]\d\d:\d\d(?::\d\d)?)?)\s*$"
DOTTED: Final = rf"^\s*(\d\d?)\.\s?(\d\d?)\.\s?({YEAR})((?:[T ]\d\d:\d\d(?::\d\d)?)?)\s*$"


@dataclass(frozen=True)
class Spelling:
    """Spelling of most texts of a column: numbers, dates or times, and the form of one of them."""

    what: str
    form: str
    way_out: str

    def __str__(self) -> str:
        return f"{self.what}, written like {self.form!r} (9 is any digit); {self.way_out}"


def look(distinct: pa.Array) -> Spelling | None:
    """Returns the spelling of more than half of these distinct texts, unless all of those are plain numbers."""
    texts = distinct.cast(pa.string()).drop_null()
    odd = texts.filter(pc.invert(pc.match_substring_regex(texts, PLAIN)))
    odd = pc.utf8_trim_whitespace(pc.utf8_normalize(odd, form="NFKC"))
    half, plain = len(texts) // 2, len(texts) - len(odd)
    for what, pattern, way_out in (
        ("dates", DATE, "write them like 2026-01-31 or 2026-01-31T12:00:00, in Parquet as dates"),
        ("times of day", TIME, "write them as numbers, such as hours"),
        ("numbers", NUMBER, "write them like -1234.5: with a decimal point and no other mark, currency or space"),
    ):
        found = odd.filter(pc.match_substring_regex(odd, pattern))
        if len(found) and len(found) + (plain if what == "numbers" else 0) > half:
            return Spelling(what, _find_form(found[0].as_py()), way_out)
    return _look_for_unit(odd, half)


def _look_for_unit(odd: pa.Array, half: int) -> Spelling | None:
    found = odd.filter(pc.match_substring_regex(odd, UNIT))
    if len(found) < FEWEST_OF_A_UNIT or len(found) <= half:
        return None
    units = pc.unique(pc.struct_field(pc.extract_regex(found, UNIT), "unit"))
    if len(units) > 1:
        return None
    return Spelling("numbers with a unit", _find_form(found[0].as_py()), "write them without the unit, such as 12.5")


def read(table: pa.Table, kept: Collection[str | None] = ()) -> pa.Table:
    """Returns the table with text columns as numbers or dates, if all values have one unambiguous spelling.

    A comma is a decimal comma if it cannot separate thousands in some row. Leaves out the columns `kept`.
    """
    for at, name in enumerate(table.column_names):
        if name not in kept and pa.types.is_string(table[name].type):
            column = _read_dates(table[name])
            column = _read_decimals(table[name]) if column is None else column
            if column is not None:
                table = table.set_column(at, name, column)
    return table


def _read_decimals(column: pa.ChunkedArray) -> pa.ChunkedArray | None:
    if not _are_all(column, COMMA) or not pc.any(pc.match_substring_regex(column, ONLY_A_DECIMAL)).as_py():
        return None
    text = pc.utf8_ltrim(pc.utf8_trim_whitespace(column), characters="+")
    return pc.replace_substring(text, ",", ".").cast(pa.float64())


def _read_dates(column: pa.ChunkedArray) -> pa.ChunkedArray | None:
    for pattern, order in ((YEAR_FIRST, r"\1-0\2-0\3\4"), (DOTTED, r"\3-0\2-0\1\4")):
        if _are_all(column, pattern):
            text = pc.replace_substring_regex(pc.replace_substring_regex(column, pattern, order), r"-0(\d\d)", r"-\1")
            timed = pc.any(pc.match_substring(text, ":")).as_py()
            try:
                return text.cast(pa.timestamp("s") if timed else pa.date32())
            except pa.ArrowInvalid:  # no such day exists; `look` reports what the column is
                return None
    return None


def _are_all(column: pa.ChunkedArray, pattern: str) -> bool:
    """Returns whether all present values match, and there is at least one."""
    first = column.drop_null()[:1]
    if not len(first) or not pc.match_substring_regex(first, pattern)[0].as_py():  # nearly always enough
        return False
    return bool(pc.all(pc.match_substring_regex(column, pattern)).as_py())


def _find_form(text: str) -> str:
    """Returns the text with each digit as 9."""
    shown = re.sub(r"\d", "9", text)
    return shown if len(shown) <= LONGEST_FORM else f"{shown[:LONGEST_FORM]}…"
