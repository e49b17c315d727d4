"""Taking back what our daemons changed in the machine's network, in a network of its own."""

import subprocess
import sys
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).resolve().parents[4]
START = """
import subprocess, sys
from pathlib import Path
from bootstrap.system import host_network
from bootstrap.layout import Layout
host_network.SETTINGS, host_network.CGROUPS = ("net/ipv4/ip_forward",), ()
layout = Layout(Path(sys.argv[1]))
def call(line):
    subprocess.run(line.split(), check=True)
"""
SHOW = """
import socket
print(*[name for _, name in socket.if_nameindex()])
print(subprocess.run(["iptables-save", "-t", "filter"], check=True, capture_output=True, text=True).stdout)
"""


def in_own_network(folder: Path, body: str) -> str:
    """What the lines print, run as root in a new network namespace; skips where that cannot be had."""
    tried = subprocess.run(
        ["unshare", "--net", "sh", "-c", "ip link add trial0 type bridge && iptables -S"],
        capture_output=True,
        check=False,
    )
    if tried.returncode:
        pytest.skip(f"no network namespace with bridges and iptables here: {tried.stderr.decode().strip()}")
    done = subprocess.run(
        ["unshare", "--net", sys.executable, "-c", START + body + SHOW, str(folder)],
        cwd=REPOSITORY,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_links_that_were_there_before_stay(tmp_path: Path) -> None:
    """The user's docker0 and a bridge of our name, with all that is plugged into them."""
    shown = in_own_network(
        tmp_path,
        """
call("ip link add docker0 type bridge")
call("ip link add sealift0 type bridge")
host_network.prepare(layout)
host_network.note_bridges(layout, ["docker0"])
host_network.restore(layout)
""",
    )

    assert shown.splitlines()[0].split() == ["lo", "docker0", "sealift0"]


def test_links_that_our_daemons_added_go(tmp_path: Path) -> None:
    """One that the user added meanwhile stays."""
    shown = in_own_network(
        tmp_path,
        """
host_network.prepare(layout)
for name in ("docker0", "sealift0", "br-0123456789ab", "br-ba9876543210"):
    call(f"ip link add {name} type bridge")
host_network.note_bridges(layout, ["docker0", "br-0123456789ab"])
host_network.restore(layout)
""",
    )

    assert shown.splitlines()[0].split() == ["lo", "br-ba9876543210"]


def test_without_a_docker_engine_of_ours_docker0_stays(tmp_path: Path) -> None:
    """It is that of an engine which the user started after our node."""
    shown = in_own_network(
        tmp_path, 'host_network.prepare(layout)\ncall("ip link add docker0 type bridge")\nhost_network.restore(layout)'
    )

    assert "docker0" in shown.splitlines()[0]


def test_our_rules_go_and_the_users_stay(tmp_path: Path) -> None:
    shown = in_own_network(
        tmp_path,
        """
call("iptables -A INPUT -i lo -j ACCEPT")
host_network.prepare(layout)
host_network.note_bridges(layout, ["docker0"])
call("iptables -N DOCKER")
call("iptables -A FORWARD -o docker0 -j DOCKER")
call("iptables -A FORWARD -i docker0 ! -o docker0 -j ACCEPT")
call("iptables -A INPUT -s 172.18.0.0/16 -j ACCEPT")
host_network.restore(layout)
""",
    )

    assert [line for line in shown.splitlines() if line.startswith("-A")] == [
        "-A INPUT -i lo -j ACCEPT",
        "-A INPUT -s 172.18.0.0/16 -j ACCEPT",
    ]
    assert ":DOCKER" not in shown


def test_the_network_of_another_docker_engine_stays(tmp_path: Path) -> None:
    """One that was started while ours ran shares docker0 and the chains with it."""
    engine = tmp_path / "dockerd"
    engine.write_bytes(Path("/bin/sleep").read_bytes())
    engine.chmod(0o755)
    shown = in_own_network(
        tmp_path,
        f"""
host_network.prepare(layout)
host_network.note_bridges(layout, ["docker0"])
call("ip link add docker0 type bridge")
call("iptables -N DOCKER")
with subprocess.Popen(["{engine}", "60"]) as another:
    while Path(f"/proc/{{another.pid}}/comm").read_text() != "dockerd\\n":  # exec closes files before it sets the name
        pass
    host_network.restore(layout)
    another.kill()
""",
    )

    assert "docker0" in shown.splitlines()[0]
    assert ":DOCKER" in shown
