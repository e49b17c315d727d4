"""CSV, TSV and Parquet files as tables of columns. encoding.py handles the columns' contents.

Errors name lines and columns, never a value, which may be personal.
"""

import codecs
import contextlib
import csv
import gzip
import io
import re
import zlib
from collections import Counter
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Final

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv
import pyarrow.parquet

from sealift.settings.urls import without_parts_of
from training import sources
from training.errors import DataError
from training.options import MISSING, Data
from training.recipe.datasets import encoding, spelling
from training.recipe.datasets.column_choice import list_names

GZIP: Final = b"\x1f\x8b"
DELIMITERS: Final = ",;\t|"
NEWLINE: Final = b"\n"
SEPARATOR: Final = re.compile(rb'"?sep=(.)"?[ ,;\t]*\r?(?:\n|$)', re.IGNORECASE)
"""Line that Excel writes before the names."""
SOME_BYTES: Final = 2**20
"""Number of first bytes that contain the start of the line of names."""
VALUE: Final = re.compile(encoding.NUMBER)
SAY_ENCODING: Final = "set data.encoding, for instance to windows-1252 or iso-8859-1, or save the file as UTF-8"
BLOCK_BYTES: Final = 16 * 2**20
UTF_8: Final = "utf-8"
UTF_16: Final = (b"\xff\xfe", b"\xfe\xff")
"""First bytes of a file in UTF-16."""
BEYOND_INT64: Final = 2.0**63
MANY_DIGITS: Final = r"^\s*[-+]?\d{19,}\s*$"
LEADING_ZERO: Final = r"^\s*[-+]?0\d"
IN_THOUSANDS: Final = r"^\s*[-+]?[1-9]\d{0,2}\.\d{3}\s*$"
"""A number whose point may separate thousands."""


@dataclass(frozen=True)
class Csv:
    """A CSV file in UTF-8 whose first line names the columns."""

    reference: str
    content: bytes
    delimiter: str
    missing: Sequence[str]
    skipped: int = 0
    """Number of lines of the file before the content."""

    @property
    def names(self) -> list[str]:
        """Fields of the first line."""
        line = self.content.removeprefix(codecs.BOM_UTF8).partition(b"\n")[0].decode(errors="replace").rstrip("\r")
        try:
            return next(csv.reader([line], delimiter=self.delimiter), [])
        except csv.Error as error:  # a field of over 128 KB, or lines that end with CR alone
            raise DataError(
                f"the first line of {self.reference} does not name columns: {error}",
                "end lines with LF or CR LF, and name the columns in the first line",
            ) from None


def read_csv(reference: str, content: bytes, options: Data, kept: Collection[str | None] = ()) -> pa.Table:
    """Reads a CSV file. Numbers and dates in another spelling are read, except in the columns `kept`. Raises DataError
    for a file that is not a table, or exceeds the memory limit.
    """
    if content.startswith(GZIP):
        content = _decompress(reference, content, options.memory_bytes)
    file = _open(reference, _decode_to_utf_8(reference, content, options.encoding or UTF_8), options)
    _check_header(file, options)
    table = _parse(file, [])
    _check_names(reference, table.column_names)
    if table.num_columns == 1:
        raise DataError(
            f"{reference} has only one column if it is split at {file.delimiter!r}",
            f"set data.delimiter; of {' '.join(DELIMITERS)!r}, its first line has most of "
            f"{_find_delimiter(reference, file.content.partition(NEWLINE)[0])!r}",
        )
    for name in table.column_names:
        if pa.types.is_binary(table[name].type):
            raise DataError(f"{reference} is not UTF-8 in the column {name!r}", SAY_ENCODING)
    _check_units(table, file, options)
    _check_whole(table, file, options)
    table = _keep_codes(table, file, options)
    spelt = spelling.read(table, kept)
    _check_thousands(table, spelt, file, [name for name in _find_used(spelt.column_names, options) if name not in kept])
    return spelt


def _find_used(names: Sequence[str], options: Data) -> list[str]:
    """Returns the columns in use: features, target and the one that gives the order."""
    one = options.image.column if options.image else options.text
    features = [one] if one else options.features or names
    used = {*features, options.target, options.time_column} - {*options.exclude}
    return [name for name in names if name in used]


