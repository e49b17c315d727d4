"""Where a part cannot be had, set-up stops with its name and the ways to get it."""

import io
import os
from collections.abc import Callable
from pathlib import Path

import pytest

from bootstrap.console import Step
from bootstrap.context import Context
from bootstrap.errors import PartMissing
from bootstrap.node import node
from bootstrap.steps import base_image, docker_engine, kubernetes, metrics_server, nginx, prometheus
from bootstrap.system import debian

Program = Callable[[str, str], Path]


@pytest.fixture(autouse=True)
def machine(context: Context, monkeypatch: pytest.MonkeyPatch) -> None:
    """One with nothing on PATH but what a test puts there, worked on by an ordinary user."""
    monkeypatch.setenv("PATH", context.user["PATH"])
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    monkeypatch.setattr(docker_engine, "SOCKET", context.layout.root / "no.sock")
    monkeypatch.setattr(kubernetes, "NEIGHBOUR", context.layout.root / "no.kubeconfig")
    monkeypatch.setattr(Path, "home", lambda: context.layout.root)


def test_no_docker_on_a_machine_that_is_not_debian(context: Context, step: Step) -> None:
    with pytest.raises(PartMissing, match="Docker engine: not found, and this machine does not run Debian") as caught:
        docker_engine.ensure(context, step)

    assert caught.value.ways[0] == "start a Docker engine, or set DOCKER_HOST"


def test_no_docker_and_not_root(context: Context, step: Step, program: Program) -> None:
    program("apt-get", "exit 1")
    program("dpkg-query", '[ "$3" = runc ] && echo installed')

    with pytest.raises(
        PartMissing, match=r"needs the Debian packages docker\.io, containerd, iptables, iproute2, and only root"
    ):
        docker_engine.ensure(context, step)


def test_docker_is_installed_but_does_not_run_and_not_root(context: Context, step: Step, program: Program) -> None:
    program("docker", "exit 1")
    program("dockerd", "exit 1")

    with pytest.raises(PartMissing, match="no engine is running, and only root may start one"):
        docker_engine.ensure(context, step)


def test_a_docker_host_of_the_users_that_is_down_is_named(context: Context, step: Step, program: Program) -> None:
    program("docker", "exit 1")
    context.user = {**context.user, "DOCKER_HOST": "tcp://build.example:2375"}

    with pytest.raises(PartMissing, match=r"DOCKER_HOST=tcp://build\.example:2375 does not answer") as caught:
        docker_engine.ensure(context, step)

    assert "unset DOCKER_HOST" in caught.value.ways


def test_a_running_docker_is_used_and_its_context_followed(context: Context, step: Step, program: Program) -> None:
    """Our other programs know no contexts of the Docker CLI."""
    program("docker", 'case "$1" in version) echo 28.1 ;; context) echo unix:///home/user/docker.sock ;; esac')

    docker_engine.ensure(context, step)

    assert step.result == "28.1, already running"
    assert context.facts.docker_host == "unix:///home/user/docker.sock"


def test_no_cluster_and_not_root(context: Context, step: Step) -> None:
    with pytest.raises(
        PartMissing, match="Kubernetes: no cluster answers, and only root may start a local node"
    ) as caught:
        kubernetes.ensure(context, step)

    assert caught.value.ways == node.WAYS


def test_a_kubeconfig_of_the_users_that_does_not_answer_is_named(context: Context, step: Step, tmp_path: Path) -> None:
    """It is not silently replaced by a local node: the user meant that cluster."""
    file = tmp_path / "users-own"
    context.user = {**context.user, "KUBECONFIG": str(file)}

    with pytest.raises(PartMissing, match=f"KUBECONFIG is '{file}', but this file does not exist"):
        kubernetes.ensure(context, step)
    file.touch()
    with pytest.raises(PartMissing, match=f"the current context of KUBECONFIG={file} does not answer"):
        kubernetes.ensure(context, step)


def test_a_base_image_of_the_users_that_cannot_be_had_is_named(context: Context, step: Step, program: Program) -> None:
    program("docker", "exit 1")
    context.user = {**context.user, "SEALIFT_BASE_IMAGE": "team/python:1"}

    with pytest.raises(
        PartMissing, match="SEALIFT_BASE_IMAGE=team/python:1 is not in the Docker engine and cannot be pulled"
    ):
        base_image.ensure(context, step)


def test_only_missing_packages_are_installed_after_one_update(
    context: Context, step: Step, program: Program, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    debian._updated.cache_clear()
    program("dpkg-query", '[ "$3" = runc ] && echo installed')
    program("apt-get", 'echo "$@" >> "$0.calls"')

    for part in ("one", "two"):
        assert debian.require(part, ["runc", "mmdebstrap"], context.layout, step.progress) == ["mmdebstrap"]

    said = Path(context.user["PATH"], "apt-get.calls").read_text().splitlines()
    install = "install --yes --no-install-recommends -o Dpkg::Use-Pty=0 mmdebstrap"
    assert said == ["update", install, install]
    debian._updated.cache_clear()


def test_no_prometheus_is_said_and_keeps_no_test_from_running(context: Context, terminal: io.StringIO) -> None:
    with context.console.step(prometheus.TITLE) as step:
        prometheus.ensure(context, step)

    assert (
        "tests that need it are skipped (Prometheus: not found, and this machine does not run Debian"
        in terminal.getvalue()
    )


def test_no_nginx_is_said_and_keeps_no_other_test_from_running(
    context: Context, terminal: io.StringIO, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(nginx, "SYSTEM", "/nowhere")
    with context.console.step(nginx.TITLE) as step:
        nginx.ensure(context, step)

    assert (
        "the test that needs it is skipped (nginx: not found, and this machine does not run Debian"
        in terminal.getvalue()
    )


def test_no_metrics_server_is_said_and_keeps_no_other_test_from_running(
    context: Context, terminal: io.StringIO
) -> None:
    module = context.layout.root / "bootstrap" / "metrics_server"
    module.mkdir(parents=True)
    (module / "go.mod").write_text("go 1.26.4\n")
    (module / "go.sum").touch()
    context.learn(kubeconfig=str(context.layout.kubeconfig))

    with context.console.step(metrics_server.TITLE) as step:
        metrics_server.ensure_for_tests(context, step)

    assert "tests that need it are skipped (Metrics server: must be built from source, but Go is not installed)" in (
        terminal.getvalue()
    )


def test_nginx_on_path_is_taken(
    context: Context, step: Step, program: Program, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(nginx, "SYSTEM", "/nowhere")
    program("nginx", "exit 1")

    nginx.ensure(context, step)


def test_prometheus_on_path_is_taken(context: Context, step: Step, program: Program) -> None:
    """No package is asked for: there is no dpkg-query here."""
    for name in prometheus.PROGRAMS:
        program(name, "exit 1")

    prometheus.ensure(context, step)
