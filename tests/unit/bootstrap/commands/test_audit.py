"""`make audit` never takes a package that nobody looked up for a safe one. The texts are pip-audit 2.10.1's own."""

import json

import pytest

from bootstrap.commands.audit import CLEAN, LOCKS, NOT_LOOKED_UP, VULNERABLE, Found, read_answer, status_of
from tests.documented import PROJECT_ROOT

SKIPPED = {"name": "cffi", "skip_reason": "Dependency not found on PyPI and could not be audited: cffi (2.1.1)"}
SAFE = {"name": "idna", "version": "3.11", "vulns": []}
KNOWN = {
    "name": "urllib3", "version": "1.26.0",
    "vulns": [{"id": "PYSEC-2021-108", "fix_versions": ["1.26.5"], "aliases": [], "description": "…"}],
}  # fmt: skip


def answer(*packages: object) -> Found | None:
    return read_answer(json.dumps({"dependencies": packages, "fixes": []}))


@pytest.mark.parametrize(
    ("packages", "status"),
    [
        ([SAFE], CLEAN), ([SAFE, KNOWN], VULNERABLE), ([SKIPPED], NOT_LOOKED_UP), ([SAFE, SKIPPED], NOT_LOOKED_UP),
        ([KNOWN, SKIPPED], VULNERABLE), ([], NOT_LOOKED_UP),
    ],
)  # fmt: skip
def test_only_packages_that_were_looked_up_are_safe(packages: list[object], status: int) -> None:
    assert status_of([answer(SAFE), answer(*packages)]) == status


@pytest.mark.parametrize("text", ["", "Traceback", "[]", "{}"])
def test_no_answer_is_no_good_answer(text: str) -> None:
    assert read_answer(text) is None
    assert status_of([read_answer(text), answer(SAFE)]) == NOT_LOOKED_UP


def test_a_known_vulnerability_says_where_it_is_fixed() -> None:
    found = answer(SAFE, KNOWN, SKIPPED)

    assert found == Found(("urllib3 1.26.0: PYSEC-2021-108, fixed in 1.26.5",), 2, ("cffi",))


def test_the_locks_are_those_of_the_environment_and_the_image() -> None:
    for lock in LOCKS.values():
        assert "--hash=sha256:" in (PROJECT_ROOT / lock).read_text()
