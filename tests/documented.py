"""What the documents say to type: lines of their code blocks, and code within their text, as single commands."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

PROJECT_ROOT: Final = Path(__file__).resolve().parents[1]
REFERENCE: Final = PROJECT_ROOT / "docs" / "reference"
GENERATED: Final = [
    *sorted((REFERENCE / "settings").glob("*.md")),
    *(REFERENCE / f"{name}.md" for name in ("commands", "metrics", "outputs")),
]
"""Pages whose commands are examples, which tests/unit/test_settings_by_task.py reads, or are only named."""
DOCUMENTS: Final = [
    PROJECT_ROOT / "README.md",
    PROJECT_ROOT / "CONTRIBUTING.md",
    *sorted({*(PROJECT_ROOT / "docs").rglob("*.md")} - {*GENERATED}),
    *sorted((PROJECT_ROOT / "examples").glob("*/README.md")),
]
PAGES: Final = [*DOCUMENTS, *GENERATED, PROJECT_ROOT / "SECURITY.md", PROJECT_ROOT / "CHANGELOG.md"]
"""All pages: those with commands to type, and those that are only read."""
PROGRAMS: Final = ("make", "pulumi", "python", "python3", "kubectl", "docker", "source")
OTHERS: Final = ("curl", "openssl", "pip", "(umask", "for", "cp", "git")
"""What a line that a shell is to read may begin with besides."""
INDENT: Final = "    "
SPAN: Final = re.compile(r"`([^`\n]+)`")
COMMENT: Final = re.compile(r"\s+#\s.*$")


@dataclass(frozen=True)
class Block:
    """Indented lines of a document that stand together."""

    document: str
    section: str
    lines: tuple[str, ...]

    @property
    def first(self) -> str:
        """By it a block is called."""
        return self.lines[0]

    @property
    def is_typed(self) -> bool:
        return is_command(self.first)

    def commands(self) -> list[str]:
        """As a shell reads them: whole where they go over several lines, without comments. After a line that begins
        with "$ " stands what it prints.
        """
        if self.first.startswith("$ "):
            return [self.first.removeprefix("$ ")]
        joined = re.sub(r" *\\\n +", " ", "\n".join(self.lines))
        return [COMMENT.sub("", line) for line in joined.splitlines()]


def is_command(line: str) -> bool:
    words = line.removeprefix("$ ").split()
    return bool(words) and words[0] in (*PROGRAMS, *OTHERS)


def name(document: Path) -> str:
    return str(document.relative_to(PROJECT_ROOT))


def blocks(document: Path) -> list[Block]:
    found: list[Block] = []
    section, lines = "", list[str]()
    for line in [*document.read_text().splitlines(), "end"]:
        if line.startswith(INDENT) or (not line and lines):
            lines.append(line.removeprefix(INDENT))
            continue
        if lines:
            found += _parts(name(document), section, lines)
        section, lines = (line.lstrip("# ") if line.startswith("#") else section), []
    return found


def _parts(document: str, section: str, lines: list[str]) -> Iterator[Block]:
    """Commands after an empty line are a block of their own, and so is what follows them; a program's empty lines are
    part of it.
    """
    part: list[str] = []
    for line in [*lines, ""]:
        starts = part and not part[-1] and (is_command(line) or is_command(part[0]))
        if starts:
            yield Block(document, section, tuple("\n".join(part).rstrip().splitlines()))
            part = []
        part.append(line)
    if whole := "\n".join(part).rstrip():
        yield Block(document, section, tuple(whole.splitlines()))


def block(document: str, first: str) -> Block:
    """The block that begins so."""
    return next(one for one in blocks(PROJECT_ROOT / document) if one.first.startswith(first))


def spans(document: Path) -> list[str]:
    """Code within the text."""
    return SPAN.findall("\n".join(line for line in document.read_text().splitlines() if not line.startswith(INDENT)))


def mentioned(document: Path) -> list[str]:
    """Commands within the text, each once; a program's name alone is none."""
    return list(dict.fromkeys(one for one in spans(document) if is_command(one) and len(one.split()) > 1))


def commands(*programs: str) -> list[str]:
    """Each command of these programs once, in the documents' order, without comments and what stands beside it."""
    found = [one for document in DOCUMENTS for one in _commands(document)]
    return list(dict.fromkeys(one for one in found if one.split()[0] in programs))


def _commands(document: Path) -> Iterator[str]:
    typed = (line for one in blocks(document) if one.is_typed for line in one.commands())
    for line in (*typed, *spans(document)):
        for part in re.split(r"&&|[|;]", COMMENT.sub("", line)):
            one = part.strip().rstrip(")") if "$(" not in part else part.strip()
            if one.split()[:1] and one.split()[0] in PROGRAMS:
                yield one
