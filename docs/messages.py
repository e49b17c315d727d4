"""Every text that the code holds for people, in one file, so that a review shows each change of wording.

A text is a string literal of at least three words that is not a docstring: messages, hints, log lines, help texts and
descriptions. Values are shown by their expressions, as `{name}`.
"""

import ast
import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Final

HEAD: Final = """\
Every text of at least three words that the code shows to people: messages, hints, log lines, help texts, descriptions.
Written by `make docs` from the code (docs/messages.py). {NAME} stands for a value.
"""
WORDS: Final = re.compile(r"[A-Za-z][\w'’-]*[,;:.]?(?:\s+\S+)*?\s+[A-Za-z][\w'’-]*[,;:.]?(?:\s+\S+)*?\s+[A-Za-z]")
"""At least three words with white space between them."""
PLACEHOLDER: Final = re.compile(r"\{[^{}]*(?:\{[^{}]*\}[^{}]*)*\}")
NO_TEXT: Final = re.compile(
    r"^\s*(?:[<{(\\^#.]|/[^ ]*$|\[[^\]]*\]?$)|\\[sSdwb(]|^(?:SELECT|import|from|repeated|-[Am]) "
)
"""Texts that are not for people: markup, patterns and programs."""
PAGE_TEXT: Final = {
    ".html": re.compile(r">([^<>]+)<"),
    ".js": re.compile(r'"((?:[^"\\\n]|\\.)*)"|`((?:[^`\\]|\\.)*)`'),
}
"""Texts of the server's page, by the kind of file."""


def messages(root: Path, packages: Iterable[str]) -> str:
    """Returns the file's content, by module and line."""
    parts = [HEAD]
    suffixes = {".py", *PAGE_TEXT}
    files = [path for package in packages for path in sorted((root / package).rglob("*")) if path.suffix in suffixes]
    for path in files:
        found = list(dict.fromkeys(texts(path.read_text()) if path.suffix == ".py" else page_texts(path)))
        if found:
            parts += [f"\n== {path.relative_to(root)}\n", *(f"{one}\n" for one in found)]
    return "".join(parts)


def page_texts(path: Path) -> Iterator[str]:
    """Yields the texts of the server's page: between tags, or literals of its program."""
    for match in PAGE_TEXT[path.suffix].finditer(path.read_text()):
        text = _one_line(next(found for found in match.groups() if found is not None))
        if _is_for_people(text):
            yield text


def texts(source: str) -> Iterator[str]:
    """Yields the texts of one module, in the order of its lines."""
    tree = ast.parse(source)
    inside: set[int] = set()
    found: list[tuple[int, int, str]] = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
            inside.add(id(node.value))
        if isinstance(node, ast.JoinedStr):
            inside |= {id(part) for part in ast.walk(node) if part is not node and isinstance(part, ast.Constant)}
        if id(node) not in inside and (text := _text(node)) is not None and _is_for_people(text):
            found.append((node.lineno, node.col_offset, text))  # type: ignore[attr-defined]  # an expression has both
    yield from (text for _, _, text in sorted(found))


def _text(node: ast.AST) -> str | None:
    """Returns a string literal as one line, and None for any other node."""
    match node:
        case ast.Constant(value=str(text)):
            return _one_line(text)
        case ast.JoinedStr(values=values):
            return _one_line("".join(_part(value) for value in values))
    return None


def _part(node: ast.expr) -> str:
    match node:
        case ast.Constant(value=str(text)):
            return text
        case ast.FormattedValue(value=value):
            return "{" + ast.unparse(value) + "}"
    raise AssertionError(f"internal error: {ast.dump(node)} in a formatted text")


def _one_line(text: str) -> str:
    return text.strip().replace("\n", "\\n")


def _is_for_people(text: str) -> bool:
    shown = PLACEHOLDER.sub("VALUE", text)
    return bool(WORDS.search(shown)) and not NO_TEXT.search(shown)
