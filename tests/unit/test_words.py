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
from tests.documented import DOCUMENTS, GENERATED, PROJECT_ROOT

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
PAGES = [*DOCUMENTS, *GENERATED, PROJECT_ROOT / "SECURITY.md", PROJECT_ROOT / "CHANGELOG.md"]
MODULES = sorted(one for package in PACKAGES for one in (PROJECT_ROOT / package).rglob("*.py"))


def prose(source: str) -> Iterator[tuple[int, str]]:
    """Texts and comments of a module, with their lines."""
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        if token.type == tokenize.COMMENT:
            yield token.start[0], token.string
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and " " in node.value:
            yield node.lineno, " ".join(node.value.split())


@pytest.mark.parametrize("path", PAGES, ids=lambda path: str(path.relative_to(PROJECT_ROOT)))
def test_a_page_uses_the_glossary_s_words(path: Path) -> None:
    found = [
        f"{number}: {match[0]}"
        for number, line in enumerate(path.read_text().splitlines(), 1)
        for match in NOT_USED.finditer(line)
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
