"""The command line: help, messages without traceback, order of the steps, text of a step's line."""

import ast
import io
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from bootstrap import command_line, content
from bootstrap.commands import check, stacks
from bootstrap.console import Console, Step, duration
from bootstrap.context import Context
from bootstrap.errors import PartMissing, UsageError
from bootstrap.steps import kubernetes, metrics_server, order, python_environment, stack_state
from bootstrap.system import network

REPOSITORY = Path(__file__).resolve().parents[3]


def test_an_old_python_can_read_the_file_that_refuses_it() -> None:
    ast.parse((REPOSITORY / "bootstrap" / "__main__.py").read_text(), feature_version=(3, 4))


def test_help_names_every_command_and_every_variable() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "bootstrap", "--help"], cwd=REPOSITORY, capture_output=True, text=True, check=True
    )

    words = (
        "setup",
        "up",
        "down",
        "test",
        "check",
        "status",
        "STACK",
        "TORCH",
        "STORE",
        "KUBECONFIG",
        "DOCKER_HOST",
        "SEALIFT_REGISTRY",
    )
    assert [word for word in words if not re.search(rf"\b{word}\b", done.stdout)] == []


def test_every_chore_of_the_makefile_is_a_command() -> None:
    makefile = (REPOSITORY / "Makefile").read_text()
    chores = re.search(r"^\.PHONY: help (.*)$", makefile, re.MULTILINE)
    assert chores is not None
    help_text = command_line._parser().format_help()

    assert [chore for chore in chores[1].split() if not re.search(rf"^    {chore} ", help_text, re.MULTILINE)] == []