def _check_thousands(before: pa.Table, after: pa.Table, file: Csv, used: Sequence[str]) -> None:
    """Raises DataError for decimals whose point may separate thousands, if another column has a decimal comma."""
    proof = [
        name
        for name in after.column_names
        if pa.types.is_string(before[name].type) and pa.types.is_float64(after[name].type)
    ]
    doubtful = [name for name in used if pa.types.is_float64(before[name].type)]
    if not proof or not doubtful:
        return
    texts = _parse(file, doubtful, only=doubtful)
    for name in doubtful:
        pointed = texts[name].filter(pc.match_substring(texts[name], "."))
        if len(pointed) and pc.all(pc.match_substring_regex(pointed, IN_THOUSANDS)).as_py():
            raise DataError(
                f"{file.reference} has decimal commas in the column {proof[0]!r}, but the column {name!r} has points "
                "before three digits, written like '9.999' (9 is any digit), which may separate thousands",
                "write it without thousands separators, such as 1234, or as 1.2340 if it is a decimal point; "
                "data.categorical keeps it as text",
            )


def _decode_to_utf_8(reference: str, content: bytes, name: str) -> bytes:
    """Raises DataError if the content is not in the given encoding."""
    if name == UTF_8:
        if content.startswith(UTF_16):
            raise DataError(
                f"{reference} is not UTF-8 but UTF-16", "set data.encoding to utf-16, or save the file as UTF-8"
            )
        return content
    try:
        return content.decode(name).encode()
    except UnicodeError as error:
        at = content.count(NEWLINE, 0, getattr(error, "start", 0)) + 1
        raise DataError(
            f"data.encoding is {name!r}, but line {at:,} of {reference} is not valid in it",
            "set the encoding that the file was saved in, or save it as UTF-8",
        ) from None


def _open(reference: str, content: bytes, options: Data) -> Csv:
    """Opens a file without Excel's line `sep=;`, which gives the delimiter, and without comments before the names."""
    content = content.removeprefix(codecs.BOM_UTF8)
    skipped, said = 0, None
    excel = SEPARATOR.match(content)
    if excel is not None:
        skipped, said, content = 1, excel[1].decode(errors="replace"), content[excel.end() :]
    lines = content[:SOME_BYTES].split(NEWLINE)
    comments = next((at for at, line in enumerate(lines) if not line.startswith(b"#")), 0)
    delimiter = options.delimiter or said or _find_delimiter(reference, lines[comments])
    mark = delimiter.encode()
    while comments and lines[comments - 1].count(mark) == lines[comments].count(mark):  # "#id;name" names columns
        comments -= 1
    content = content[sum(len(line) + 1 for line in lines[:comments]) :]
    if not content.partition(NEWLINE)[0].strip():
        raise DataError(f"{reference} is empty or begins with an empty line", "the first line must name the columns")
    return Csv(
        reference,
        content,
        delimiter,
        ("", *(MISSING if options.missing is None else options.missing)),
        skipped + comments,
    )


def _check_header(file: Csv, options: Data) -> None:
    """Raises DataError for a first line that is not text, or has numbers instead of names."""
    try:
        file.content.partition(NEWLINE)[0].decode()
    except UnicodeDecodeError:
        raise DataError(
            f"{file.reference} is not UTF-8 in its first line, the names of the columns", SAY_ENCODING
        ) from None
    names = file.names
    if options.target not in names and names and all(VALUE.fullmatch(name) for name in names):
        raise DataError(
            f"line {file.skipped + 1} of {file.reference} holds numbers, not the names of the columns",
            "put a line with the names before it, such as a,b,y",
        )


def _check_units(table: pa.Table, file: Csv, options: Data) -> None:
    """Raises DataError for a second line with units or names."""
    first = [name for name in table.column_names if name not in options.categorical and _does_first_differ(table[name])]
    values = [one[0] for one in table.columns if len(one) and one[0].is_valid]
    if first and all(pa.types.is_string(one.type) and not VALUE.fullmatch(one.as_py()) for one in values):
        raise DataError(
            f"line {file.skipped + 2} of {file.reference} has texts where all other lines have numbers, in "
            f"{list_names(first)}; are they units, or a second line of names?",
            "remove that line; write a missing value as an empty field or NA",
        )


