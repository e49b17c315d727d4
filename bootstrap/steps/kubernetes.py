"""Step: a Kubernetes cluster. It is the current kubeconfig context if it answers, otherwise a local node on this
machine (bootstrap/node).

If another checkout on this machine has a node, that one is used: two nodes would compete for the same packet filter
chains.
"""

import os
from pathlib import Path

from bootstrap import go_program
from bootstrap.console import Step
from bootstrap.context import Context
from bootstrap.errors import PartMissing
from bootstrap.layout import RUN
from bootstrap.node import node
from bootstrap.node.configuration import KUBERNETES, NODE
from bootstrap.system import programs

TITLE = "Kubernetes"
NEIGHBOUR = RUN / "kubeconfig"
ASK_SECONDS = 4
# Requests the version from the current context of KUBECONFIG, with the official client: kubeconfig files have many ways
# to log in.
QUESTION = f"""
from kubernetes import client, config
config.load_kube_config()
version = client.VersionApi().get_code(_request_timeout={ASK_SECONDS}).git_version
print(config.list_kube_config_contexts()[1]["name"], version, client.Configuration.get_default_copy().host)
"""


def ensure(context: Context, step: Step) -> None:
    if answer := _users_cluster(context, step):
        context.learn(kubeconfig="")
        step.done(f"context {answer}")
        registry = context.set_by_user("SEALIFT_REGISTRY") or context.facts.registry
        context.console.note(f"the cluster's nodes must be able to pull from {registry}; if not, set SEALIFT_REGISTRY")
        return
    mine = any(map(context.daemons.running, node.COMPONENTS))
    if not mine and NEIGHBOUR.exists() and (answer := _ask(context, str(NEIGHBOUR))):
        context.learn(kubeconfig=str(NEIGHBOUR))
        step.done("the local node of another checkout, already running")
        return
    started = node.start(context, step.progress)
    context.learn(kubeconfig=str(context.layout.kubeconfig))
    step.done(f"{KUBERNETES}, local node {NODE!r}, {'started' if started else 'running'}")


def ahead(context: Context) -> str:
    """See order.SetupStep."""
    chosen = context.set_by_user("KUBECONFIG") or (Path.home() / ".kube" / "config").exists() or NEIGHBOUR.exists()
    if chosen or go_program.is_built(context, "kube"):
        return ""
    return "5 to 12 minutes to build it from its Go module (not needed if you set KUBECONFIG to a cluster)"


def _users_cluster(context: Context, step: Step) -> str | None:
    chosen = context.set_by_user("KUBECONFIG")
    if not chosen and not (Path.home() / ".kube" / "config").exists():
        return None
    step.progress("contacting the current kubeconfig context")
    if chosen and not any(Path(one).exists() for one in chosen.split(os.pathsep)):
        raise PartMissing(
            TITLE,
            f"KUBECONFIG is {chosen!r}, but this file does not exist",
            ["set KUBECONFIG to the cluster's kubeconfig file", "or unset KUBECONFIG to start a local node"],
        )
    answer = _ask(context, chosen)
    if answer is None and chosen:
        raise PartMissing(
            TITLE,
            f"the current context of KUBECONFIG={chosen} does not answer within {ASK_SECONDS} s",
            ["start that cluster or choose another context", "or unset KUBECONFIG to start a local node"],
        )
    return answer


def _ask(context: Context, kubeconfig: str) -> str | None:
    """Returns name, version and address of the current context, or None if it does not answer."""
    env = {name: value for name, value in context.user.items() if name != "KUBECONFIG"}
    if kubeconfig:
        env["KUBECONFIG"] = kubeconfig
    return programs.ask([str(context.layout.python), "-c", QUESTION], env=env, timeout_seconds=4 * ASK_SECONDS)
