"""Every `pulumi config set` of the documents, as the command stores it, is taken by the project."""

import json
import re
import shlex
from typing import Any

import pytest

from components.config import parse
from tests.documented import DOCUMENTS, PROJECT_ROOT

COMMAND = re.compile(r"pulumi config set [^#`\n]+")
PLACEHOLDERS = ("SECTION.SETTING", "VALUE", "--secret", "NAME", "$(", "<")
"""What is to be filled in, or read from elsewhere."""
ENVIRONMENT = {"SEALIFT_BASE_IMAGE": "python:3.11-slim@sha256:" + "a" * 64, "SEALIFT_REGISTRY": "localhost:5000"}


def commands() -> list[str]:
    found = [
        one.strip().removesuffix("&& pulumi up").strip()
        for file in DOCUMENTS
        for one in COMMAND.findall(file.read_text())
    ]
    return list(dict.fromkeys(one for one in found if not any(part in one for part in PLACEHOLDERS)))


def stored(value: str) -> object:
    """As `pulumi config set --path` writes a value: whole numbers and truth values as such, all else as text."""
    if value in ("true", "false"):
        return value == "true"
    return int(value) if re.fullmatch(r"-?(0|[1-9]\d*)", value) else value


def config_of(command: str) -> dict[str, Any]:
    """The stack's config after the command, as the engine hands it to a program: objects as JSON."""
    words = shlex.split(command)[3:]
    key, value = [word for word in words if not word.startswith("--")][:2]
    if "--path" not in words:
        return {key: value}
    section, *inner = re.findall(r"[^.\[\]]+", key)
    found: Any = stored(value)
    for name in reversed(inner):
        found = [found] if name.isdigit() else {name: found}
    return {section: json.dumps(found)}


def test_the_documents_have_commands() -> None:
    assert len(commands()) > 20


@pytest.mark.parametrize("command", commands())
def test_what_a_document_says_to_set_is_no_wrong_kind_of_value(command: str) -> None:
    """Alone, a setting may want others beside it; its own value is never what is refused."""
    config = config_of(command)
    if any(":" in key for key in config):
        return  # another provider's
    path = shlex.split(command)[3 + ("--path" in command)]

    _, problems = parse(config, ENVIRONMENT, PROJECT_ROOT)

    depends = path == "training.model"  # training.source says what it names
    assert [str(one) for one in problems if one.property == path and "allowed: " in one.message and not depends] == []
    assert [str(one) for one in problems if "not a section" in one.message or "not a setting" in one.message] == []


@pytest.mark.parametrize("path", ["store.rotation", "deployment.apiKeys.app.rotation"])
def test_a_rotation_may_be_a_year(path: str) -> None:
    section, *inner = path.split(".")

    parsed, problems = parse(config_of(f"pulumi config set --path {path} 2027"), ENVIRONMENT, PROJECT_ROOT)

    assert problems == [] and parsed is not None
    found: Any = getattr(parsed, section)
    for name in inner:
        found = found[name]
    assert found == "2027", "as text, so that nothing differs from a year in quotation marks"
