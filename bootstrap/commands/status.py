"""`status`: shows what is installed and what is running. It starts and changes nothing."""

from bootstrap.context import Context
from bootstrap.node import metrics_configuration, node
from bootstrap.steps import docker_engine, object_store, registry
from bootstrap.system import programs


def run(context: Context) -> int:
    """Returns 0 if set-up has run and everything that it started still runs, otherwise 1."""
    layout, facts, daemons = context.layout, context.facts, context.daemons
    line = context.console.line
    if not layout.activate.exists():
        line("nothing is set up here yet; run make setup")
        return 1
    for name, value in sorted(facts.__dict__.items()):
        line(f"{name:<14} {value}")
    line()
    stopped = 0
    for name in (docker_engine.NAME, registry.NAME, object_store.NAME, *node.COMPONENTS, metrics_configuration.NAME):
        if daemons.record_path(name).exists():
            up = daemons.running(name)
            stopped += not up
            line(f"{name:<24} {'running' if up else 'STOPPED'}  log: {daemons.log_path(name).relative_to(layout.root)}")
    if not daemons.names():
        line("no program of set-up is running")
    version = programs.ask(["docker", "version", "--format", "{{.Server.Version}}"], env=context.variables)
    line(f"{'Docker answers':<24} {version or 'no'}")
    if daemons.names():
        line(f"{'Kubernetes is ready':<24} {'yes' if node.is_running(context) else 'no'}")
    return 1 if stopped else 0
