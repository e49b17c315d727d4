"""The generated pages of commands, outputs and metrics name everything that exists."""

import ast
import json
import re

import pytest

from docs import commands_page, metrics_page, outputs_page
from docs.package_schema import package_schema
from tests.descriptions import COMMANDS, _options
from tests.documented import PROJECT_ROOT

MAKEFILE = (PROJECT_ROOT / "Makefile").read_text()
OF_USERS = [name for name in COMMANDS if not name.startswith("python -m benchmarks")]


def part(page: str, heading: str) -> str:
    """A page's text below a heading."""
    return re.split(r"^## ", page.partition(f"\n## {heading}\n")[2], maxsplit=1, flags=re.MULTILINE)[0]


def test_every_target_and_variable_of_make_is_named() -> None:
    section = part(commands_page.page(), "make")
    (targets,) = re.findall(r"^\.PHONY: (.*)$", MAKEFILE, re.MULTILINE)
    exported = re.findall(r"^export (.*)$", MAKEFILE, re.MULTILINE)
    variables = {*re.findall(r"\$\(([A-Z]+)\)", MAKEFILE), *" ".join(exported).split()}

    assert {*re.findall(r"`make ([a-z]+)` \|", section)} == {*targets.split()} - {"help"}
    assert variables <= {*re.findall(r"`([A-Z_]+)(?:=[^`]*)?`", section)}


@pytest.mark.parametrize("command", OF_USERS)
def test_every_option_is_named_with_its_meaning(command: str) -> None:
    section = part(commands_page.page(), command)
    found = list(_options(command, COMMANDS[command]))

    assert section
    assert found or command == "sealift", "whose subcommand's options stand under another heading"
    for name, meaning in found:
        option, start = name.split()[-1], re.split(r"[|`(]", " ".join(meaning.split()))[0][1:].rstrip(". ")
        assert option in section or "bootstrap" in name, name
        assert start in section, f"{name}: {start}"


def test_the_environment_changes_no_page(monkeypatch: pytest.MonkeyPatch) -> None:
    page = commands_page.page()
    monkeypatch.setenv("STACK", "mine")
    monkeypatch.setenv("COLUMNS", "40")

    assert commands_page.page() == page


def test_every_output_of_the_stack_and_of_each_resource_is_named() -> None:
    page, resources = outputs_page.page(), json.loads(package_schema())["resources"]
    exported = {
        node.args[0].value
        for node in ast.walk(ast.parse((PROJECT_ROOT / "__main__.py").read_text()))
        if isinstance(node, ast.Call) and ast.unparse(node.func) == "pulumi.export"
        and isinstance(node.args[0], ast.Constant)
    }  # fmt: skip

    assert {*re.findall(r"^\| `(\w+)`", part(page, "Stack"), re.MULTILINE)} == exported
    for token, one in resources.items():
        name = token.rpartition(":")[2]
        kept = set() if one["isComponent"] else {*one["inputProperties"]}
        assert {*re.findall(r"^\| `(\w+)`", part(page, name), re.MULTILINE)} == {*one["properties"]} - kept


def test_each_metric_is_in_one_part_with_its_type_and_labels() -> None:
    page, found = metrics_page.page(), metrics_page.all_families()

    shown = re.findall(r"^\| `(\w+)`<br>(\w+) \|", page, re.MULTILINE)
    assert sorted(shown) == sorted((one.name, one.kind) for one in found)
    assert metrics_page.REMARKS.keys() <= {one.name for one in found}
    assert [one.name for one in found if not one.samples] == []
    assert "`sealift_requests_total`<br>counter | Requests answered" in page
    assert "Labels: `route`, `code`." in page
