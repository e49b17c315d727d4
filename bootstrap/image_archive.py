"""Container images made without a builder: one layer and one configuration, in the archive format that `docker load`
and `ctr import` read.

The same layer gives the same bytes, and so the same image id, on every machine: times, users and paths are left out.
"""

import io
import json
import platform
import tarfile
from collections.abc import Mapping, Sequence
from pathlib import Path

from bootstrap.errors import BootstrapError
from sealift.durable import file_set

EPOCH = "1970-01-01T00:00:00Z"


def layer_of(files: Mapping[str, bytes]) -> bytes:
    """Returns a layer that contains only these executables, by path."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w", format=tarfile.USTAR_FORMAT) as layer:
        for path, data in sorted(files.items()):
            layer.addfile(_entry(path, len(data), 0o755), io.BytesIO(data))
    return buffer.getvalue()


def configuration(
    layer: Path,
    *,
    architecture: str,
    environment: Sequence[str] = (),
    command: Sequence[str] = (),
    labels: Mapping[str, str] | None = None,
) -> bytes:
    """Returns an image's configuration. Its SHA-256 is the image id."""
    settings = {"Env": list(environment), "Cmd": list(command), "WorkingDir": "/", "Labels": dict(labels or {})}
    return _json(
        {
            "architecture": architecture,
            "config": settings,
            "created": EPOCH,
            "history": [{"created": EPOCH, "created_by": "sealift set-up"}],
            "os": "linux",
            "rootfs": {"type": "layers", "diff_ids": [f"sha256:{file_set.of_file(layer)}"]},
        }
    )


def image_id(configuration: bytes) -> str:
    """Returns the image id, 64 hex digits."""
    return file_set.of_bytes(configuration)


def write(target: Path, *, layer: Path, configuration: bytes, name: str) -> None:
    """Writes the archive of the image with the name `name`."""
    diff_id = json.loads(configuration)["rootfs"]["diff_ids"][0].removeprefix("sha256:")
    file = f"{image_id(configuration)}.json"
    manifest = _json([{"Config": file, "RepoTags": [name], "Layers": [f"{diff_id}/layer.tar"]}])
    with tarfile.open(target, mode="w", format=tarfile.USTAR_FORMAT) as archive:
        with layer.open("rb") as data:
            archive.addfile(_entry(f"{diff_id}/layer.tar", layer.stat().st_size, 0o644), data)
        for path, content in ((file, configuration), ("manifest.json", manifest)):
            archive.addfile(_entry(path, len(content), 0o644), io.BytesIO(content))


def _entry(path: str, size_bytes: int, mode: int) -> tarfile.TarInfo:
    entry = tarfile.TarInfo(path)
    entry.size = size_bytes
    entry.mode = mode
    return entry  # owner 0:0, no names, time 0


def _json(value: object) -> bytes:
    return json.dumps(value, sort_keys=True, separators=(",", ":")).encode()


def architecture() -> str:
    """Returns this machine's architecture in the names that images use. Raises BootstrapError if it has none."""
    machine = platform.machine()
    known = {"x86_64": "amd64", "aarch64": "arm64"}
    if machine not in known:
        raise BootstrapError(f"images for {machine} are not supported; allowed: {', '.join(known)}")
    return known[machine]
