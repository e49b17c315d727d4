"""Step: the base image of model images. It is SEALIFT_BASE_IMAGE, otherwise python:3.12-slim if it can be pulled,
otherwise an image made from Debian packages.

Our own image contains Python and the C++ library that onnxruntime needs, and nothing to install packages with: no apt,
no documentation, no package lists. Its tag depends on its content, so that a stack always uses the same bytes.
"""

import os
import shutil
import tarfile
from pathlib import Path

from bootstrap import content, image_archive
from bootstrap.console import Step
from bootstrap.context import Context
from bootstrap.errors import PartMissing, ProgramFailed
from bootstrap.system import debian, network, programs

TITLE = "Base image"
OFFICIAL = "docker.io/library/python:3.12-slim"
REPOSITORY = "sealift/python"
SUITE = "bookworm"
PACKAGES = ("python3", "libstdc++6")
RECIPE_LABEL = "sealift.base-image.recipe"
WAYS = ("set SEALIFT_BASE_IMAGE to an image with Python 3.11 or newer that this Docker engine has or can pull",)
ENVIRONMENT = ("PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "LANG=C.UTF-8")
# Folders that stay but are emptied: documentation, files that only apt needs, device nodes (the container has its own).
EMPTIED = (
    "usr/share/doc",
    "usr/share/man",
    "usr/share/info",
    "usr/share/locale",
    "usr/share/lintian",
    "var/lib/apt",
    "var/cache",
    "var/log",
    "etc/apt",
    "dev",
)
DROPPED = ("etc/machine-id", "etc/resolv.conf", "etc/hostname")


def ensure(context: Context, step: Step) -> None:
    if chosen := context.set_by_user("SEALIFT_BASE_IMAGE"):
        if not _present(context, chosen) and not _pull(context, step, chosen, timeout_seconds=600):
            raise PartMissing(
                TITLE, f"SEALIFT_BASE_IMAGE={chosen} is not in the Docker engine and cannot be pulled", WAYS
            )
        step.done(f"{chosen}, from SEALIFT_BASE_IMAGE")
        return
    recorded = context.facts.base_image
    if recorded and _present(context, recorded):
        step.done(recorded)
        return
    if _present(context, OFFICIAL) or (
        network.reachable("images") and _pull(context, step, OFFICIAL, timeout_seconds=300)
    ):
        context.learn(base_image=OFFICIAL)
        step.done(f"{OFFICIAL}, pulled")
        return
    if made := _find_made_before(context):
        context.learn(base_image=made)
        step.done(f"{made}, made by another checkout")
        return
    name, size_bytes = _from_debian(context, step)
    context.learn(base_image=name)
    step.done(f"{name}, made from Debian, {size_bytes / 1e6:.0f} MB")


def _present(context: Context, image: str) -> bool:
    return programs.ask(["docker", "image", "inspect", "--format", "{{.Id}}", image], env=context.variables) is not None


def _pull(context: Context, step: Step, image: str, *, timeout_seconds: float) -> bool:
    try:
        log = context.layout.logs / "pull.log"
        programs.run(
            ["docker", "pull", image],
            log=log,
            progress=step.progress,
            env=context.variables,
            timeout_seconds=timeout_seconds,
        )
    except ProgramFailed:
        return False
    return True


def recipe() -> str:
    """Returns a key that changes when earlier images can no longer be used."""
    return content.key(words=["1", SUITE, *PACKAGES, *EMPTIED, "", *DROPPED, *ENVIRONMENT])


def _find_made_before(context: Context) -> str | None:
    """Returns the engine's newest image of this recipe, so that checkouts that share an engine use the same bytes."""
    wanted = ["--filter", f"reference={REPOSITORY}", "--filter", f"label={RECIPE_LABEL}={recipe()}"]
    found = programs.ask(["docker", "images", *wanted, "--format", "{{.Repository}}:{{.Tag}}"], env=context.variables)
    return found.splitlines()[0] if found else None


def _from_debian(context: Context, step: Step) -> tuple[str, int]:
    """Loads our own image into the engine and returns its name and size. The root file system is kept for the next
    engine, which then only has to load it.
    """
    folder = context.layout.tools / "base-image"
    folder.mkdir(parents=True, exist_ok=True)
    layer = folder / "rootfs.tar"
    stamp = context.layout.stamps / "base-image"
    if not (content.has_stamp(stamp, recipe()) and layer.exists()):
        _bootstrap_debian(context, step, layer)
        content.write(stamp, recipe() + "\n")
    settings = image_archive.configuration(
        layer,
        architecture=image_archive.architecture(),
        environment=ENVIRONMENT,
        command=["python3"],
        labels={RECIPE_LABEL: recipe()},
    )
    name = f"{REPOSITORY}:{SUITE}-{image_archive.image_id(settings)[:12]}"
    archive = folder / "image.tar"
    image_archive.write(archive, layer=layer, configuration=settings, name=name)
    step.progress("loading it into the Docker engine")
    load = ["docker", "load", "--input", str(archive)]
    programs.run(
        load, log=context.layout.logs / "load.log", progress=step.progress, env=context.variables, timeout_seconds=300
    )
    archive.unlink()
    return name, layer.stat().st_size


def _bootstrap_debian(context: Context, step: Step, layer: Path) -> None:
    if shutil.which("mmdebstrap") is None:
        debian.require(TITLE, ["mmdebstrap"], context.layout, step.progress, WAYS)
    whole, draft = layer.with_name("whole.tar"), layer.with_name("rootfs.tar.new")
    whole.unlink(missing_ok=True)
    exclude = [f"--dpkgopt=path-exclude=/{path}/*" for path in EMPTIED if path.startswith("usr/share")]
    argv = ["mmdebstrap", "--variant=essential", f"--include={','.join(PACKAGES)}", *exclude, SUITE, str(whole)]
    env = {**os.environ, "SOURCE_DATE_EPOCH": "0", "TMPDIR": str(layer.parent)}
    programs.run(argv, log=context.layout.logs / "base-image.log", progress=step.progress, env=env, timeout_seconds=900)
    step.progress("removing files that the image does not need")
    strip(whole, draft)
    draft.replace(layer)
    whole.unlink()


def strip(source: Path, target: Path) -> None:
    """Copies a root file system's archive without the contents of EMPTIED. Order and times are fixed, because they
    differ between two runs.
    """
    with tarfile.open(source) as whole, tarfile.open(target, "w", format=tarfile.PAX_FORMAT) as stripped:
        # Hard links last: each must come after the file that it names.
        for entry in sorted(whole.getmembers(), key=lambda entry: (entry.islnk(), entry.name)):
            path = entry.name.removeprefix("./").strip("/")
            if path in DROPPED or any(path.startswith(f"{folder}/") for folder in EMPTIED):
                continue
            entry.mtime = 0
            entry.pax_headers = {}
            stripped.addfile(entry, whole.extractfile(entry) if entry.isreg() else None)
