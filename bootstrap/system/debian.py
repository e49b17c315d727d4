"""Debian packages, the only parts that set-up installs outside .tools/. It installs only missing ones, only as root and
only on Debian.
"""

import functools
import os
import shutil
from collections.abc import Sequence
from pathlib import Path

from bootstrap.console import Progress
from bootstrap.errors import PartMissing
from bootstrap.layout import Layout
from bootstrap.system import programs

# Packages whose services Debian starts and enables on a machine with systemd. Set-up disables them and starts its own,
# with its own configuration.
UNWANTED_SERVICES = {
    "containerd": ("containerd.service",),
    "docker-registry": ("docker-registry.service",),
    "docker.io": ("docker.service", "docker.socket"),
    "etcd-server": ("etcd.service",),
    "nginx-common": ("nginx.service",),
    "prometheus": ("prometheus.service",),
}
SYSTEMD = Path("/run/systemd/system")


def can_install() -> bool:
    return os.geteuid() == 0 and shutil.which("apt-get") is not None


def find_missing(packages: Sequence[str]) -> list[str]:
    """Returns those of `packages` that dpkg does not list as installed."""
    return [
        name for name in packages if programs.ask(["dpkg-query", "-W", "-f=${db:Status-Status}", name]) != "installed"
    ]


def require(
    part: str, packages: Sequence[str], layout: Layout, progress: Progress, ways: Sequence[str] = ()
) -> list[str]:
    """Installs the missing ones of `packages` for `part` and returns them. Raises PartMissing if it cannot."""
    by_hand = f"as root on Debian: apt-get update && apt-get install {' '.join(packages)}"
    if shutil.which("dpkg-query") is None or shutil.which("apt-get") is None:
        raise PartMissing(part, "not found, and this machine does not run Debian", [*ways, by_hand])
    absent = find_missing(packages)
    if not absent:
        return []
    if os.geteuid() != 0:
        raise PartMissing(
            part, f"needs the Debian packages {', '.join(absent)}, and only root may install them", [*ways, by_hand]
        )
    log = layout.logs / "apt.log"
    quiet = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    _update(layout, progress)
    argv = ["apt-get", "install", "--yes", "--no-install-recommends", "-o", "Dpkg::Use-Pty=0", *absent]
    programs.run(argv, log=log, progress=progress, env=quiet, timeout_seconds=900)
    _disable(absent)
    return absent


def _disable(packages: Sequence[str]) -> None:
    """Disables services of packages that were just installed. An earlier service is the user's."""
    units = [unit for package in packages for unit in UNWANTED_SERVICES.get(package, ())]
    if units and SYSTEMD.exists():
        programs.ask(["systemctl", "disable", "--now", *units], timeout_seconds=60)


@functools.cache
def _updated() -> list[bool]:
    return []


def _update(layout: Layout, progress: Progress) -> None:
    """Runs `apt-get update` once per process."""
    if not _updated():
        programs.run(["apt-get", "update"], log=layout.logs / "apt-update.log", progress=progress, timeout_seconds=300)
        _updated().append(True)
