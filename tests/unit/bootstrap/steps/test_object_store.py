"""The S3 server of STORE=s3: a real one, its key, and whose AWS account is used."""

import io
import os
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from bootstrap.console import Step
from bootstrap.context import Context
from bootstrap.errors import BootstrapError, PartMissing, UsageError
from bootstrap.steps import object_store as setup
from bootstrap.steps import order
from bootstrap.system import daemon
from tests.object_store import ObjectStore

PROJECT_ROOT = Path(__file__).resolve().parents[4]
# A client of AWS's own, which finds key, region and endpoint as any program does.
CLIENT = f"""
import boto3, botocore.exceptions
client, place = boto3.client("s3"), {{"Bucket": {setup.BUCKET!r}, "Key": "a/b"}}
def attempt(call, **arguments):
    try:
        call(**place, **arguments)
        print("done")
    except botocore.exceptions.ClientError as error:
        print(error.response["Error"]["Code"])
"""
WRITES = f"""{CLIENT}
attempt(client.put_object, Body=b"1", IfNoneMatch="*")
attempt(client.put_object, Body=b"2", IfNoneMatch="*")
first = client.head_object(**place)["ETag"]
attempt(client.put_object, Body=b"2", IfMatch=first)
attempt(client.put_object, Body=b"3", IfMatch=first)
attempt(client.put_object, Body=b"3", ChecksumSHA256="A" * 43 + "=")
attempt(client.delete_object, IfMatch=first)
print(client.get_object(**place)["Body"].read())
attempt(client.delete_object, IfMatch=client.head_object(**place)["ETag"])
attempt(client.get_object)
"""
SAID = ["done", "PreconditionFailed", "done", "PreconditionFailed", "BadDigest", "PreconditionFailed", "b'2'", "done"]


