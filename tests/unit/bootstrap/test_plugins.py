"""Which plugins are stood in for, and how the stand-ins are started."""

import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from bootstrap import network, plugins
from bootstrap.console import Step
from bootstrap.context import Context

Program = Callable[[str, str], Path]
NO_PLUGINS = 'case "$1 $2" in "plugin ls") echo "[]" ;; *) exit 1 ;; esac'
OFFICIAL = """
case "$1 $2" in "plugin ls")
  echo '[{"name": "docker", "version": "5.2.0"}, {"name": "kubernetes", "version": "v4.34.2"}]' ;;
version*) echo v3.259.0 ;; esac
"""


@pytest.fixture(autouse=True)
def no_network(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(network, "reachable", lambda source: False)


def test_without_official_ones_all_three_are_stood_in_for_and_it_says_so(
    context: Context, step: Step, program: Program
) -> None:
    program("pulumi", NO_PLUGINS)

    plugins.ensure(context, step)

    assert sorted(path.name for path in context.layout.stand_ins.iterdir()) == [
        "pulumi-language-python",
        "pulumi-resource-docker",
        "pulumi-resource-kubernetes",
    ]
    assert context.facts.stand_ins
    assert "stand-ins for python, docker, kubernetes" in step.result


def test_with_official_ones_there_is_no_stand_in(context: Context, step: Step, program: Program) -> None:
    program("pulumi", OFFICIAL)
    program("pulumi-language-python", "")

    plugins.ensure(context, step)

    assert list(context.layout.stand_ins.iterdir()) == []
    assert not context.facts.stand_ins


def test_a_stand_in_goes_when_the_official_one_has_come(context: Context, step: Step, program: Program) -> None:
    program("pulumi", NO_PLUGINS)
    plugins.ensure(context, step)
    program("pulumi", OFFICIAL)

    plugins.ensure(context, step)

    assert [path.name for path in context.layout.stand_ins.iterdir()] == ["pulumi-language-python"]


def test_a_plugin_of_another_version_is_not_the_official_one(context: Context, step: Step, program: Program) -> None:
    """The SDK in requirements.lock speaks to its own version."""
    program("pulumi", OFFICIAL.replace("5.2.0", "4.0.0"))
    program("pulumi-language-python", "")

    plugins.ensure(context, step)

    assert [path.name for path in context.layout.stand_ins.iterdir()] == ["pulumi-resource-docker"]


def test_a_stand_in_runs_our_python_where_the_engine_started_it(context: Context, tmp_path: Path) -> None:
    """With its arguments as they are, and this checkout's code."""
    python = context.layout.python
    python.parent.mkdir(parents=True)
    python.write_text('#!/bin/sh\necho "$PWD|$PYTHONPATH|$#|$*"\n')
    python.chmod(0o755)
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    plugins.write_stand_ins(context, {"pulumi-resource-docker": "airgap.plugins.docker"})

    stand_in = context.layout.stand_ins / "pulumi-resource-docker"
    done = subprocess.run(
        [stand_in, "127.0.0.1:1", "two words"], cwd=elsewhere, capture_output=True, text=True, check=True
    )

    assert done.stdout == f"{elsewhere}|{context.layout.root}|4|-m airgap.plugins.docker 127.0.0.1:1 two words\n"


def test_the_official_versions_are_those_of_the_sdks() -> None:
    requirements = (Path(__file__).resolve().parents[3] / "requirements.txt").read_text()

    for _, kind, name, version, _ in plugins.PLUGINS:
        assert kind == "language" or f"pulumi-{name}=={version} " in requirements
