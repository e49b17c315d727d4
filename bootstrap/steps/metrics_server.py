"""Step: resource metrics of the local node, which autoscaling by CPU needs. It is metrics-server, built from its Go
module (bootstrap/metrics_server), as a process of the node.

It is left out unless a stack is autoscaled or the tests run. Once built, it starts with the node, where it takes 16 MB
of memory and a second of CPU time in 15 minutes: an API that is registered but not served would keep Kubernetes from
deleting namespaces. A cluster of the user's own is not touched.
"""

import base64
from pathlib import Path

from bootstrap import go_program
from bootstrap.console import Progress, Step
from bootstrap.context import Context
from bootstrap.errors import PartMissing
from bootstrap.node import api, metrics_configuration, node
from bootstrap.node.metrics_configuration import NAME

TITLE = "Metrics server"
PACKAGE = "sigs.k8s.io/metrics-server/cmd/metrics-server"
WAYS = ("remove deployment.autoscaling and set deployment.replicas",)
READY_SECONDS = 60


def is_kept(context: Context) -> bool:
    """Whether an earlier set-up has built it."""
    return go_program.is_built(context, NAME)


def ensure(context: Context, step: Step) -> None:
    if context.facts.kubeconfig != str(context.layout.kubeconfig):
        step.done("not started: the cluster is not this checkout's local node")
        return
    here = node.describe(context.layout)
    program = build(context, step.progress)
    command = node.with_hosts(here, metrics_configuration.metrics_server(here, program))
    started = context.daemons.start(NAME, command, env=node.component_environment(here))
    authority = base64.b64encode((here.pki / "ca.crt").read_bytes()).decode()
    for path, body in metrics_configuration.objects(here, authority):
        api.apply(here, path, body)
    step.progress("waiting for the first metrics")
    context.daemons.wait_until(
        NAME, lambda: api.serves(here, metrics_configuration.API_SERVICE), timeout_seconds=READY_SECONDS
    )
    step.done(f"{PACKAGE.split('/')[1]}, local node, {'started' if started else 'running'}")


def ensure_for_tests(context: Context, step: Step) -> None:
    """Does the same. Tests that need it are skipped without it."""
    try:
        ensure(context, step)
    except PartMissing as missing:
        step.done(f"tests that need it are skipped ({missing.message})")


def ahead(context: Context) -> str:
    """See order.SetupStep."""
    return "" if is_kept(context) else "4 minutes to build it from its Go module"


def build(context: Context, progress: Progress) -> Path:
    """Returns the program. Raises PartMissing without Go."""
    module = context.layout.root / "bootstrap" / "metrics_server"
    return go_program.build(context, TITLE, module=module, package=PACKAGE, name=NAME, progress=progress, ways=WAYS)
