"""The command line: setup, up, down, report, test, faults, check, audit, docs, status. Problems are shown as a message
with hints, never as a traceback.
"""

import argparse
import errno
import fcntl
import os
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from bootstrap import environment, errors
from bootstrap.commands import audit, check, docs, down, faults, report, stacks, status, store, test, up, worktree
from bootstrap.console import Console, duration
from bootstrap.context import Context
from bootstrap.layout import Layout
from bootstrap.steps import object_store, order

EPILOG = """\
variables, in the same command (make up STACK=staging) or in the environment:
  STACK=dev                    name of the stack for up, down and report (default: dev)
  TORCH=cpu, TORCH=cuda        build of PyTorch (default: CUDA, 5.4 GB, if an NVIDIA card is found); remembered
  STORE=file, STORE=s3         store of the stack's artifacts: the default folder, or an S3 server that set-up starts on
                               this machine; remembered
  KUBECONFIG, DOCKER_HOST      your own Kubernetes cluster, your own Docker engine
  SEALIFT_REGISTRY             registry that images are pushed to and pulled from (default: one on localhost:5000)
  SEALIFT_BASE_IMAGE           base image (default: python:3.12-slim, or one made from Debian packages)
  PULUMI_BACKEND_URL           place of the stacks' state (default: .sealift/state)
  PULUMI_CONFIG_PASSPHRASE     passphrase that encrypts the stacks' secrets (default: generated, .sealift/passphrase)

Everything is installed under .tools/, except Debian packages. In a git worktree without .tools, the commands test,
faults, check, audit and docs use the .tools of the first worktree.
"""
OF_ANOTHER_USER = "if another user (such as root) set up this checkout, work as that user or clone it again"
NO_ROOM = "free some space, or clone to a writable disk; finished work is kept"


def main(argv: Sequence[str]) -> int:
    options = _parser().parse_args(argv)
    # Folders in which Debian keeps programs for root. A root shell made by `su` does not have them on PATH.
    os.environ["PATH"] = os.pathsep.join([os.environ.get("PATH", os.defpath), "/usr/sbin", "/sbin"])
    root = Path(__file__).resolve().parent.parent
    console = Console()
    layout = Layout(root)
    command: Callable[[Context, argparse.Namespace], int] = options.command
    try:
        return command(Context(layout, console, facts=environment.load(layout)), options)
    except errors.BootstrapError as problem:
        _show(problem)
        return 1
    except BrokenPipeError:  # the reader of our lines has gone, as with `| head`
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 141
    except PermissionError as problem:
        _show(errors.BootstrapError(f"{problem.filename or 'a file'}: {problem.strerror}", [OF_ANOTHER_USER]))
        return 1
    except OSError as problem:
        if problem.errno not in (errno.ENOSPC, errno.EDQUOT, errno.EROFS):
            raise
        _show(errors.BootstrapError(f"{problem.filename or layout.tools}: {problem.strerror}", [NO_ROOM]))
        return 1
    except KeyboardInterrupt:
        sys.stderr.write("\nstopped; finished work is kept, and the next call continues from here\n")
        return 130


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python3 -m bootstrap",
        description="Sets up Sealift on this machine, starts it, tests it and stops it.",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    chosen = parser.add_subparsers(metavar="COMMAND", required=True)

    def add(
        name: str, help_text: str, command: Callable[[Context, argparse.Namespace], int]
    ) -> argparse.ArgumentParser:
        one = chosen.add_parser(name, help=help_text, description=help_text)
        one.set_defaults(command=command)
        return one

    stack = os.environ.get("STACK") or stacks.DEFAULT

    def add_stack(one: argparse.ArgumentParser) -> None:
        one.add_argument("--stack", default=stack, help="name of the stack (default: %(default)s)")

    add("setup", "install and start everything that is missing", setup)
    add_stack(add("up", "set up, run `pulumi up`, send a row to the model and show its prediction", up_command))
    add_stack(add("down", "destroy the stack and stop everything that set-up started", down_command))
    reports = add("report", "show the report of the stack's model (metrics, gates, energy), or save it", report_command)
    add_stack(reports)
    reports.add_argument(
        "arguments",
        nargs="*",
        metavar="html=FILE | json | deployed",
        help="form of the report: html=FILE saves a page, json prints JSON; deployed chooses the deployed model, even "
        "if a later run was refused",
    )
    tests = add("test", "set up, then run the tests", test_command)
    tests.add_argument(
        "arguments", nargs=argparse.REMAINDER, help="arguments for the test runner, pytest (default: all tests)"
    )
    faults_help = (
        f"set up, kill each process of a run at {faults.MOMENTS} random moments, check that the next `up` continues; "
        f"send {faults.EXAMPLES:,} damaged requests to the model server"
    )
    add("faults", faults_help, faults_command)
    add("check", "check types, lint, and the imports between packages", check_command)
    add("audit", "look up known vulnerabilities of everything in the environment and the image", audit_command)
    add("docs", "write the generated files and build the documentation site in site/", docs_command)
    add("status", "show what is installed and what is running", status_command)
    return parser