def _does_first_differ(column: pa.ChunkedArray) -> bool:
    """Returns whether it is text only because of its first value."""
    if not pa.types.is_string(column.type) or len(column) < 3 or not column[0].is_valid:
        return False
    rest = column[1:].drop_null()
    if not len(rest) or not VALUE.fullmatch(rest[0].as_py()) or VALUE.fullmatch(column[0].as_py()):
        return False
    return bool(pc.all(pc.match_substring_regex(rest, encoding.NUMBER)).as_py())


def _check_whole(table: pa.Table, file: Csv, options: Data) -> None:
    """Raises DataError for whole numbers beyond INT64, which Arrow reads as FP64 and so changes."""
    large = [
        name
        for name in table.column_names
        if name not in options.categorical
        and pa.types.is_float64(table[name].type)
        and (pc.max(pc.abs(table[name])).as_py() or 0) >= BEYOND_INT64
    ]
    if not large:
        return
    texts = _parse(file, large, only=large)
    for name in large:
        wrong = pc.indices_nonzero(pc.fill_null(pc.match_substring_regex(texts[name], MANY_DIGITS), False))
        if len(wrong):
            raise DataError(
                f"{file.reference} has {len(wrong):,} whole numbers of 19 digits or more in the column {name!r}, "
                f"beyond INT64, the first in row {wrong[0].as_py() + 1:,} below the names",
                "name the column in data.categorical if they are names, or write them like 1.5e20 if they are "
                "quantities",
            )


def _keep_codes(table: pa.Table, file: Csv, options: Data) -> pa.Table:
    """Keeps categories that are not plain whole numbers as written: 01067 is not 1067, 1.10 is not 1.1."""
    read = [one for one in options.categorical if one in table.column_names and not pa.types.is_string(table[one].type)]
    if not read:
        return table
    texts = _parse(file, read, only=read)
    for name in read:
        if not _is_whole(table[name]) or pc.any(pc.match_substring_regex(texts[name], LEADING_ZERO)).as_py():
            table = table.set_column(table.column_names.index(name), name, pc.utf8_trim_whitespace(texts[name]))
    return table


def _is_whole(column: pa.ChunkedArray) -> bool:
    """Returns whether all are whole, including 1.0 and 2.0, as pandas writes a column with missing values."""
    if not pa.types.is_floating(column.type):
        return bool(pa.types.is_integer(column.type) or pa.types.is_null(column.type))
    known = column.drop_null()
    return bool(pc.all(pc.and_(pc.equal(pc.floor(known), known), pc.less(pc.abs(known), 2.0**53))).as_py())


@dataclass(frozen=True)
class ParquetGroups:
    """A Parquet file that is read in row groups, possibly for hours, as long as it does not change."""

    reference: str
    folder: Path
    file: pyarrow.parquet.ParquetFile
    stamp: sources.Stamp

    @property
    def group_bytes(self) -> list[int]:
        """Size of each row group in memory, in bytes."""
        metadata = self.file.metadata
        return [metadata.row_group(at).total_byte_size for at in range(metadata.num_row_groups)]

    def read(self, group: int, names: Sequence[str]) -> pa.Table:
        """Reads these columns of a row group. Raises DataError."""
        if sources.stamp(self.reference, self.folder) != self.stamp:
            raise DataError(f"{self.reference} changed while it was read", "do not change the file during a run")
        try:
            return self.file.read_row_group(group, columns=list(names))
        except MemoryError:
            raise
        except Exception as error:  # of pyarrow, the system, or fsspec's library for the URL
            raise DataError(
                f"row group {group} (counted from 0) of {self.reference} cannot be read: "
                f"{without_parts_of(self.reference, _read_line(error))}",
                "write the file again",
            ) from error


def open_parquet(reference: str, folder: Path) -> ParquetGroups:
    """Opens the file and reads only its footer. Raises DataError."""
    stamp = sources.stamp(reference, folder)
    stream: IO[bytes] | str = (
        sources.open_url(reference) if sources.is_url(reference) else str(folder / Path(reference).expanduser())
    )
    try:
        file = pyarrow.parquet.ParquetFile(stream)
    except (pa.ArrowException, OSError) as error:
        said = without_parts_of(reference, _read_line(error))
        raise DataError(f"{reference} is not a complete Parquet file: {said}", "write the file again") from None
    _check_names(reference, file.schema_arrow.names)
    return ParquetGroups(reference, folder, file, stamp)


