"""Variables and .tools/activate: the user's own values win, and both ways of setting them agree."""

import dataclasses
import os
import subprocess
from collections.abc import Mapping
from pathlib import Path

import pytest

from bootstrap import environment
from bootstrap.environment import Facts
from bootstrap.layout import Layout

FACTS = Facts(
    base_image="sealift/python:bookworm-1",
    registry="localhost:5000",
    wheels="/a folder/wheels",
    docker_host="unix:///run/sealift/docker.sock",
    kubeconfig="/a folder/it's a kubeconfig",
    pulumi_home="",
    object_store="http://127.0.0.1:7070",
    stand_ins=True,
)
USERS = {
    "nothing is set": {},
    "a backend of the user's": {"PULUMI_BACKEND_URL": "https://state.example"},
    "a passphrase of the user's": {"PULUMI_CONFIG_PASSPHRASE": "secret"},
    "a passphrase file of the user's": {"PULUMI_CONFIG_PASSPHRASE_FILE": "/home/user/passphrase"},
    "a cluster and an engine of the user's": {
        "KUBECONFIG": "/home/user/.kube/config",
        "DOCKER_HOST": "tcp://build:2375",
    },
    "another checkout is active": {
        "PULUMI_BACKEND_URL": "file:///other/.sealift/state",
        "SEALIFT_SET_PULUMI_BACKEND_URL": "file:///other/.sealift/state",
        "PULUMI_HOME": "/other/.tools/pulumi-home",
        "SEALIFT_SET_PULUMI_HOME": "/other/.tools/pulumi-home",
    },
    "the user changed what another checkout had set": {
        "PULUMI_BACKEND_URL": "s3://mine",
        "SEALIFT_SET_PULUMI_BACKEND_URL": "file:///other/.sealift/state",
    },
    "an object store of another checkout": {
        "AWS_SHARED_CREDENTIALS_FILE": "/other/credentials",
        "SEALIFT_SET_AWS_SHARED_CREDENTIALS_FILE": "/other/credentials",
        "AWS_CONFIG_FILE": "/other/config",
        "SEALIFT_SET_AWS_CONFIG_FILE": "/other/config",
    },
}
ACCOUNTS = {
    "a profile of the user's": {"AWS_PROFILE": "work"},
    "a key of the user's": {"AWS_ACCESS_KEY_ID": "key", "AWS_SECRET_ACCESS_KEY": "secret"},
    "a file of the user's": {"AWS_CONFIG_FILE": "/home/user/config"},
    "a profile of the user's after an activation": {
        "AWS_PROFILE": "work",
        "AWS_SHARED_CREDENTIALS_FILE": "/other/credentials",
        "SEALIFT_SET_AWS_SHARED_CREDENTIALS_FILE": "/other/credentials",
        "AWS_CONFIG_FILE": "/other/config",
        "SEALIFT_SET_AWS_CONFIG_FILE": "/other/config",
    },
}


def sourced(layout: Layout, user: Mapping[str, str], shell: str = "sh", says: str = "") -> dict[str, str]:
    """What a shell has after it sourced the activate file twice."""
    script = f'set -eu; . "{layout.activate}"; . "{layout.activate}"; env -0'
    start = {"PATH": os.defpath, **user}
    done = subprocess.run([shell, "-c", script], env=start, capture_output=True, check=True)
    assert done.stderr.decode() == says * 2
    found = dict(line.split("=", 1) for line in done.stdout.decode().split("\0") if line)
    return {name: value for name, value in found.items() if name not in ("PWD", "SHLVL", "_", "OLDPWD")}


@pytest.mark.parametrize("claim", USERS)
def test_activate_sets_what_our_programs_get(claim: str, tmp_path: Path) -> None:
    """The shell file and `variables` follow the same rules, also when sourced twice; only stale marks may differ."""
    layout = Layout(tmp_path / "a checkout")
    environment.save(layout, FACTS)
    user = {"PATH": os.defpath, **USERS[claim]}

    in_shell, in_python = sourced(layout, user), environment.variables(layout, FACTS, user)

    assert without_marks(in_shell) == without_marks(in_python)


def without_marks(variables: Mapping[str, str]) -> dict[str, str]:
    return {name: value for name, value in variables.items() if not name.startswith(environment.MARK)}


