"""Start and stop of the local Kubernetes node that configuration.py describes.

Its state (.tools/cluster) survives `make down`, so that the next start has the same objects. Its processes, mounts,
addresses and packet filter rules do not survive.
"""

import base64
import json
import os
import platform
import time
from collections.abc import Sequence
from pathlib import Path

from bootstrap import content, go_program, image_archive
from bootstrap.console import Progress
from bootstrap.context import Context
from bootstrap.errors import BootstrapError, PartMissing
from bootstrap.layout import RUN, Layout
from bootstrap.node import api, configuration, metrics_configuration
from bootstrap.node.configuration import Node, Ports
from bootstrap.system import debian, host_network, leftovers, owner, pod_network, ports, programs

PART = "Kubernetes"
WAYS = ("set KUBECONFIG to the kubeconfig file of a running cluster",)
PACKAGES = (
    "containerd",
    "runc",
    "containernetworking-plugins",
    "etcd-server",
    "iptables",
    "iproute2",
    "conntrack",
    "mount",
)
VERSION_FLAGS = (
    f"-X k8s.io/component-base/version.gitVersion={configuration.KUBERNETES}",
    "-X k8s.io/component-base/version.gitMajor=1",
    "-X k8s.io/component-base/version.gitMinor=34",
)
# In the order of the start. They are stopped in reverse order.
COMPONENTS = (
    "etcd",
    "kube-apiserver",
    "containerd",
    "kube-controller-manager",
    "kube-scheduler",
    "kubelet",
    "kube-proxy",
)
PORT_BLOCK = 10
DEVICE_PLUGINS_NOTE = "device-plugins"
# Mounts our hosts file over the machine's, only for this process.
WITH_HOSTS = 'mount --bind "$1" /etc/hosts && shift && exec "$@"'


def describe(layout: Layout) -> Node:
    """Returns the node of this checkout, with the ports that its first start chose."""
    chosen = layout.cluster / "ports"
    base = int(chosen.read_text()) if chosen.exists() else Ports().base
    return Node(state=layout.cluster, run=RUN, kube=layout.bin / "kube", ports=Ports(base))


def models(context: Context) -> list[str]:
    """Returns the namespaces of models on this checkout's node, if it runs. They belong to other checkouts."""
    return api.model_namespaces(describe(context.layout)) if is_running(context) else []


def is_running(context: Context) -> bool:
    """Whether all processes of the node run and the API server is ready."""
    return all(map(context.daemons.running, COMPONENTS)) and api.ready(describe(context.layout))


def start(context: Context, progress: Progress) -> bool:
    """Starts components that do not run, with the present configuration. Returns whether it started any, once the node
    is Ready.
    """
    if os.geteuid() != 0:
        raise PartMissing(PART, "no cluster answers, and only root may start a local node", WAYS)
    debian.require(PART, PACKAGES, context.layout, progress, WAYS)
    _check_machine(context)
    build(context, progress)
    owner.claim(context.layout)
    node = _place(context)
    host_network.prepare(context.layout)
    key = _configure(context, node, progress)
    stamp = context.layout.run / "node.key"
    if is_running(context) and content.has_stamp(stamp, key):
        return False
    if not content.has_stamp(stamp, key) or not any(map(context.daemons.running, COMPONENTS)):
        # Also after a restart of the machine: nothing runs, but folders of mounts, addresses and sockets remain.
        stop(context, progress)
    stamp.unlink(missing_ok=True)
    _start_all(context, node, progress)
    content.write(stamp, key + "\n")
    return True


def _check_machine(context: Context) -> None:
    longest = context.layout.cluster / "kubelet" / "pod-resources" / "kubelet.sock"
    if len(str(longest)) > 107:
        raise PartMissing(
            PART,
            f"the checkout's path is too long for a socket: {longest} exceeds the limit of 107 bytes",
            ["move the checkout to a shorter path", *WAYS],
        )
    if not Path("/proc/sys/net/bridge").exists() and programs.ask(["modprobe", "br_netfilter"]) is None:
        context.console.warn("the kernel module br_netfilter is missing; pods may not reach services")


def build(context: Context, progress: Progress) -> None:
    module = context.layout.root / "bootstrap" / "node"
    build_one = {"context": context, "part": PART, "module": module, "progress": progress, "ways": WAYS}
    go_program.build(**build_one, package=".", name="kube", ldflags=VERSION_FLAGS)  # type: ignore[arg-type]
    go_program.build(**build_one, package="./pause", name="pause", cgo=False)  # type: ignore[arg-type]


