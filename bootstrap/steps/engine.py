"""Step: the Pulumi CLI. It is the one on PATH, otherwise one from the official installer, otherwise one built from its
Go module (airgap/engine).
"""

import re
import shutil
import urllib.request
from pathlib import Path

from bootstrap import content, go_program
from bootstrap.console import Step
from bootstrap.context import Context
from bootstrap.errors import ProgramFailed
from bootstrap.system import network, programs

TITLE = "Pulumi CLI"
VERSION = "3.259.0"
OLDEST = (3, 230)  # older engines lack calls that the Python SDK makes
INSTALLER = "https://get.pulumi.com/"
PACKAGE = "github.com/pulumi/pulumi/pkg/v3/cmd/pulumi"
# Without this flag the CLI does not know its version, and the Automation API refuses it.
VERSION_FLAG = f"-X github.com/pulumi/pulumi/sdk/v3/go/common/version.Version=v{VERSION}"
WAYS = ("install the Pulumi CLI: https://www.pulumi.com/docs/install/",)


def ensure(context: Context, step: Step) -> None:
    if not context.facts.pulumi_home:
        context.learn(pulumi_home=_home(context))
    if found := on_path(context):
        step.done(f"{found[1]}, {found[0]}")
        return
    try_official = not go_program.is_built(context, "pulumi") and network.reachable("pulumi")
    if official(context) or (try_official and _install(context, step)):
        step.done(f"v{VERSION}, installed from get.pulumi.com")
        return
    go_program.build(
        context,
        TITLE,
        module=context.layout.root / "airgap" / "engine",
        package=PACKAGE,
        name="pulumi",
        progress=step.progress,
        ldflags=[VERSION_FLAG],
        ways=WAYS,
    )
    step.done(f"v{VERSION}, built from its Go module")


def ahead(context: Context) -> str:
    """See order.SetupStep."""
    if official(context) or go_program.is_built(context, "pulumi"):
        return ""
    found = _users(context)
    if found and version(found[1]) >= OLDEST:
        return ""
    return "10 seconds if get.pulumi.com answers, otherwise 4 to 7 minutes to build it from its Go module"


def on_path(context: Context) -> tuple[str, str] | None:
    """Returns the user's own CLI and its version if it is new enough. Reports one that is too old."""
    found = _users(context)
    if found and version(found[1]) < OLDEST:
        needed = f"v{OLDEST[0]}.{OLDEST[1]} or newer is needed, so it is not used"
        context.console.note(f"{found[0]} is {found[1]}; {needed}")
        return None
    return found


def _users(context: Context) -> tuple[str, str] | None:
    ours = {str(context.layout.bin)}
    rest = ":".join(entry for entry in context.user.get("PATH", "").split(":") if entry not in ours)
    found = shutil.which("pulumi", path=rest)
    said = programs.ask([found, "version"], env=context.variables) if found else None
    return (found, said) if found and said is not None else None


def version(said: str) -> tuple[int, int]:
    """Parses a version: (3, 259) for "v3.259.0". Returns (0, 0) for any other text."""
    found = re.match(r"v?(\d+)\.(\d+)", said)
    return (int(found[1]), int(found[2])) if found else (0, 0)


def official(context: Context) -> bool:
    """Whether .tools contains the complete CLI of the official installer."""
    return content.has_stamp(context.layout.stamps / "pulumi-official", VERSION)


def _install(context: Context, step: Step) -> bool:
    """Runs the official installer into .tools/pulumi and links its executables from .tools/bin. Returns False if it
    fails.
    """
    layout = context.layout
    script = layout.tools / "download" / "install-pulumi.sh"
    target = layout.tools / "pulumi"
    try:
        with urllib.request.urlopen(INSTALLER, timeout=10) as answer:
            content.write(script, answer.read().decode())
        argv = ["sh", str(script), "--version", VERSION, "--install-root", str(target), "--no-edit-path"]
        programs.run(argv, log=layout.logs / "pulumi-install.log", progress=step.progress, timeout_seconds=900)
    except (OSError, UnicodeDecodeError, ProgramFailed) as problem:
        context.console.warn(
            f"the official installer failed ({str(problem).splitlines()[0]}); building the CLI instead"
        )
        return False
    layout.bin.mkdir(parents=True, exist_ok=True)
    for executable in sorted((target / "bin").iterdir()):
        _link(layout.bin / executable.name, executable)
    content.write(layout.stamps / "pulumi-official", VERSION + "\n")
    return True


def _link(link: Path, target: Path) -> None:
    link.unlink(missing_ok=True)
    link.symlink_to(target)


def _home(context: Context) -> str:
    """Returns Pulumi's own folder: the user's if it exists (it may contain a log-in), otherwise one in .tools."""
    if context.set_by_user("PULUMI_HOME") or (Path.home() / ".pulumi").exists():
        return ""
    return str(context.layout.tools / "pulumi-home")
