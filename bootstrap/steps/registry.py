"""Step: the registry that images travel through. SEALIFT_REGISTRY; else the one on localhost:5000; else one started
by us.

Ours is Debian's docker-registry (or the registry image where images can be pulled), on loopback only, with deletion
allowed.
"""

import http.client
import json
import shutil

from bootstrap import content
from bootstrap.console import Step
from bootstrap.context import Context
from bootstrap.errors import PartMissing
from bootstrap.system import debian, network, ports, programs

TITLE = "Registry"
NAME = "registry"
PORTS = range(5000, 5010)
IMAGE = "registry:2"
WAYS = ("SEALIFT_REGISTRY=host:port of a registry that this machine may push to",)


def ensure(context: Context, step: Step) -> None:
    if chosen := context.set_by_user("SEALIFT_REGISTRY"):
        _check_chosen(chosen)
        step.done(f"{chosen}, as SEALIFT_REGISTRY says")
        return
    recorded = context.facts.registry
    if recorded and _answers_at(recorded):
        step.done(f"{recorded}, {'started by us' if context.daemons.running(NAME) else 'already running'}")
        return
    if answers(PORTS[0]):
        context.learn(registry=f"localhost:{PORTS[0]}")
        step.done(f"localhost:{PORTS[0]}, already running")
        return
    port = ports.first_free(PORTS)
    if port is None:
        raise PartMissing(TITLE, f"ports {PORTS[0]} to {PORTS[-1]} of this machine are all taken", WAYS)
    if port != PORTS[0]:
        context.console.note(f"port {PORTS[0]} is taken by something that is no registry; using {port}")
    how = start(context, step, port)
    context.learn(registry=f"localhost:{port}")
    step.done(f"localhost:{port}, started ({how})")


def answers(port: int) -> bool:
    """Whether a registry answers on this port of loopback: 200, or 401 when it wants a log-in."""
    connection = http.client.HTTPConnection(ports.LOOPBACK, port, timeout=2)
    try:
        connection.request("GET", "/v2/")
        reply = connection.getresponse()
        return reply.status in (200, 401) and (reply.getheader("Docker-Distribution-Api-Version") or "").startswith(
            "registry/"
        )
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()


def _answers_at(registry: str) -> bool:
    host, _, port = registry.rpartition(":")
    return host == "localhost" and port.isdigit() and answers(int(port))


def _check_chosen(registry: str) -> None:
    """A registry on this machine must answer; one elsewhere is the user's word."""
    host, _, port = registry.partition("/")[0].rpartition(":")
    if host in ("localhost", ports.LOOPBACK) and not (port.isdigit() and answers(int(port))):
        raise PartMissing(
            TITLE,
            f"SEALIFT_REGISTRY={registry} does not answer /v2/",
            ["start it", "unset SEALIFT_REGISTRY: one is started"],
        )


def start(context: Context, step: Step, port: int) -> str:
    """Starts one on `port`; says which."""
    if shutil.which("docker-registry") is None and not debian.can_install() and network.reachable("images"):
        publish = ["--publish", f"{ports.LOOPBACK}:{port}:5000", "--env", "REGISTRY_STORAGE_DELETE_ENABLED=true"]
        argv = ["docker", "run", "--detach", "--label", _label(context), *publish, IMAGE]
        remove_container(context)
        programs.run(
            argv,
            log=context.layout.logs / "registry.log",
            progress=step.progress,
            env=context.variables,
            timeout_seconds=300,
        )
        return IMAGE
    if shutil.which("docker-registry") is None:
        debian.require(TITLE, ["docker-registry"], context.layout, step.progress, WAYS)
    settings = context.layout.registry / "config.yml"
    content.write(settings, json.dumps(configuration(context, port), indent=2) + "\n")
    context.daemons.start(NAME, ["docker-registry", "serve", str(settings)], env=context.daemon_variables)
    context.daemons.wait_until(NAME, lambda: answers(port), timeout_seconds=20)
    return "Debian's docker-registry"


def remove_container(context: Context) -> list[str]:
    """Removes the registry that runs as a container, if this checkout started one; says what it removed."""
    argv = ["docker", "ps", "--all", "--quiet", "--filter", f"label={_label(context)}"]
    found = (programs.ask(argv, env=context.variables) or "").split()
    if found:
        programs.ask(["docker", "rm", "--force", "--volumes", *found], env=context.variables, timeout_seconds=30)
    return [IMAGE] if found else []


def _label(context: Context) -> str:
    return f"sealift.registry={context.layout.root}"


def configuration(context: Context, port: int) -> dict[str, object]:
    """config.yml (JSON is YAML)."""
    return {
        "version": "0.1",
        "log": {"level": "warn", "accesslog": {"disabled": True}},
        "storage": {
            "filesystem": {"rootdirectory": str(context.layout.registry / "data")},
            "delete": {"enabled": True},
        },
        "http": {"addr": f"{ports.LOOPBACK}:{port}"},
    }
