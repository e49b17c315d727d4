"""Builds one Go program of airgap/ or node/ into .tools/bin, if its sources changed. An unfinished build never counts
as finished.

Go's own caches stay in the user's place, so a second checkout links in seconds.
"""

import re
import shutil
from collections.abc import Sequence
from pathlib import Path

from bootstrap import content
from bootstrap.console import Progress
from bootstrap.context import Context
from bootstrap.errors import PartMissing
from bootstrap.system import programs


def build(
    context: Context,
    part: str,
    *,
    module: Path,
    package: str,
    name: str,
    progress: Progress,
    ldflags: Sequence[str] = (),
    cgo: bool | None = None,
    ways: Sequence[str] = (),
) -> Path:
    """Builds `.tools/bin/NAME` from `package` of the Go module in `module`. Raises PartMissing if Go is missing or too
    old.
    """
    layout = context.layout
    target = layout.bin / name
    flags = ["-s", "-w", *ldflags]
    sources = [module / "go.mod", module / "go.sum", *sorted(module.rglob("*.go"))]
    expected = content.key(files=sources, words=[package, *flags, str(cgo)])
    stamp = layout.stamps / name
    if content.has_stamp(stamp, expected) and target.exists():
        return target
    go = _go(context, part, module, ways)
    env = dict(context.user)
    if cgo is not None:
        env["CGO_ENABLED"] = "1" if cgo else "0"
    layout.bin.mkdir(parents=True, exist_ok=True)
    draft = layout.bin / f".{name}.new"
    argv = [go, "build", "-v", "-mod=readonly", "-ldflags", " ".join(flags), "-o", str(draft), package]
    programs.run(argv, log=layout.logs / f"{name}-build.log", progress=progress, env=env, cwd=module)
    stamp.unlink(missing_ok=True)
    draft.replace(target)
    content.write(stamp, expected + "\n")
    return target


def is_built(context: Context, name: str) -> bool:
    return (context.layout.stamps / name).exists() and (context.layout.bin / name).exists()


def _go(context: Context, part: str, module: Path, ways: Sequence[str]) -> str:
    needed = re.search(r"^go (\d+)\.(\d+)", (module / "go.mod").read_text(), re.MULTILINE)
    if needed is None:
        raise RuntimeError(f"internal error: {module}/go.mod has no go line")
    at_least = (int(needed[1]), int(needed[2]))
    wanted = f"install Go {needed[1]}.{needed[2]} or newer and put it on PATH"
    go = shutil.which("go", path=context.user.get("PATH"))
    if go is None:
        raise PartMissing(part, "must be built from source, but Go is not installed", [*ways, wanted])
    said = programs.ask([go, "env", "GOVERSION"], timeout_seconds=30, env=context.user) or ""
    version = re.match(r"go(\d+)\.(\d+)", said)
    # Go 1.21 and newer download the toolchain that a module needs, unless GOTOOLCHAIN is "local".
    fetches = version is not None and (int(version[1]), int(version[2])) >= (1, 21)
    fetches = fetches and programs.ask([go, "env", "GOTOOLCHAIN"], env=context.user) != "local"
    if version is None or ((int(version[1]), int(version[2])) < at_least and not fetches):
        raise PartMissing(part, f"must be built from source, but {go} is {said or 'unusable'}", [*ways, wanted])
    return go
