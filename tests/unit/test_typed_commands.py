"""Each command of the documents is typed by a test, or is in the list of those that are not, with the reason; what the
documents show besides is held by something.
"""

from pathlib import Path
from typing import Any

import pytest
import yaml

from components.config import parse
from tests.documented import DOCUMENTS, PROJECT_ROOT, block, blocks, mentioned, name
from tests.typed_commands import (
    BY_A_PROCESS,
    EXAMPLES,
    IN_EXAMPLES,
    MENTIONED,
    NOT_TYPED,
    SERVES,
    SHOWN,
    TYPED,
    step_of,
)

LINES = [
    (one.document, one.section, line)
    for path in DOCUMENTS
    for one in blocks(path) if one.is_typed
    for line in one.commands()
]  # fmt: skip
LINES_TYPED_HERE = [one for one in LINES if one[0] not in BY_A_PROCESS]


@pytest.mark.parametrize(("document", "section", "line"), LINES_TYPED_HERE)
def test_a_line_of_a_code_block_is_typed_or_has_a_reason(document: str, section: str, line: str) -> None:
    assert step_of(document, section, line) or line == SERVES or line in NOT_TYPED


@pytest.mark.parametrize("path", DOCUMENTS, ids=name)
def test_a_command_in_the_text_is_typed_or_has_a_reason(path: Path) -> None:
    assert [one for one in mentioned(path) if one not in MENTIONED and one not in NOT_TYPED] == []


@pytest.mark.parametrize("path", DOCUMENTS, ids=name)
def test_a_block_that_is_no_command_is_held_by_something(path: Path) -> None:
    shown = [one.first for one in blocks(path) if not one.is_typed]

    assert [one for one in shown if not any(map(one.startswith, SHOWN.get(name(path), {})))] == []


def test_nothing_is_kept_that_no_document_says_any_more() -> None:
    said = {line for _, _, line in LINES} | {one for path in DOCUMENTS for one in mentioned(path)}
    known = [
        (document, section, line)
        for document, of in TYPED.items() for section, steps in of.items() for line in steps
    ]  # fmt: skip

    assert [one for one in known if one not in LINES] == []
    assert [one for one in (*IN_EXAMPLES, *MENTIONED, *NOT_TYPED, SERVES) if one not in said] == []
    for document, begins in SHOWN.items():
        firsts = [one.first for one in blocks(PROJECT_ROOT / document)]
        assert [one for one in begins if not any(first.startswith(one) for first in firsts)] == []


def test_the_config_that_the_reference_shows_is_taken() -> None:
    shown: dict[str, Any] = yaml.safe_load("\n".join(block("docs/reference/configuration.md", "config:").lines))
    sections = {key.removeprefix("sealift:"): value for key, value in shown["config"].items()}

    _, problems = parse(sections, {"SEALIFT_BASE_IMAGE": "python@sha256:" + "a" * 64, "SEALIFT_REGISTRY": "localhost"})

    assert [str(one) for one in problems if one.property != "training.dataset"] == []


@pytest.mark.parametrize("example", EXAMPLES)
def test_an_example_s_page_shows_its_settings(example: str) -> None:
    shown = yaml.safe_load("\n".join(block(f"examples/{example}/README.md", "training:").lines))
    project = yaml.safe_load((PROJECT_ROOT / "examples" / example / "Pulumi.yaml").read_text())

    assert shown["training"] == project["config"]["training"]["value"]


def test_the_page_says_what_prod_and_staging_ask_for() -> None:
    asks = {}
    for stack in ("prod", "staging"):
        own = yaml.safe_load((PROJECT_ROOT / f"Pulumi.{stack}.yaml").read_text())["config"]
        asks[stack] = own["sealift:deployment"]
        assert own["sealift:store"]["retention"] == "keep"
    prod, staging = asks["prod"], asks["staging"]

    assert (
        f"`prod` runs {prod['replicas']} replicas with requests of {prod['cpuRequest']} CPU and "
        f"{prod['memoryRequest']}; "
        f"`staging` runs {staging['replicas']} with {staging['cpuRequest']} and {staging['memoryRequest']}. "
        "Both keep replaced artifacts"
    ) in " ".join((PROJECT_ROOT / "docs" / "how-to" / "production.md").read_text().split())
