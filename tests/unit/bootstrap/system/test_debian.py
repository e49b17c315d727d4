"""Packages of Debian's: what is installed for us starts nothing of its own."""

import re
from collections.abc import Callable
from pathlib import Path

import pytest

from bootstrap.node import node
from bootstrap.steps import docker_engine, nginx, prometheus
from bootstrap.system import debian

PACKAGES = sorted({*docker_engine.PACKAGES, *node.PACKAGES, "docker-registry", prometheus.PACKAGE, *nginx.PACKAGES})


@pytest.mark.parametrize("package", PACKAGES)
def test_every_service_that_debian_would_start_is_known(package: str) -> None:
    """By the package's own script, where it is installed."""
    script = Path(f"/var/lib/dpkg/info/{package}.postinst")
    if debian.find_missing([package]):
        pytest.skip(f"{package} is not installed here")
    text = script.read_text() if script.exists() else ""
    started = {
        unit
        for line in re.findall(r"deb-systemd-invoke (?:start|\$_dh_action) (.*)", text)
        for unit in re.findall(r"'(\S+)'", line)
    }

    assert started == set(debian.UNWANTED_SERVICES.get(package, ()))


def test_what_was_just_installed_is_disabled_and_nothing_else(
    program: Callable[[str, str], Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    systemctl = program("systemctl", 'echo "$@" >> "$0.calls"')
    monkeypatch.setenv("PATH", str(systemctl.parent))
    monkeypatch.setattr(debian, "SYSTEMD", tmp_path)

    debian._disable(["docker.io", "iptables"])

    assert Path(f"{systemctl}.calls").read_text() == "disable --now docker.service docker.socket\n"
