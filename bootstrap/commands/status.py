"""`status`: what is there and what runs. Starts and changes nothing."""

from bootstrap.context import Context
from bootstrap.node import node
from bootstrap.steps import docker_engine, registry
from bootstrap.system import programs


def run(context: Context) -> int:
    """0 if set-up has been here and everything it started still runs, 1 otherwise."""
    layout, facts, daemons = context.layout, context.facts, context.daemons
    line = context.console.line
    if not layout.activate.exists():
        line("nothing is set up here yet: make setup")
        return 1
    for name, value in sorted(facts.__dict__.items()):
        line(f"{name:<14} {value}")
    line()
    stopped = 0
    for name in (docker_engine.NAME, registry.NAME, *node.COMPONENTS):
        if daemons.record_path(name).exists():
            up = daemons.running(name)
            stopped += not up
            line(f"{name:<24} {'running' if up else 'STOPPED'}  log: {daemons.log_path(name).relative_to(layout.root)}")
    if not daemons.names():
        line("nothing of ours is running")
    version = programs.ask(["docker", "version", "--format", "{{.Server.Version}}"], env=context.variables)
    line(f"{'Docker answers':<24} {version or 'no'}")
    if daemons.names():
        line(f"{'Kubernetes is ready':<24} {'yes' if node.is_running(context) else 'no'}")
    return 1 if stopped else 0