def test_a_users_mistake_is_a_message_and_the_ways_out(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def fail(context: Context) -> int:
        raise PartMissing("Docker engine", "none is running", ["start one", "set DOCKER_HOST"])

    monkeypatch.setattr(check, "run", fail)

    assert command_line.main(["check"]) == 1

    assert (
        capsys.readouterr().err == "error: Docker engine: none is running\n  hint: start one\n  hint: set DOCKER_HOST\n"
    )


def test_an_interrupt_ends_without_a_traceback(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def interrupted(context: Context) -> int:
        raise KeyboardInterrupt

    monkeypatch.setattr(check, "run", interrupted)

    assert command_line.main(["check"]) == 130
    assert capsys.readouterr().err == "\nstopped; finished work is kept, and the next call continues from here\n"


def test_a_step_stops_the_ones_after_it(
    context: Context, terminal: io.StringIO, monkeypatch: pytest.MonkeyPatch
) -> None:
    ran: list[str] = []

    def good(context: Context, step: Step) -> None:
        ran.append(step.title)
        step.done("fine")

    def bad(context: Context, step: Step) -> None:
        raise PartMissing("B", "not here", [])

    three = (order.SetupStep("A", good), order.SetupStep("B", bad), order.SetupStep("C", good))
    monkeypatch.setattr(order, "SETUP", three)

    with pytest.raises(PartMissing):
        order.run(context)

    assert ran == ["A"]
    lines = terminal.getvalue().splitlines()
    assert [re.sub(r"\s+", " ", line) for line in lines] == ["ok A 0.0 s fine", "no B 0.0 s"]


def test_set_up_says_at_the_start_what_takes_long(context: Context, monkeypatch: pytest.MonkeyPatch) -> None:
    nothing = lambda context, step: step.done("there")  # noqa: E731
    short, long = order.SetupStep("A", nothing), order.SetupStep("B", nothing, lambda context: "5 minutes: it is built")
    monkeypatch.setattr(order, "SETUP", (short, long))

    order.run(context)

    lines = context.console.stream.getvalue().splitlines()  # type: ignore[union-attr]
    assert "once, with estimated times" in lines[0]
    assert lines[1].split() == ["B", "5", "minutes:", "it", "is", "built"]
    assert len(lines) == 4


def test_on_a_bare_machine_the_builds_are_announced_and_where_they_are_done_they_are_not(
    context: Context, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setattr(kubernetes, "NEIGHBOUR", tmp_path / "kubeconfig")

    def announced() -> list[str]:
        return [step.title for step in order.SETUP if step.ahead(context)]

    bare = announced()
    for name in ("pulumi", "kube", "metrics-server"):
        content.write(context.layout.bin / name, "")
        content.write(context.layout.stamps / name, "built")
    content.write(context.layout.python, "")

    assert bare == ["Python environment", "Pulumi CLI", "Kubernetes", "Metrics server"]
    assert announced() == []


def test_without_a_cluster_its_step_is_neither_announced_nor_made(
    context: Context, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(context: Context, step: Step) -> None:
        raise AssertionError(step.title)

    there = order.SetupStep("A", lambda context, step: step.done("there"))
    made = order.SetupStep(kubernetes.TITLE, refuse, lambda context: "5 to 12 minutes")
    monkeypatch.setattr(order, "SETUP", (there, made))

    order.run(context, cluster=False)

    assert "minutes" not in context.console.stream.getvalue()  # type: ignore[union-attr]


@pytest.mark.parametrize(
    ("asked", "built", "made"),
    [({}, False, False), ({"metrics": True}, False, True), ({}, True, True), ({"cluster": False}, True, False)],
)
def test_metrics_are_served_where_they_are_asked_for_or_were_before(
    context: Context, monkeypatch: pytest.MonkeyPatch, asked: dict[str, bool], built: bool, made: bool
) -> None:
    steps = [order.SetupStep(title, lambda context, step: step.done("there")) for title in ("A", metrics_server.TITLE)]
    monkeypatch.setattr(order, "SETUP", tuple(steps))
    if built:
        content.write(context.layout.bin / "metrics-server", "")
        content.write(context.layout.stamps / "metrics-server", "built")

    order.run(context, **asked)

    assert (metrics_server.TITLE in context.console.stream.getvalue()) == made  # type: ignore[union-attr]


def test_a_cluster_of_the_user_s_own_is_left_as_it_is(context: Context, step: Step) -> None:
    context.learn(kubeconfig="")

    metrics_server.ensure(context, step)

    assert not context.daemons.names()


@pytest.mark.parametrize(
    ("lines", "needed"),
    [
        ("  sealift:deployment:\n    autoscaling:\n      maxReplicas: 4\n", True),
        ("  sealift:deployment:\n    replicas: 2\n", False),
        ("  sealift:deployment:\n    labels:\n      autoscaling: never\n", False),
    ],
)
def test_a_stack_that_is_autoscaled_needs_metrics(context: Context, lines: str, needed: bool) -> None:
    content.write(context.layout.root / "Pulumi.dev.yaml", f"config:\n{lines}")

    assert stacks.needs_metrics(context, "dev") == needed
    assert not stacks.needs_metrics(context, "other")


def test_steps_come_after_what_they_need() -> None:
    titles = [step.title for step in order.SETUP]

    def before(first: str, second: str) -> bool:
        return titles.index(first) < titles.index(second)

    assert before("Python environment", "Kubernetes")  # its certificates
    assert before("Docker engine", "Base image")
    assert before("Base image", "Wheels for images")
    assert before("Registry", "Kubernetes")
    assert before("Pulumi CLI", "Pulumi plugins")


@pytest.mark.parametrize(
    ("seconds", "text"), [(0, "0.0 s"), (4.25, "4.2 s"), (59.94, "59.9 s"), (65, "1 min 05 s"), (3600, "60 min 00 s")]
)
def test_durations_read_as_people_say_them(seconds: float, text: str) -> None:
    assert duration(seconds) == text


def test_a_line_that_is_rewritten_fits_the_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    """A wrapped line cannot be rewritten in place."""
    monkeypatch.setenv("COLUMNS", "60")
    stream = io.StringIO()
    with Console(stream, live=True).step("a step") as step:
        step._shown -= 10
        step.progress("x" * 200)

    drawn = [part for part in stream.getvalue().split("\r\033[K") if "x" in part]
    assert [len(part) for part in drawn] == [59]


@pytest.mark.parametrize("torch", ["gpu", "CPU", "2.15"])
def test_an_unknown_torch_is_refused(context: Context, torch: str) -> None:
    context.user = {"TORCH": torch}

    with pytest.raises(UsageError, match=f"TORCH is '{torch}'; allowed: cpu, cuda"):
        python_environment.torch_flavour(context)


def test_the_choice_of_torch_is_remembered_once_it_is_there(context: Context, monkeypatch: pytest.MonkeyPatch) -> None:
    """Kept before, a choice that cannot be had would stand in the way of every later set-up."""
    monkeypatch.setattr(network, "reachable", lambda source: False)
    monkeypatch.setattr(python_environment, "NEEDED_GIB", {"cpu": 0.0, "cuda": 0.0})
    context.layout.root.mkdir(exist_ok=True)
    shutil.copy(Path(__file__).resolve().parents[3] / "requirements.lock", context.layout.root)
    context.user = {"TORCH": "cpu"}
    with pytest.raises(PartMissing, match="does not answer"):
        python_environment.ensure(context, Step("Python environment", io.StringIO(), live=False))
    context.user = {}
    assert python_environment.torch_flavour(context)[1] != "an earlier set-up chose it"

    python_environment.remembered_flavour(context.layout).write_text("cpu\n")
    assert python_environment.torch_flavour(context) == ("cpu", "an earlier set-up chose it")


@pytest.mark.parametrize(
    ("card", "index_answers", "flavour", "reason"),
    [
        (True, True, "cuda", "this machine has an NVIDIA card"),
        (False, True, "cpu", "this machine has no NVIDIA card"),
        (False, False, "cuda", "does not answer"),
    ],
)
def test_torch_is_the_build_that_this_machine_can_use(
    context: Context, monkeypatch: pytest.MonkeyPatch, card: bool, index_answers: bool, flavour: str, reason: str
) -> None:
    monkeypatch.setattr(python_environment, "has_nvidia_card", lambda: card)
    monkeypatch.setattr(network, "reachable", lambda source: index_answers and source == "pytorch")

    chosen, said = python_environment.torch_flavour(context)

    assert chosen == flavour
    assert reason in said


@pytest.mark.parametrize(("device", "there"), [("nvidia0", True), ("nvidiactl", False), ("sda", False), ("dxg", True)])
def test_a_card_is_what_its_driver_shows(tmp_path: Path, device: str, there: bool) -> None:
    (tmp_path / device).touch()

    assert python_environment.has_nvidia_card(tmp_path) is there


def test_the_passphrase_is_made_once_and_private(context: Context, step: Step) -> None:
    """Another one would lock the stacks' secrets away for good."""
    context.layout.root.mkdir()
    stack_state.ensure(context, step)
    first = context.layout.passphrase.read_text()
    stack_state.ensure(context, step)

    assert context.layout.passphrase.read_text() == first
    assert len(first.strip()) >= 43
    assert context.layout.passphrase.stat().st_mode & 0o777 == 0o600
    assert context.layout.stack_state.stat().st_mode & 0o777 == 0o700


def test_keys_tell_apart_what_is_made_of_other_parts(tmp_path: Path) -> None:
    """Neither names nor contents may run into each other."""
    one, two = tmp_path / "one", tmp_path / "two"
    one.write_text("ab")
    two.write_text("c")
    keys = [
        content.key(files=[one, two]),
        content.key(files=[two, one]),
        content.key(files=[one], words=["c"]),
        content.key(words=["ab", "c"]),
        content.key(words=["a", "bc"]),
        content.key(words=["abc"]),
        content.key(),
    ]

    assert len(set(keys)) == len(keys)


def test_a_file_is_written_with_its_mode_whatever_the_umask(tmp_path: Path) -> None:
    import os

    before = os.umask(0o077)
    try:
        content.write(tmp_path / "deep" / "public", "x", mode=0o644)
        os.umask(0)
        content.write(tmp_path / "deep" / "private", "x", mode=0o600)
    finally:
        os.umask(before)

    modes = {path.name: path.stat().st_mode & 0o777 for path in (tmp_path / "deep").iterdir()}
    assert modes == {"public": 0o644, "private": 0o600}


def test_no_secret_of_the_users_shell_reaches_what_stays_running(context: Context) -> None:
    """Anybody who is root can read a process's environment for as long as it runs."""
    context.user = {
        "PATH": "/usr/bin",
        "HTTPS_PROXY": "http://proxy:3128",
        "PULUMI_CONFIG_PASSPHRASE": "secret",
        "AWS_SECRET_ACCESS_KEY": "secret",
        "REGISTRY_HTTP_ADDR": "0.0.0.0:5000",
    }

    assert context.daemon_variables == {"PATH": "/usr/bin", "HTTPS_PROXY": "http://proxy:3128"}