def _place(context: Context) -> Node:
    """Returns the node with ports that it already uses or that are free now."""
    chosen = context.layout.cluster / "ports"
    if chosen.exists() and any(map(context.daemons.running, COMPONENTS)):
        return describe(context.layout)
    first = describe(context.layout).ports.base
    for base in (first, *range(Ports().base, Ports().base + 500, 20)):
        if all(map(ports.free, range(base, base + PORT_BLOCK))):
            content.write(chosen, f"{base}\n")
            return describe(context.layout)
    raise PartMissing(PART, f"no {PORT_BLOCK} consecutive ports from {Ports().base} on are free", WAYS)


def _configure(context: Context, node: Node, progress: Progress) -> str:
    """Writes all files and returns their key. It changes if a running component needs a restart."""
    layout, write = context.layout, content.write
    progress("certificates")
    argv = [str(layout.python), "-m", "bootstrap.node.certificates", str(node.pki), configuration.NODE]
    addresses = [configuration.NODE_ADDRESS, configuration.API_SERVICE_ADDRESS]
    programs.run([*argv, *addresses], log=layout.logs / "certificates.log", progress=progress, cwd=layout.root)
    for user in ("controller-manager", "scheduler", "proxy", "kubelet", metrics_configuration.USER):
        write(node.kubeconfig(user), _json(_kubeconfig(node, user)), mode=0o600)
    write(layout.kubeconfig, _json(_kubeconfig(node, "admin")), mode=0o600)
    write(node.state / "hosts", configuration.hosts())
    write(node.state / "kubelet.json", _json(configuration.kubelet_file(node)))
    write(node.state / "kube-proxy.json", _json(configuration.proxy_file(node)))
    write(node.state / "containerd.toml", configuration.containerd_file(node))
    write(node.state / "cni" / "10-sealift.conflist", _json(configuration.cni_file(node)))
    _allow_registry(context, node)
    files = [path for path in sorted(node.state.glob("*")) if path.is_file()]
    files += sorted(node.pki.glob("*.crt"))
    commands = [word for command in _commands(node).values() for word in command]
    return content.key(files=[*files, layout.stamps / "kube", layout.stamps / "pause"], words=commands)


def _allow_registry(context: Context, node: Node) -> None:
    """containerd reads these files at every pull, so the registry may change while it runs."""
    registry = context.set_by_user("SEALIFT_REGISTRY") or context.facts.registry
    host = registry.partition("/")[0]
    if host.partition(":")[0] in ("localhost", ports.LOOPBACK):
        content.write(node.state / "registries" / host / "hosts.toml", configuration.registry_file(host))
    else:
        (node.state / "registries").mkdir(exist_ok=True)


def _kubeconfig(node: Node, user: str) -> dict[str, object]:
    def encode(name: str) -> str:
        return base64.b64encode((node.pki / name).read_bytes()).decode()

    return configuration.kubeconfig_file(
        node, authority=encode("ca.crt"), certificate=encode(f"{user}.crt"), key=encode(f"{user}.key"), user=user
    )


def _commands(node: Node) -> dict[str, list[str]]:
    return {
        "etcd": configuration.etcd(node),
        "kube-apiserver": with_hosts(node, configuration.api_server(node)),
        "containerd": configuration.containerd(node),
        "kube-controller-manager": configuration.controller_manager(node),
        "kube-scheduler": configuration.scheduler(node),
        "kubelet": configuration.kubelet(node),
        "kube-proxy": configuration.proxy(node),
    }


def with_hosts(node: Node, command: Sequence[str]) -> list[str]:
    """Returns the command with the node's own hosts file."""
    return ["unshare", "--mount", "sh", "-c", WITH_HOSTS, "sh", str(node.state / "hosts"), *command]


def _start_all(context: Context, node: Node, progress: Progress) -> None:
    daemons, commands = context.daemons, _commands(node)
    env = component_environment(node)
    if platform.machine() == "aarch64":
        env["ETCD_UNSUPPORTED_ARCH"] = "arm64"
    (node.state / "etcd").mkdir(mode=0o700, exist_ok=True)
    _add_bridge()
    progress("starting etcd, containerd and the API server")
    for name in ("etcd", "containerd"):
        daemons.start(name, commands[name], env=env)
    daemons.wait_until("etcd", lambda: not ports.free(node.ports.etcd), timeout_seconds=30)
    daemons.start("kube-apiserver", commands["kube-apiserver"], env=env)
    daemons.wait_until("containerd", node.containerd_socket.is_socket, timeout_seconds=30)
    _load_pause(context, node, progress)
    daemons.wait_until("kube-apiserver", lambda: api.ready(node), timeout_seconds=90)
    api.bind_roles(node)
    progress("waiting for the node")
    since = time.time()
    for name in ("kube-controller-manager", "kube-scheduler", "kubelet", "kube-proxy"):
        daemons.start(name, commands[name], env=env)
    daemons.wait_until("kubelet", lambda: api.node_ready(node, since, progress), timeout_seconds=120)
    leftovers.note_device_plugins(context.layout.run / DEVICE_PLUGINS_NOTE)
    daemons.wait_until("kube-controller-manager", lambda: api.has_default_account(node), timeout_seconds=60)
    content.write(RUN / "kubeconfig", context.layout.kubeconfig.read_text(), mode=0o600)