@pytest.mark.parametrize("claim", [claim for claim in USERS if "user" in claim])
def test_what_the_user_set_stays(claim: str, tmp_path: Path) -> None:
    layout = Layout(tmp_path)
    environment.save(layout, FACTS)
    own = without_marks(USERS[claim])

    found = sourced(layout, USERS[claim])

    assert own.items() <= found.items()


@pytest.mark.parametrize("claim", ACCOUNTS)
def test_an_aws_account_of_the_users_is_neither_hidden_nor_mixed_with_ours(claim: str, tmp_path: Path) -> None:
    layout = Layout(tmp_path)
    environment.save(layout, FACTS)
    own = {name: value for name, value in ACCOUNTS[claim].items() if not value.startswith("/other/")}
    says = f"{next(iter(own))} is set, so pulumi cannot reach the store of 'make up STORE=s3'\n"

    in_shell = sourced(layout, ACCOUNTS[claim], says=says)
    in_python = environment.variables(layout, FACTS, ACCOUNTS[claim])

    for found in (in_shell, in_python):
        assert {name: value for name, value in found.items() if "AWS_" in name} == own


def test_activate_is_quiet_about_aws_accounts_without_an_object_store(tmp_path: Path) -> None:
    layout = Layout(tmp_path)
    environment.save(layout, dataclasses.replace(FACTS, object_store=""))

    found = sourced(layout, {"AWS_PROFILE": "work"})

    assert [name for name in found if "AWS_" in name] == ["AWS_PROFILE"]


def test_a_passphrase_of_the_users_keeps_ours_out(tmp_path: Path) -> None:
    """The CLI must never be left to choose between two."""
    found = environment.variables(Layout(tmp_path), FACTS, {"PULUMI_CONFIG_PASSPHRASE": "secret"})

    assert "PULUMI_CONFIG_PASSPHRASE_FILE" not in found


def test_what_an_earlier_set_up_said_and_this_one_does_not_is_gone(tmp_path: Path) -> None:
    layout = Layout(tmp_path)
    before = environment.variables(layout, FACTS, {"PATH": os.defpath})

    after = environment.variables(layout, Facts(), before)

    assert "DOCKER_HOST" not in after
    assert "SEALIFT_SET_DOCKER_HOST" not in after


@pytest.mark.parametrize("shell", ["bash", "dash"])
def test_every_posix_shell_reads_it(shell: str, tmp_path: Path) -> None:
    layout = Layout(tmp_path)
    environment.save(layout, FACTS)

    found = sourced(layout, {}, shell)

    assert found["KUBECONFIG"] == FACTS.kubeconfig


def test_path_gains_each_folder_once_and_first(tmp_path: Path) -> None:
    layout = Layout(tmp_path)
    environment.save(layout, FACTS)

    path = sourced(layout, {"PATH": "/usr/bin:/bin"})["PATH"]

    assert path == f"{layout.venv}/bin:{layout.bin}:{layout.stand_ins}:/usr/bin:/bin"


def test_stand_ins_are_on_path_only_when_needed(tmp_path: Path) -> None:
    """The CLI prefers PATH to its own plugins."""
    layout = Layout(tmp_path)

    assert str(layout.stand_ins) in environment.path_entries(layout, Facts(stand_ins=True))
    assert str(layout.stand_ins) not in environment.path_entries(layout, Facts(stand_ins=False))


def test_facts_survive_being_written_and_read(tmp_path: Path) -> None:
    layout = Layout(tmp_path)
    environment.save(layout, FACTS)

    assert environment.load(layout) == FACTS


@pytest.mark.parametrize("text", ["", "{", '{"unknown": 1}', "[]", "null"])
def test_a_record_that_cannot_be_read_is_no_record(text: str, tmp_path: Path) -> None:
    layout = Layout(tmp_path)
    layout.environment.parent.mkdir()
    layout.environment.write_text(text)

    assert environment.load(layout) == Facts()


def test_all_defaults_are_managed() -> None:
    """A variable that activate does not know of would never be taken back."""
    everything = dataclasses.replace(FACTS, pulumi_home="/c/home")

    assert set(environment.defaults(Layout(Path("/c")), everything)) == set(environment.MANAGED)
