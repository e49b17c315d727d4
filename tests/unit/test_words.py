"""The project's words: terms in the sense of docs/glossary.md, and plain sentences, wherever a person reads them."""

import ast
import io
import re
import tokenize
from collections.abc import Iterator
from pathlib import Path

import pytest

from sealift.rooms import PACKAGES
from tests.descriptions import described
from tests.documented import PAGES, PROJECT_ROOT

INSTEAD = {
    r"master key|root key": "store key",
    r"decryption key|unsealing key": "opening key",
    r"backup key|emergency key": "recovery key",
    r"session key": "run key, or data key",
    r"(?:api|access) secret|api token": "API key",
    r"test (?:set|rows)|hold-?out (?:set|rows)|evaluation (?:set|rows)": "held-out rows",
    r"dev(?:elopment)? set|validation set": "validation rows",
    r"ground truth|label column": "target column",
    r"encrypted model file|sealed file|model bundle": "artifact",
    r"header file of the artifact|envelope": "manifest",
    r"job identity|identity of a run": "run identity",
    r"quality gate(?!s? that the model)": "gate",
    r"back-?end of the stack": "target",
    r"who(?:ever)? asks|asker|the one who asks": "client",
    r"anew": "again",
    r"for ever": "indefinitely",
    r"(?-i:(?:is|are) none)(?! of)": "a plain negation: 'is not a …'",
    r"(?:is|are) told": "gets, or sees",
    r"has it not|have it not": "a plain negation: 'does not have it'",
    r"as is the next|as are the next": "a sentence that stands alone",
    r"which there is none of|what it is of": "a plain main clause",
    r"so many (?:as|times)": "a number",
    r"to the letter": "exactly",
}
"""Patterns of words that are not used, and what stands for them."""
NOT_USED = re.compile(r"\b(?:" + "|".join(f"(?:{one})" for one in INSTEAD) + r")\b", re.IGNORECASE)
OTHER_FILES = sorted(
    path
    for pattern in (
        "sealift/serving/page/page.*", "docs/observability/*", ".github/**/*.*", "Pulumi*.yaml",
        "examples/*/Pulumi*.yaml", "Makefile", "pyproject.toml",
    )
    for path in PROJECT_ROOT.glob(pattern) if path.is_file()
)  # fmt: skip
"""Files with texts or comments that are neither pages nor modules."""
MODULES = [
    PROJECT_ROOT / "__main__.py",
    *sorted(one for of in (*PACKAGES, "benchmarks", "docs", "examples") for one in (PROJECT_ROOT / of).rglob("*.py")),
]
MARK = re.compile(r"^(?:#+:?|//+|/\*+|\*(?!\*)|<!--|>) ?")
"""Start of a line of a comment, a heading or a quotation."""


def paragraphs(text: str) -> Iterator[tuple[int, str]]:
    """Lines up to an empty one as one text, without the marks of comments, and its first line's number."""
    first, found = 0, list[str]()
    for number, line in enumerate([*text.splitlines(), ""], 1):
        if words := MARK.sub("", line.strip()).split():
            first = first if found else number
            found += words
        elif found:
            yield first, " ".join(found)
            found = []


def comments(source: str) -> Iterator[tuple[int, str]]:
    """Comments of a module. Those of adjacent lines are one text."""
    lines = source.splitlines()
    first, last, found = 0, 0, ""
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        if token.type != tokenize.COMMENT:
            continue
        line, text = token.start[0], token.string.lstrip("#: ")
        if found and line == last + 1 and lines[line - 1].lstrip().startswith("#"):
            last, found = line, f"{found} {text}"
            continue
        if found:
            yield first, found
        first, last, found = line, line, text
    if found:
        yield first, found


def prose(source: str) -> Iterator[tuple[int, str]]:
    """Texts and comments of a module, with their lines."""
    yield from comments(source)
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and " " in node.value:
            yield node.lineno, " ".join(node.value.split())


@pytest.mark.parametrize("path", [*PAGES, *OTHER_FILES], ids=lambda path: str(path.relative_to(PROJECT_ROOT)))
def test_a_page_or_file_uses_the_glossary_s_words(path: Path) -> None:
    found = [
        f"{number}: {match[0]}" for number, text in paragraphs(path.read_text()) for match in NOT_USED.finditer(text)
    ]

    assert found == []


def test_texts_and_comments_of_the_code_use_the_glossary_s_words() -> None:
    found = [
        f"{path.relative_to(PROJECT_ROOT)}:{number}: {match[0]}"
        for path in MODULES
        for number, text in prose(path.read_text())
        for match in NOT_USED.finditer(text)
    ]

    assert found == []


def test_descriptions_use_the_glossary_s_words() -> None:
    assert [f"{thing}: {match[0]}" for thing, text in described() for match in NOT_USED.finditer(text)] == []


def test_the_glossary_explains_each_term_once() -> None:
    terms = [
        term
        for line in (PROJECT_ROOT / "docs" / "glossary.md").read_text().splitlines() if line.startswith("| **")
        for term in re.findall(r"\*\*([^*]+)\*\*", line.split("|")[1])
    ]  # fmt: skip

    assert len(terms) > 40
    assert sorted(terms) == sorted(set(terms))


@pytest.mark.parametrize("word", ["the master key", "train it anew", "whoever asks the model", "it is none"])
def test_a_word_that_is_not_used_is_found(word: str) -> None:
    assert NOT_USED.search(word)


def test_other_files_of_each_kind_are_read() -> None:
    assert {".js", ".html", ".css", ".yaml", ".yml", ".json", ".md", ".toml", ""} <= {one.suffix for one in OTHER_FILES}


@pytest.mark.parametrize(
    "text", ["the master\nkey", "# the master\n# key", "  // the master\n  // key", "> master\n> key"]
)
def test_words_on_two_lines_are_found(text: str) -> None:
    assert [number for number, one in paragraphs(text) if NOT_USED.search(one)] == [1]


@pytest.mark.parametrize(
    ("source", "line"),
    [
        ("x = 1\n# the master\n# key\n", 2), ("x = 1  # the master\n# key\n", 1),
        ('"""The master\n    key."""\n', 1), ('x = f"{1} the master" " key"\n', 1),
    ],
)  # fmt: skip
def test_words_on_two_lines_of_a_module_are_found(source: str, line: int) -> None:
    assert [number for number, one in prose(source) if NOT_USED.search(one)] == [line]


def test_comments_beside_code_are_texts_of_their_own() -> None:
    assert [text for _, text in comments("x = 1  # the master\ny = 2  # key\n")] == ["the master", "key"]
