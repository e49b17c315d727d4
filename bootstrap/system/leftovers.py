"""Removal of what daemons leave behind: their children, their mounts, files outside our folders. Only what is certainly
ours is removed.
"""

import contextlib
import itertools
import os
import re
import shutil
import signal
from collections.abc import Iterable
from pathlib import Path

from bootstrap import content
from bootstrap.system import programs

CNI_STATE = (Path("/var/lib/cni/results"), Path("/var/lib/cni/cache/results"))
CONTAINER_LOGS = Path("/var/log/containers")
DEVICE_PLUGINS = Path("/var/lib/kubelet/device-plugins")
SHIMS = Path("/run/containerd")
# The kubelet, containerd's shims, runc, libcni and dockerd always use these folders.
FIXED_FOLDERS = (
    DEVICE_PLUGINS,
    DEVICE_PLUGINS.parent,
    CONTAINER_LOGS,
    *CNI_STATE,
    Path("/var/lib/cni/cache"),
    Path("/var/lib/cni"),
    Path("/run/docker/plugins"),
    Path("/run/docker"),
)


def end_shims_of(socket: Path) -> int:
    """Kills the containerd shims that report to our `socket` and outlived its containerd. Returns their number.

    A shim is recognised by its program and this option, not by another mention of the path, such as an editor's.
    """
    ended = 0
    for folder in Path("/proc").iterdir():
        if not folder.name.isdigit():
            continue
        try:
            descriptor = os.pidfd_open(int(folder.name))
        except OSError:
            continue
        try:
            words = (folder / "cmdline").read_bytes().decode(errors="replace").split("\0")
            is_shim = (folder / "exe").readlink().name.startswith("containerd-shim")
            if is_shim and ("-address", str(socket)) in itertools.pairwise(words):
                signal.pidfd_send_signal(descriptor, signal.SIGKILL)
                ended += 1
        except OSError:
            pass  # it has ended meanwhile
        finally:
            os.close(descriptor)
    return ended


def mounts_under(folders: Iterable[Path], mountinfo: str) -> list[str]:
    """Returns mount points at or below `folders`, deepest first, from the text of /proc/self/mountinfo (proc(5))."""
    tops = [str(folder) for folder in folders]
    points = [_unescape(line.split()[4]) for line in mountinfo.splitlines()]
    ours = [point for point in points if any(point == top or point.startswith(top + "/") for top in tops)]
    return sorted(ours, key=lambda point: (-point.count("/"), point))


def _unescape(field: str) -> str:
    return re.sub(r"\\([0-7]{3})", lambda found: chr(int(found[1], 8)), field)


def unmount(folders: Iterable[Path]) -> list[str]:
    """Unmounts everything at or below `folders`. Returns the remaining mount points."""
    tops = list(folders)
    for point in mounts_under(tops, Path("/proc/self/mountinfo").read_text()):
        if programs.ask(["umount", point]) is None:
            programs.ask(["umount", "--lazy", point])
    return mounts_under(tops, Path("/proc/self/mountinfo").read_text())


def remove(folder: Path) -> None:
    """Deletes a folder, unless something is still mounted in it, whose contents must not be deleted."""
    if not mounts_under([folder], Path("/proc/self/mountinfo").read_text()):
        shutil.rmtree(folder, ignore_errors=True)


def forget_network(network: str) -> None:
    """Deletes libcni's notes about our pods' interfaces (`NETWORK-POD-eth0`, `cni-loopback-POD-lo`)."""
    for state in CNI_STATE:
        for note in state.glob(f"{network}-*"):
            pod = note.name.removeprefix(f"{network}-").rpartition("-")[0]
            note.unlink(missing_ok=True)
            (state / f"cni-loopback-{pod}-lo").unlink(missing_ok=True)


def note_device_plugins(note: Path) -> None:
    """Notes the device plugins' socket of our kubelet, which is Ready. Every kubelet uses the same path."""
    content.write(note, _identity(DEVICE_PLUGINS / "kubelet.sock"), mode=0o600)


def _identity(path: Path) -> str:
    """Returns a text that identifies a file, even if another file gets its name or its inode."""
    try:
        found = path.lstat()
    except FileNotFoundError:
        return ""
    return f"{found.st_dev} {found.st_ino} {found.st_ctime_ns}"


def remove_device_plugins(note: Path) -> None:
    """Removes the noted socket. Another kubelet's socket stays."""
    noted = note.read_text() if note.exists() else ""
    if noted and noted == _identity(DEVICE_PLUGINS / "kubelet.sock"):
        (DEVICE_PLUGINS / "kubelet.sock").unlink()
    note.unlink(missing_ok=True)


def remove_fixed_folders() -> None:
    """Removes folders that our daemons made at fixed paths, deepest first. A folder with other files stays."""
    if f"{SHIMS}/" not in Path("/proc/net/unix").read_text():
        # No process listens there, so it contains only sockets and state of killed shims.
        remove(SHIMS)
    for folder in FIXED_FOLDERS:
        with contextlib.suppress(OSError):
            folder.rmdir()


def forget_logs(logs: Path) -> None:
    """Deletes the kubelet's links in /var/log/containers that point into our `logs`."""
    if not CONTAINER_LOGS.is_dir():
        return
    for link in CONTAINER_LOGS.iterdir():
        if link.is_symlink() and str(link.readlink()).startswith(f"{logs}/"):
            link.unlink()