def _show(problem: errors.BootstrapError) -> None:
    sys.stdout.flush()
    lines = [f"error: {problem.message}", *(f"  hint: {way}" for way in problem.ways)]
    sys.stderr.write("\n".join(lines) + "\n")


def setup(context: Context, options: argparse.Namespace) -> int:
    del options
    set_up(context)
    store.leave(context)
    context.console.line(
        "\nto use pulumi, sealift, pytest and kubectl in this shell:  source .tools/activate"
        "\nto train, deploy and test a model:                make up"
    )
    return 0


def set_up(context: Context, *, cluster: bool = True, metrics: bool = False) -> None:
    """Runs all steps under a lock: two set-ups of one checkout would overwrite each other's builds."""
    object_store.demand(context)
    started = time.monotonic()
    with _alone(context):
        order.run(context, cluster=cluster, metrics=metrics)
    context.console.line(f"ready in {duration(time.monotonic() - started)}")


@contextmanager
def _alone(context: Context) -> Iterator[None]:
    tools = context.layout.tools
    tools.mkdir(exist_ok=True)
    with (tools / "lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            context.console.note("another set-up of this checkout is running; waiting for it to finish")
            fcntl.flock(lock, fcntl.LOCK_EX)
            context.facts = environment.load(context.layout)
        yield


def up_command(context: Context, options: argparse.Namespace) -> int:
    stacks.demand(context, options.stack)
    store.demand(context, options.stack)
    cluster, metrics = (ask(context, options.stack) for ask in (stacks.needs_cluster, stacks.needs_metrics))
    set_up(context, cluster=cluster, metrics=metrics)
    outcome = up.run(context, options.stack)
    store.leave(context)
    return outcome


def down_command(context: Context, options: argparse.Namespace) -> int:
    stacks.demand(context, options.stack)
    with _alone(context):
        return down.run(context, options.stack)


def report_command(context: Context, options: argparse.Namespace) -> int:
    stacks.demand(context, options.stack)
    meanings = {"json": ["--json"]}
    words = [word for word in options.arguments if word != "deployed"]
    further = [meanings.get(word, ["--html", word.removeprefix("html=")]) for word in words]
    is_deployed = len(words) < len(options.arguments)
    return report.run(context, options.stack, [word for words in further for word in words], deployed=is_deployed)


def test_command(context: Context, options: argparse.Namespace) -> int:
    if lent := worktree.borrow(context):
        return test.run(lent, options.arguments)
    set_up(context)
    return test.run(context, options.arguments)


def faults_command(context: Context, options: argparse.Namespace) -> int:
    del options
    if lent := worktree.borrow(context):
        return faults.run(lent)
    set_up(context)
    return faults.run(context)


def audit_command(context: Context, options: argparse.Namespace) -> int:
    del options
    return audit.run(context)


def check_command(context: Context, options: argparse.Namespace) -> int:
    del options
    return check.run(context)


def docs_command(context: Context, options: argparse.Namespace) -> int:
    del options
    return docs.run(context)


def status_command(context: Context, options: argparse.Namespace) -> int:
    del options
    return status.run(context)
