"""Step: a Docker engine. It is a running one, otherwise Debian's dockerd, started by set-up with its own configuration.

Our own engine keeps its data in .tools/docker and its socket in /run/sealift, publishes ports only on loopback, and
reads no configuration of the machine. A second checkout finds it by its socket and uses it.
"""

import json
import os
import shutil
from pathlib import Path

from bootstrap import content
from bootstrap.console import Step
from bootstrap.context import Context
from bootstrap.errors import BootstrapError, PartMissing
from bootstrap.layout import RUN
from bootstrap.system import debian, host_network, leftovers, owner, programs

TITLE = "Docker engine"
NAME = "dockerd"
SOCKET = RUN / "docker.sock"
HOST = f"unix://{SOCKET}"
PACKAGES = ("docker.io", "containerd", "runc", "iptables", "iproute2")
WAYS = ("start a Docker engine, or set DOCKER_HOST",)


def ensure(context: Context, step: Step) -> None:
    host = find_elsewhere(context)
    if host is not None:
        context.learn(docker_host=host)
        step.done(f"{answer(context)}, already running")
        return
    if shutil.which("dockerd") is None or shutil.which("docker") is None:
        debian.require(TITLE, PACKAGES, context.layout, step.progress, WAYS)
    if os.geteuid() != 0:
        raise PartMissing(TITLE, "no engine is running, and only root may start one", WAYS)
    started = start(context, step)
    context.learn(docker_host=HOST)
    driver = programs.ask(["docker", "info", "--format", "{{.Driver}}"], env=context.variables)
    if driver == "vfs":
        context.console.warn(
            "Docker stores images with vfs (slow, large), because the file system of .tools does not support overlay"
        )
    step.done(f"{answer(context)}, {'started' if started else 'running'} from .tools ({driver})")


def find_elsewhere(context: Context) -> str | None:
    """Returns DOCKER_HOST ("" for the default) of a running engine that is not this checkout's own, otherwise None."""
    if context.daemons.running(NAME):
        return None
    user = {name: value for name, value in context.user.items() if name != "DOCKER_HOST" or context.set_by_user(name)}
    if _ask_version(user):
        return _context_host(user)
    if context.set_by_user("DOCKER_HOST"):
        raise PartMissing(
            TITLE, f"DOCKER_HOST={user['DOCKER_HOST']} does not answer", ["start that engine", "unset DOCKER_HOST"]
        )
    return HOST if SOCKET.exists() and _ask_version({**user, "DOCKER_HOST": HOST}) else None


def _ask_version(env: dict[str, str]) -> str | None:
    if shutil.which("docker") is None:
        return None
    return programs.ask(["docker", "version", "--format", "{{.Server.Version}}"], env=env, timeout_seconds=6) or None


def _context_host(env: dict[str, str]) -> str:
    """Returns the address of the Docker CLI's current context, because our other programs know no contexts. "" for the
    default address.
    """
    if env.get("DOCKER_HOST"):
        return ""
    host = programs.ask(["docker", "context", "inspect", "--format", "{{.Endpoints.docker.Host}}"], env=env) or ""
    return "" if host == "unix:///var/run/docker.sock" else host


def answer(context: Context) -> str:
    """Returns the engine's version, requested in the environment of our programs."""
    version = _ask_version(context.variables)
    if version is None:
        host = context.variables.get("DOCKER_HOST", HOST)
        raise BootstrapError(
            f"the Docker engine at {host} does not answer (DOCKER_HOST)",
            ["start that engine, or unset DOCKER_HOST so that set-up starts one", "run make status"],
        )
    return version


def start(context: Context, step: Step) -> bool:
    layout = context.layout
    if context.daemons.running(NAME) and SOCKET.exists():
        return False
    owner.claim(layout)
    host_network.prepare(layout)
    layout.docker.mkdir(parents=True, exist_ok=True)
    settings = layout.tools / "docker.json"
    content.write(settings, json.dumps(configuration(layout.docker), indent=2) + "\n")
    if not context.daemons.running(NAME):
        clear_away()  # remains of a killed engine, or from before a restart of the machine
    context.daemons.start(NAME, ["dockerd", "--config-file", str(settings)], env=context.daemon_variables)
    step.progress("waiting for dockerd")
    asking = {**context.user, "DOCKER_HOST": HOST}
    context.daemons.wait_until(NAME, lambda: SOCKET.exists() and _ask_version(asking) is not None, timeout_seconds=60)
    host_network.note_bridges(layout, bridges(context))
    return True


def bridges(context: Context) -> list[str]:
    """Returns the names of the bridges of our engine's networks. The engine must run."""
    asking = {**context.user, "DOCKER_HOST": HOST}
    listed = programs.ask(["docker", "network", "ls", "--quiet", "--filter", "driver=bridge"], env=asking)
    if not listed:
        return []
    name = '{{with index .Options "com.docker.network.bridge.name"}}{{.}}{{else}}br-{{slice .Id 0 12}}{{end}}'
    return (programs.ask(["docker", "network", "inspect", "--format", name, *listed.split()], env=asking) or "").split()


def clear_away() -> list[str]:
    """Removes what our dockerd leaves in /run/sealift. Returns the remaining mounts."""
    runtime = RUN / "docker"
    leftovers.end_shims_of(runtime / "containerd" / "containerd.sock")
    stuck = leftovers.unmount([runtime])
    leftovers.remove(runtime)
    for file in (SOCKET, RUN / "docker.pid"):
        file.unlink(missing_ok=True)
    return stuck


def configuration(data: Path) -> dict[str, object]:
    """Returns the contents of daemon.json."""
    return {
        "hosts": [HOST],
        "data-root": str(data),
        "exec-root": str(RUN / "docker"),
        "pidfile": str(RUN / "docker.pid"),
        "ip": "127.0.0.1",  # where ports are published unless a container says otherwise
        "oom-score-adjust": 0,  # the default, -500, needs CAP_SYS_RESOURCE
        "log-level": "warn",
    }