def component_environment(node: Node) -> dict[str, str]:
    """Returns the variables of the node's processes, which get nothing of the user's shell."""
    return {"PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "HOME": str(node.state)}


def _add_bridge() -> None:
    """Adds the pods' bridge with the node's address before a component needs it. The CNI plugin uses it."""
    name, address = pod_network.BRIDGE, f"{configuration.NODE_ADDRESS}/{configuration.PODS.partition('/')[2]}"
    for words in (
        ["link", "add", name, "type", "bridge"],
        ["address", "replace", address, "dev", name],
        ["link", "set", name, "up"],
    ):
        programs.ask(["ip", *words])
    if configuration.NODE_ADDRESS not in (programs.ask(["ip", "-o", "address", "show", "dev", name]) or ""):
        raise BootstrapError(
            f"the network bridge {name} could not be made", ["allow CAP_NET_ADMIN; the kernel needs bridge support"]
        )


def _load_pause(context: Context, node: Node, progress: Progress) -> None:
    """Imports the pause image into containerd: every pod starts with its process."""
    ctr = ["ctr", "--address", str(node.containerd_socket), "--namespace", "k8s.io"]
    archive, layer = node.state / "pause.tar", node.state / "pause-layer.tar"
    layer.write_bytes(image_archive.layer_of({"pause": (context.layout.bin / "pause").read_bytes()}))
    settings = image_archive.configuration(layer, architecture=image_archive.architecture(), command=["/pause"])
    image_archive.write(archive, layer=layer, configuration=settings, name=configuration.PAUSE_IMAGE)
    programs.run(
        [*ctr, "images", "import", str(archive)],
        log=context.layout.logs / "pause.log",
        progress=progress,
        timeout_seconds=60,
    )
    archive.unlink()
    layer.unlink()


# Stopping


def stop(context: Context, progress: Progress) -> list[str]:
    """Stops the node and removes its remains. Returns the components that ran. Safe to call if nothing runs."""
    layout, node = context.layout, describe(context.layout)
    names = (*COMPONENTS, metrics_configuration.NAME)
    stopped = [name for name in reversed(names) if name != "containerd" and _stop_one(context, name, progress)]
    if context.daemons.running("containerd"):
        progress("ending the pods' containers")
        _end_containers(node)
        _stop_one(context, "containerd", progress)
        stopped.append("containerd")
    leftovers.end_shims_of(node.containerd_socket)
    stuck = leftovers.unmount([node.state, RUN / "containerd"])
    if stuck:
        context.console.warn(f"still mounted: {', '.join(stuck)}")
    for folder in (node.state / "kubelet", node.state / "cni-addresses", node.state / "pod-logs", RUN / "containerd"):
        leftovers.remove(folder)
    leftovers.remove_device_plugins(layout.run / DEVICE_PLUGINS_NOTE)
    leftovers.forget_network(pod_network.CNI_NETWORK)
    leftovers.forget_logs(node.state / "pod-logs")
    for socket in RUN.glob("containerd.sock*"):
        socket.unlink()
    if stopped:
        (RUN / "kubeconfig").unlink(missing_ok=True)
    (layout.run / "node.key").unlink(missing_ok=True)
    return stopped


def _stop_one(context: Context, name: str, progress: Progress) -> bool:
    progress(f"stopping {name}")
    return context.daemons.stop(name)


def _end_containers(node: Node) -> None:
    ctr = ["ctr", "--address", str(node.containerd_socket), "--namespace", "k8s.io"]
    tasks = (programs.ask([*ctr, "tasks", "list", "--quiet"]) or "").split()
    for task in tasks:
        programs.ask([*ctr, "tasks", "kill", "--signal", "SIGKILL", task])
    for task in tasks:
        programs.ask([*ctr, "tasks", "delete", "--force", task])
    containers = (programs.ask([*ctr, "containers", "list", "--quiet"]) or "").split()
    if containers:
        programs.ask([*ctr, "containers", "delete", *containers], timeout_seconds=60)


def _json(value: object) -> str:
    return json.dumps(value, indent=2) + "\n"
