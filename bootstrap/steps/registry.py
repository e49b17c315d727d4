"""Step: the registry for images. It is SEALIFT_REGISTRY, otherwise one on localhost:5000, otherwise one that set-up
starts.

Our own registry is Debian's docker-registry (or the registry image if images can be pulled). It listens only on
loopback and allows deletion.
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
WAYS = ("set SEALIFT_REGISTRY to the host:port of a registry that this machine may push to",)


def ensure(context: Context, step: Step) -> None:
    if chosen := context.set_by_user("SEALIFT_REGISTRY"):
        _check_chosen(chosen)
        step.done(f"{chosen}, from SEALIFT_REGISTRY")
        return
    recorded = context.facts.registry
    if recorded and _answers_at(recorded):
        step.done(f"{recorded}, {'started by set-up' if context.daemons.running(NAME) else 'already running'}")
        return
    if answers(PORTS[0]):
        context.learn(registry=f"localhost:{PORTS[0]}")
        step.done(f"localhost:{PORTS[0]}, already running")
        return
    port = ports.first_free(PORTS)
    if port is None:
        raise PartMissing(TITLE, f"all ports from {PORTS[0]} to {PORTS[-1]} of this machine are in use", WAYS)
    if port != PORTS[0]:
        context.console.note(f"port {PORTS[0]} is in use by another program; the registry uses port {port}")
    how = start(context, step, port)
    context.learn(registry=f"localhost:{port}")
    step.done(f"localhost:{port}, started ({how})")


def answers(port: int) -> bool:
    """Whether a registry answers on this port of loopback: with 200, or with 401 if it requires a log-in."""
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
    """Raises PartMissing if a registry on this machine does not answer. Other registries are not checked."""
    host, _, port = registry.partition("/")[0].rpartition(":")
    if host in ("localhost", ports.LOOPBACK) and not (port.isdigit() and answers(int(port))):
        raise PartMissing(
            TITLE,
            f"SEALIFT_REGISTRY={registry} does not answer /v2/",
            ["start that registry", "or unset SEALIFT_REGISTRY so that set-up starts one"],
        )


def start(context: Context, step: Step, port: int) -> str:
    """Starts a registry on `port` and returns its kind."""
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
    """Removes the registry's container if this checkout started one. Returns the names of removed parts."""
    argv = ["docker", "ps", "--all", "--quiet", "--filter", f"label={_label(context)}"]
    found = (programs.ask(argv, env=context.variables) or "").split()
    if found:
        programs.ask(["docker", "rm", "--force", "--volumes", *found], env=context.variables, timeout_seconds=30)
    return [IMAGE] if found else []


def _label(context: Context) -> str:
    return f"sealift.registry={context.layout.root}"


def configuration(context: Context, port: int) -> dict[str, object]:
    """Returns the contents of config.yml (JSON is YAML)."""
    return {
        "version": "0.1",
        "log": {"level": "warn", "accesslog": {"disabled": True}},
        "storage": {
            "filesystem": {"rootdirectory": str(context.layout.registry / "data")},
            "delete": {"enabled": True},
        },
        "http": {"addr": f"{ports.LOOPBACK}:{port}"},
    }
