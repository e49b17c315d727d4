"""Which plugins are stood in for, and how the stand-ins are started."""

import io
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from bootstrap.console import Step
from bootstrap.context import Context
from bootstrap.steps import plugins
from bootstrap.system import network

Program = Callable[[str, str], Path]
NO_PLUGINS = 'case "$1 $2" in "plugin ls") echo "[]" ;; *) exit 1 ;; esac'
OFFICIAL = """
case "$1 $2" in "plugin ls")
  echo '[{"name": "docker", "version": "5.2.0"}, {"name": "kubernetes", "version": "v4.34.2"}]' ;;
version*) echo v3.259.0 ;; esac
"""


# Answers as a plugin of the version in its name.
FAKE = """
import grpc, sys, time
from concurrent import futures
from pulumi.runtime.proto import plugin_pb2
server = grpc.server(futures.ThreadPoolExecutor(1))
answer = grpc.unary_unary_rpc_method_handler(
    lambda *_: plugin_pb2.PluginInfo(version=sys.argv[1]), response_serializer=plugin_pb2.PluginInfo.SerializeToString)
for service in ("pulumirpc.ResourceProvider", "pulumirpc.LanguageRuntime"):
    server.add_generic_rpc_handlers([grpc.method_handlers_generic_handler(service, {"GetPluginInfo": answer})])
port = server.add_insecure_port("127.0.0.1:0")
server.start()
print(port, flush=True)
time.sleep(60)
"""


@pytest.fixture
def on_path(context: Context, program: Program, tmp_path: Path) -> Callable[[str, str], Path]:
    """Puts a plugin that says this version on PATH: on_path(name, version)."""
    (tmp_path / "fake.py").write_text(FAKE)
    context.layout.python.parent.mkdir(parents=True)
    context.layout.python.write_text(f'#!/bin/sh\nexec {sys.executable} "$@"\n')
    context.layout.python.chmod(0o755)
    return lambda name, version: program(f"pulumi-{name}", f"exec {sys.executable} {tmp_path / 'fake.py'} {version}")


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


def test_with_official_ones_there_is_no_stand_in(
    context: Context, step: Step, program: Program, on_path: Program
) -> None:
    program("pulumi", OFFICIAL)
    on_path("language-python", "v3.259.0")

    plugins.ensure(context, step)

    assert list(context.layout.stand_ins.iterdir()) == []
    assert not context.facts.stand_ins
    assert step.result == "official"


def test_another_version_on_path_is_used_and_not_called_official_without_saying_so(
    context: Context, step: Step, program: Program, on_path: Program, terminal: io.StringIO
) -> None:
    """The CLI takes what is on PATH whatever its version."""
    program("pulumi", OFFICIAL)
    on_path("language-python", "3.259.0")
    kubernetes = on_path("resource-kubernetes", "4.32.0")
    on_path("resource-docker", "5.3.0")

    plugins.ensure(context, step)

    assert step.result == "official, docker 5.3.0 instead of 5.2.0, kubernetes 4.32.0 instead of 4.34.2"
    assert f"warning: {kubernetes} is version 4.32.0; the stack was tested with 4.34.2\n" in terminal.getvalue()
    assert not context.facts.stand_ins


@pytest.mark.parametrize(
    ("version", "said"),
    [
        ("4.9.0", "is version 4.9.0"),
        ("5.1.0", "is version 5.1.0"),
        ("5.1.12-alpha.1", "is version 5.1.12-alpha.1"),
        ("6.0.0", "is version 6.0.0"),
        ("dev", "is version dev"),
        ("", "does not answer as a plugin"),
    ],
)
def test_what_does_not_fit_on_path_is_stood_in_for(
    context: Context, step: Step, program: Program, on_path: Program, terminal: io.StringIO, version: str, said: str
) -> None:
    """Another major version has other resources than the SDK, and below 5.2.0 a container's uploads have no owner: `up`
    would fail when the model is trained. The stand-in comes first on PATH.
    """
    program("pulumi", OFFICIAL)
    on_path("language-python", "3.259.0")
    docker = on_path("resource-docker", version) if version else program("pulumi-resource-docker", "exit 1")

    plugins.ensure(context, step)

    assert [path.name for path in context.layout.stand_ins.iterdir()] == ["pulumi-resource-docker"]
    assert step.result == "stand-ins for docker: the plugins on PATH do not fit"
    told = terminal.getvalue()
    assert f"warning: {docker} {said}; docker 5.2.0 or newer is needed, so a stand-in is used instead\n" in told
    assert f"remove {docker} from PATH and run `pulumi plugin install resource docker 5.2.0`" in told


def test_a_stand_in_goes_when_the_official_one_has_come(context: Context, step: Step, program: Program) -> None:
    program("pulumi", NO_PLUGINS)
    plugins.ensure(context, step)
    program("pulumi", OFFICIAL)

    plugins.ensure(context, step)

    assert [path.name for path in context.layout.stand_ins.iterdir()] == ["pulumi-language-python"]


def test_a_plugin_of_another_version_is_not_the_official_one(
    context: Context, step: Step, program: Program, on_path: Program
) -> None:
    """The SDK in requirements.lock speaks to its own version."""
    program("pulumi", OFFICIAL.replace("5.2.0", "4.0.0"))
    on_path("language-python", "3.259.0")

    plugins.ensure(context, step)

    assert [path.name for path in context.layout.stand_ins.iterdir()] == ["pulumi-resource-docker"]


def test_a_stand_in_runs_our_python_where_the_engine_started_it(
    context: Context, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With its arguments as they are, and this checkout's code."""
    monkeypatch.delenv("PYTHONPATH", raising=False)  # a stand-in keeps what is there behind its own
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
    requirements = (Path(__file__).resolve().parents[4] / "requirements.txt").read_text()

    for _, kind, name, version, *_ in plugins.PLUGINS:
        assert kind == "language" or f"pulumi-{name}=={version}\n" in requirements
