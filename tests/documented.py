"""What the documents say to type: lines of their code blocks, and code within their text, as single commands."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Final

PROJECT_ROOT: Final = Path(__file__).resolve().parents[1]
DOCUMENTS: Final = [
    PROJECT_ROOT / "README.md",
    PROJECT_ROOT / "CONTRIBUTING.md",
    *sorted((PROJECT_ROOT / "docs").glob("*.md")),
    *sorted((PROJECT_ROOT / "examples").glob("*/README.md")),
]
PROGRAMS: Final = ("make", "pulumi", "python", "python3", "kubectl", "docker", "source")
BLOCK_LINE: Final = re.compile(r"^ {4}(.+)$", re.MULTILINE)
SPAN: Final = re.compile(r"`([^`\n]+)`")
COMMENT: Final = re.compile(r"\s#\s.*$")


def spans(document: Path) -> list[str]:
    """Code within the text."""
    return SPAN.findall("\n".join(line for line in document.read_text().splitlines() if not line.startswith("    ")))


def commands(*programs: str) -> list[str]:
    """Each command of these programs once, in the documents' order, without comments and what stands beside it."""
    found = [one for document in DOCUMENTS for one in _commands(document)]
    return list(dict.fromkeys(one for one in found if one.split()[0] in programs))


def _commands(document: Path) -> Iterator[str]:
    for line in (*BLOCK_LINE.findall(document.read_text()), *spans(document)):
        for part in re.split(r"&&|[|;]", COMMENT.sub("", line)):
            one = part.strip().removeprefix("$ ").rstrip(")") if "$(" not in part else part.strip()
            if one.split()[:1] and one.split()[0] in PROGRAMS:
                yield one