@contextlib.contextmanager
def refuse_unreadable(reference: str) -> Iterator[None]:
    """Raises Arrow's errors about values as DataError."""
    try:
        yield
    except (pa.ArrowException, OSError) as error:
        said = without_parts_of(reference, _read_line(error))
        raise DataError(f"{reference} cannot be read as Parquet: {said}", "write the file again") from None


def read_csv_names(reference: str, head: bytes, options: Data) -> list[str] | None:
    """Returns the names of the columns from the first bytes of a file, or None if they do not suffice. Raises
    DataError.
    """
    if head.startswith(GZIP):
        try:
            head = zlib.decompressobj(zlib.MAX_WBITS | 16).decompress(head, SOME_BYTES)
        except zlib.error:
            return None
    name = options.encoding or UTF_8
    if name != UTF_8:
        try:
            head = codecs.getincrementaldecoder(name)().decode(head).encode()  # its last character may be cut off
        except UnicodeError:
            _decode_to_utf_8(reference, head, name)
    file = _open(reference, _decode_to_utf_8(reference, head, UTF_8), options)
    line, newline, _ = file.content.partition(NEWLINE)
    if not newline or line.count(b'"') % 2:  # it continues in the next line
        return None
    _check_header(file, options)
    _check_names(reference, file.names)
    return file.names


def count_csv_rows(reference: str, content: bytes, options: Data) -> int:
    """Counts the rows of a file without reading a value. Raises DataError."""
    file = _open(reference, _decode_to_utf_8(reference, content, options.encoding or UTF_8), options)
    first = file.names[:1]
    return int(_parse(file, first, only=first).num_rows)


def _parse(file: Csv, as_text: list[str], only: Sequence[str] = ()) -> pa.Table:
    """Parses all columns, or `only` some. Mixed ones are read again as text, so that encoding.py can report them."""
    try:
        return pyarrow.csv.read_csv(
            io.BytesIO(file.content),
            read_options=pyarrow.csv.ReadOptions(use_threads=False, block_size=BLOCK_BYTES),  # errors name lines
            parse_options=pyarrow.csv.ParseOptions(delimiter=file.delimiter, newlines_in_values=True),
            convert_options=pyarrow.csv.ConvertOptions(
                null_values=list(file.missing),
                strings_can_be_null=True,
                column_types=dict.fromkeys(as_text, pa.string()),
                include_columns=list(only),
            ),
        )
    except (pa.ArrowException, UnicodeDecodeError) as error:
        said = _read_line(error)
        column = re.search(r"CSV column #(\d+)", said)
        if column is not None and "conversion error" in said:
            if "invalid UTF8" in said:
                raise DataError(f"{file.reference} is not UTF-8 in column {int(column[1]) + 1}", SAY_ENCODING) from None
            name = file.names[int(column[1])]
            if name not in as_text:
                return _parse(file, [*as_text, name], only)
        fields = re.search(r"(?:Row #(\d+): )?Expected (\d+) columns, got (\d+)", said)
        if fields is not None:
            place = f"line {int(fields[1]) + file.skipped}" if fields[1] else "a line"
            raise DataError(
                f"{file.reference}: {place} has {fields[3]} fields, the line of names has {fields[2]} (split at "
                f"{file.delimiter!r})",
                "correct the line, or set data.delimiter",
            ) from None
        raise DataError(
            f"{file.reference} cannot be read as CSV: {said.partition(':')[0]}", "check that the file is CSV"
        ) from None


def _find_delimiter(reference: str, first_line: bytes) -> str:
    """Chooses by the file's name, or the candidate that is most frequent in the first line."""
    if ".tsv" in reference.lower():
        return "\t"
    line = first_line.decode(errors="replace")
    return max(DELIMITERS, key=line.count)


def _decompress(reference: str, content: bytes, largest: int) -> bytes:
    try:
        with gzip.open(io.BytesIO(content)) as stream:
            plain = stream.read(largest + 1)
    except (OSError, EOFError) as error:
        raise DataError(f"{reference} is not a complete gzip file: {error}", "write the file again") from None
    if len(plain) > largest:
        raise DataError(
            f"{reference} exceeds data.memoryBytes, {largest:,} bytes, when unpacked", sources.WAY_TO_PARQUET
        )
    return plain


def _check_names(reference: str, names: Sequence[str]) -> None:
    for name, count in Counter(names).items():
        if count > 1:
            raise DataError(f"{reference} has two columns named {name!r}", "rename one of them")


def _read_line(error: BaseException) -> str:
    return str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
