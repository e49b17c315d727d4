"""Step: an S3 server on this machine, versitygw, if STORE=s3 asks for it. It is built from its Go module
(bootstrap/object_store).

It listens only on loopback and has a key of its own. Programs find key and endpoint in two files that AWS libraries
read, so that no variable holds a secret. A user's own AWS account is never mixed with it.
"""

import configparser
import contextlib
import http.client
import os
import secrets
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from bootstrap import content, go_program
from bootstrap.console import Progress, Step
from bootstrap.context import Context
from bootstrap.environment import AWS_CHOICES, set_by_user
from bootstrap.errors import BootstrapError, PartMissing, UsageError
from bootstrap.system import ports

TITLE = "Object store"
NAME = "object-store"
PROGRAM = "versitygw"
PACKAGE = "github.com/versity/versitygw/cmd/versitygw"
PORTS = range(7070, 7080)
BUCKET = "sealift-local"  # a name that no company gives its own bucket, which a stack may name too
REGION = "us-east-1"
CHOICES = ("file", "s3")
HEALTH = "/health"
WAYS = ("use a store that you have: pulumi config set --path store.url s3://BUCKET/PREFIX",)


@dataclass(frozen=True)
class Key:
    """Access key of the server's only account."""

    access: str
    secret: str = field(repr=False)


def asked(context: Context) -> str:
    """Returns the user's STORE, or "". Raises UsageError if it is none of CHOICES."""
    store = context.user.get("STORE", "")
    if store and store not in CHOICES:
        raise UsageError(f"STORE is {store!r}; allowed: {', '.join(CHOICES)}")
    return store


def wanted(context: Context) -> bool:
    """Whether the server is asked for, now or by an earlier set-up."""
    return asked(context) == "s3" or bool(context.facts.object_store)


def demand(context: Context) -> None:
    """Raises BootstrapError for a STORE that cannot be had."""
    if asked(context) == "s3":
        keep_accounts_apart(context)


def keep_accounts_apart(context: Context) -> None:
    """Raises BootstrapError if programs would use the user's own AWS account instead of our server's key."""
    own = set_by_user(AWS_CHOICES, context.user)
    if context.set_by_user("PULUMI_BACKEND_URL").startswith("s3://"):
        own.append("PULUMI_BACKEND_URL")
    if own:
        raise BootstrapError(
            f"the S3 server of set-up has a key of its own, but your AWS account is chosen by {', '.join(own)}",
            [f"run the command without them: env {' '.join(f'-u {name}' for name in own)} make …", *WAYS],
        )


def ensure(context: Context, step: Step) -> None:
    program = build(context, step.progress)
    recorded = context.facts.object_store
    if recorded and context.daemons.running(NAME) and answers(int(recorded.rpartition(":")[2])):
        step.done(f"{recorded}, running")
        return
    context.daemons.stop(NAME)  # one that does not answer
    port = ports.first_free(PORTS)
    if port is None:
        raise PartMissing(TITLE, f"all ports from {PORTS[0]} to {PORTS[-1]} of this machine are in use", WAYS)
    endpoint = f"http://{ports.LOOPBACK}:{port}"
    folder = context.layout.object_store
    key = _keep_key(folder, endpoint)
    env = context.daemon_variables | variables(key, port)
    context.daemons.start(NAME, command(program, folder / "data"), env=env)
    context.daemons.wait_until(NAME, lambda: answers(port), timeout_seconds=20)
    context.learn(object_store=endpoint)
    step.done(f"s3://{BUCKET} at {endpoint}, started")
    hidden = [one for one in ("credentials", "config") if (Path.home() / ".aws" / one).exists()]
    if hidden and not recorded:
        context.console.note(
            "pulumi, and shells with .tools/activate, use this server's AWS files instead of ~/.aws; "
            "make setup STORE=file ends that"
        )


def ensure_program(context: Context, step: Step) -> None:
    """Builds the server for the tests, which start it themselves. Tests that need it are skipped without it."""
    try:
        build(context, step.progress)
    except PartMissing as missing:
        step.done(f"tests that need it are skipped ({missing.message})")
        return
    step.done(f"{PROGRAM}, not started")


def ahead(context: Context) -> str:
    """See order.SetupStep."""
    if not wanted(context) or go_program.is_built(context, PROGRAM):
        return ""
    return "1 to 4 minutes to build it from its Go module"


def build(context: Context, progress: Progress) -> Path:
    """Returns the server's program. Raises PartMissing without Go."""
    module = context.layout.root / "bootstrap" / "object_store"
    return go_program.build(context, TITLE, module=module, package=PACKAGE, name=PROGRAM, progress=progress, ways=WAYS)


def command(program: Path, data: Path) -> Sequence[str]:
    """Returns the server's command line, after making its folders. A folder of `data` is a bucket."""
    bucket = data / BUCKET
    for folder in (data, bucket):
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    if _keeps_attributes(bucket):
        return [str(program), "posix", str(data)]
    sidecar = data.with_name("attributes")
    sidecar.mkdir(mode=0o700, exist_ok=True)
    return [str(program), "posix", "--sidecar", str(sidecar), str(data)]


def variables(key: Key, port: int, address: str = ports.LOOPBACK) -> dict[str, str]:
    """Returns the server's settings, as variables: other users can read a command line."""
    return {
        "ROOT_ACCESS_KEY": key.access,
        "ROOT_SECRET_KEY": key.secret,
        "VGW_PORT": f"{address}:{port}",
        "VGW_REGION": REGION,
        "VGW_HEALTH": HEALTH,
        "VGW_KEEP_ALIVE": "true",
        "VGW_QUIET": "true",
        "VGW_DIR_PERMS": "0700",
        "VGW_FILE_PERMS": "0600",
    }


def answers(port: int, address: str = ports.LOOPBACK) -> bool:
    """Whether versitygw answers on this port."""
    connection = http.client.HTTPConnection(address, port, timeout=2)
    try:
        connection.request("GET", HEALTH)
        reply = connection.getresponse()
        return reply.status == 200 and reply.getheader("Server") == "VERSITYGW"
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()


def new_key() -> Key:
    return Key(f"SEALIFT{secrets.token_hex(6).upper()}", secrets.token_urlsafe(30))


def _write_aws_files(folder: Path, key: Key, endpoint: str) -> None:
    """Writes the two files that AWS libraries read: the key, and the region and endpoint."""
    account = f"[default]\naws_access_key_id = {key.access}\naws_secret_access_key = {key.secret}\n"
    content.write(folder / "credentials", account, mode=0o600)
    services = f"[services sealift]\ns3 =\n  endpoint_url = {endpoint}\n"
    server = f"[default]\nregion = {REGION}\nservices = sealift\n\n{services}"
    content.write(folder / "config", server, mode=0o600)


def _keep_key(folder: Path, endpoint: str) -> Key:
    """Returns the server's key, which is made once, and writes the files with it."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    credentials = configparser.RawConfigParser()
    credentials.read(folder / "credentials")
    key = new_key()
    with contextlib.suppress(configparser.Error):
        key = Key(credentials.get("default", "aws_access_key_id"), credentials.get("default", "aws_secret_access_key"))
    _write_aws_files(folder, key, endpoint)
    return key


def _keeps_attributes(folder: Path) -> bool:
    """Whether the file system keeps extended attributes, in which the server keeps ETags and checksums."""
    try:
        os.setxattr(folder, "user.sealift", b"x" * 1024)
        os.removexattr(folder, "user.sealift")
    except OSError:
        return False
    return True