def ask(program: str, variables: Mapping[str, str]) -> list[str]:
    """The lines that a Python program prints."""
    env = {"PYTHONPATH": os.environ.get("PYTHONPATH", ""), **variables}
    done = subprocess.run([sys.executable, "-c", program], env=env, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()


@pytest.fixture
def checkout(context: Context, object_store: ObjectStore, monkeypatch: pytest.MonkeyPatch) -> Iterator[Context]:
    """A checkout for which the server is built. What it starts ends with the test."""
    context.layout.root.mkdir()
    for room in ("bootstrap", "sealift"):
        (context.layout.root / room).symlink_to(PROJECT_ROOT / room)
    monkeypatch.setattr(setup, "build", lambda *_: object_store.program)
    monkeypatch.setenv("HOME", str(context.layout.root))
    context.user = {"PATH": os.environ["PATH"], "STORE": "s3"}
    yield context
    context.daemons.stop(setup.NAME)


def test_the_server_of_the_tests_holds_to_every_condition(object_store: ObjectStore) -> None:
    assert ask(WRITES, object_store.environment()) == [*SAID, "NoSuchKey"]


def test_the_server_of_the_tests_refuses_another_secret_and_strangers(object_store: ObjectStore) -> None:
    wrong = object_store.environment() | {"AWS_SECRET_ACCESS_KEY": "x" * 40}

    assert ask(f"{CLIENT}attempt(client.get_object)", wrong) == ["SignatureDoesNotMatch"]
    with pytest.raises(urllib.error.HTTPError, match="403"):
        urllib.request.urlopen(f"{object_store.endpoint}/{setup.BUCKET}?list-type=2")


def test_a_started_server_serves_the_programs_that_set_up_starts(checkout: Context, step: Step) -> None:
    setup.ensure(checkout, step)

    assert ask(WRITES, checkout.variables) == [*SAID, "NoSuchKey"]
    assert step.result == f"s3://{setup.BUCKET} at {checkout.facts.object_store}, started"


def test_nothing_that_others_can_read_holds_the_secret(checkout: Context, step: Step) -> None:
    setup.ensure(checkout, step)

    credentials = checkout.layout.object_store / "credentials"
    secret = credentials.read_text().rpartition(" = ")[2].strip()
    assert len(secret) == 40
    others = [path for path in checkout.layout.tools.rglob("*") if path.is_file() and path.stat().st_mode & 0o077]
    assert checkout.layout.activate in others and credentials not in others
    assert [path for path in others if secret in path.read_text()] == []
    record = daemon.read_record(checkout.daemons.record_path(setup.NAME))
    assert record is not None and secret not in Path(f"/proc/{record.pid}/cmdline").read_text()
    assert secret not in checkout.daemons.log_path(setup.NAME).read_text()
    assert all(secret not in value for value in checkout.variables.values())


def test_objects_are_read_by_their_owner_only(checkout: Context, step: Step) -> None:
    setup.ensure(checkout, step)
    ask(f'{CLIENT}attempt(client.put_object, Body=b"1")', checkout.variables)

    written = checkout.layout.object_store / "data" / setup.BUCKET / "a" / "b"
    assert written.read_bytes() == b"1"
    for path in (written, *written.parents):
        if checkout.layout.object_store in (path, *path.parents):
            assert path.stat().st_mode & 0o077 == 0, path


def test_a_server_that_runs_is_left_alone_and_one_that_ended_starts_with_the_same_key(
    checkout: Context, step: Step
) -> None:
    setup.ensure(checkout, step)
    credentials = (checkout.layout.object_store / "credentials").read_text()
    first = daemon.read_record(checkout.daemons.record_path(setup.NAME))
    setup.ensure(checkout, step)
    assert daemon.read_record(checkout.daemons.record_path(setup.NAME)) == first
    assert step.result.endswith(", running")

    checkout.daemons.stop(setup.NAME)
    checkout.user = {"PATH": os.environ["PATH"]}  # it is remembered
    assert setup.wanted(checkout)
    setup.ensure(checkout, step)

    assert checkout.daemons.running(setup.NAME)
    assert (checkout.layout.object_store / "credentials").read_text() == credentials


def test_a_file_system_without_attributes_gets_a_folder_for_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> None:
        raise OSError(95, "Operation not supported")

    assert setup.command(Path("/s3"), tmp_path / "data") == ["/s3", "posix", str(tmp_path / "data")]
    monkeypatch.setattr(os, "setxattr", refuse)

    words = setup.command(Path("/s3"), tmp_path / "data")

    assert words == ["/s3", "posix", "--sidecar", str(tmp_path / "attributes"), str(tmp_path / "data")]


def test_the_users_own_aws_files_are_named_if_they_are_hidden(
    checkout: Context, terminal: io.StringIO, step: Step
) -> None:
    (checkout.layout.root / ".aws").mkdir()
    (checkout.layout.root / ".aws" / "config").write_text("[default]\nregion = eu-west-1\n")

    setup.ensure(checkout, step)

    assert "instead of ~/.aws" in terminal.getvalue()


@pytest.mark.parametrize("name", ["AWS_PROFILE", "AWS_ACCESS_KEY_ID", "AWS_ENDPOINT_URL", "AWS_DEFAULT_REGION"])
def test_the_users_own_account_is_never_mixed_with_the_server_s_key(context: Context, name: str) -> None:
    context.user = {"STORE": "s3", name: "hush"}

    with pytest.raises(BootstrapError, match=f"chosen by {name}") as refused:
        setup.demand(context)

    assert refused.value.ways[0] == f"run the command without them: env -u {name} make …"
    assert "hush" not in refused.value.message
    context.learn(object_store="http://127.0.0.1:7070")
    assert not {"AWS_SHARED_CREDENTIALS_FILE", "AWS_CONFIG_FILE"} & set(context.variables)


def test_a_state_in_the_users_bucket_needs_the_users_account(context: Context) -> None:
    context.user = {"STORE": "s3", "PULUMI_BACKEND_URL": "s3://state"}

    with pytest.raises(BootstrapError, match="chosen by PULUMI_BACKEND_URL"):
        setup.demand(context)


@pytest.mark.parametrize("store", ["S3", "gs", "s3://mine"])
def test_an_unknown_store_is_refused(context: Context, store: str) -> None:
    context.user = {"STORE": store}

    with pytest.raises(UsageError, match=f"STORE is '{store}'; allowed: file, s3"):
        setup.demand(context)


@pytest.mark.parametrize(("store", "made"), [("", False), ("file", False), ("s3", True)])
def test_the_step_runs_only_when_asked_for(
    context: Context, monkeypatch: pytest.MonkeyPatch, store: str, made: bool
) -> None:
    ran: list[str] = []
    step = order.SetupStep(setup.TITLE, lambda context, step: ran.append(step.title))
    monkeypatch.setattr(order, "SETUP", (step,))
    context.user = {"STORE": store}

    order.run(context)

    assert ran == ([setup.TITLE] if made else [])
    assert bool(setup.ahead(context)) is made


def test_without_go_the_tests_are_told_and_the_user_too(context: Context, step: Step) -> None:
    module = context.layout.root / "bootstrap" / "object_store"
    module.parent.mkdir(parents=True)
    module.symlink_to(PROJECT_ROOT / "bootstrap" / "object_store")
    context.user = {"PATH": "", "STORE": "s3"}

    setup.ensure_program(context, step)

    assert "tests that need it are skipped" in step.result and "Go is not installed" in step.result
    with pytest.raises(PartMissing, match="Go is not installed"):
        setup.ensure(context, step)
