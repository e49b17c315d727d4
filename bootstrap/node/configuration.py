"""Flags and files of the local node, as plain values, with a reason for each flag that is not obvious.

Pure: node.py reads, writes and starts. Files are JSON, which is also YAML. All components listen on loopback. The
node's own address is that of the pods' bridge, so that even a machine without a network has one.
"""

from dataclasses import dataclass, field
from pathlib import Path

from bootstrap.system.pod_network import BRIDGE, CNI_NETWORK

NODE = "sealift"
KUBERNETES = "v1.34.4"
PODS = "10.217.0.0/24"
NODE_ADDRESS = "10.217.0.1"  # the bridge's, first of PODS
SERVICES = "10.217.64.0/18"
API_SERVICE_ADDRESS = "10.217.64.1"  # first of SERVICES, by Kubernetes' own rule
PAUSE_IMAGE = "sealift.local/pause:1"
ETCD_PEER = "etcd-peer"
FRONT_PROXY = "front-proxy-client"
"""Name with which the API server passes requests on to servers of further APIs, such as metrics-server."""
FRONT_PROXY_AUTHORITY = "front-proxy-ca"
LOOPBACK = "127.0.0.1"


@dataclass(frozen=True)
class Ports:
    """One block of ports on loopback, counted from `base`."""

    base: int = 27440

    etcd = property(lambda self: self.base)
    etcd_peer = property(lambda self: self.base + 1)
    metrics_server = property(lambda self: self.base + 2)
    api = property(lambda self: self.base + 3)
    kubelet = property(lambda self: self.base + 4)
    kubelet_health = property(lambda self: self.base + 5)
    controller_manager = property(lambda self: self.base + 6)
    scheduler = property(lambda self: self.base + 7)
    proxy_health = property(lambda self: self.base + 8)
    proxy_metrics = property(lambda self: self.base + 9)


@dataclass(frozen=True)
class Node:
    """Paths and ports of the node: `state` under the checkout, `run` for sockets, the executable `kube`."""

    state: Path
    run: Path
    kube: Path
    cni_plugins: Path = Path("/usr/lib/cni")
    ports: Ports = field(default_factory=Ports)

    @property
    def pki(self) -> Path:
        return self.state / "pki"

    @property
    def containerd_socket(self) -> Path:
        return self.run / "containerd.sock"

    def kubeconfig(self, user: str) -> Path:
        return self.state / f"{user}.kubeconfig"


def server(node: Node) -> str:
    return f"https://{LOOPBACK}:{node.ports.api}"


# What is started


def etcd(node: Node) -> list[str]:
    pki, client = node.pki, f"https://{LOOPBACK}:{node.ports.etcd}"
    peer = (
        f"https://{LOOPBACK}:{node.ports.etcd_peer}"  # a cluster of one member has no peers, but etcd listens for them
    )
    return [
        "etcd",
        f"--name={NODE}",
        f"--data-dir={node.state / 'etcd'}",
        f"--listen-client-urls={client}",
        f"--advertise-client-urls={client}",
        f"--listen-peer-urls={peer}",
        f"--initial-advertise-peer-urls={peer}",
        f"--initial-cluster={NODE}={peer}",
        f"--cert-file={pki / 'etcd.crt'}",
        f"--key-file={pki / 'etcd.key'}",
        f"--trusted-ca-file={pki / 'ca.crt'}",
        "--client-cert-auth",
        f"--peer-cert-file={pki / 'etcd-peer.crt'}",
        f"--peer-key-file={pki / 'etcd-peer.key'}",
        f"--peer-trusted-ca-file={pki / 'ca.crt'}",
        "--peer-client-cert-auth",
        f"--peer-cert-allowed-cn={ETCD_PEER}",  # the same authority signs the clients' certificates
        "--auto-compaction-mode=periodic",
        "--auto-compaction-retention=30m",
        "--logger=zap",
        "--log-level=warn",
    ]


def api_server(node: Node) -> list[str]:
    pki = node.pki
    flags = {
        "bind-address": LOOPBACK,
        "secure-port": node.ports.api,
        # Never used, because no endpoints are published (below), but it must not be a loopback address.
        "advertise-address": NODE_ADDRESS,
        # Kubernetes refuses loopback as the address of the service `kubernetes`, and our pods do not need it.
        "endpoint-reconciler-type": "none",
        "etcd-servers": f"https://{LOOPBACK}:{node.ports.etcd}",
        "etcd-cafile": pki / "ca.crt",
        "etcd-certfile": pki / "etcd-client.crt",
        "etcd-keyfile": pki / "etcd-client.key",
        "tls-cert-file": pki / "api-server.crt",
        "tls-private-key-file": pki / "api-server.key",
        "client-ca-file": pki / "ca.crt",
        "anonymous-auth": "false",
        "authorization-mode": "Node,RBAC",
        "enable-admission-plugins": "NodeRestriction",
        # The kubelet listens on loopback, but the node's address is the bridge's, so it is reached by name (hosts()).
        "kubelet-preferred-address-types": "Hostname",
        "kubelet-certificate-authority": pki / "ca.crt",
        "kubelet-client-certificate": pki / "kubelet-client.crt",
        "kubelet-client-key": pki / "kubelet-client.key",
        # Servers of further APIs accept the users that the API server names, but only with this certificate. Its
        # authority signs nothing else, so that no other certificate can name users.
        "proxy-client-cert-file": pki / f"{FRONT_PROXY}.crt",
        "proxy-client-key-file": pki / f"{FRONT_PROXY}.key",
        "requestheader-client-ca-file": pki / f"{FRONT_PROXY_AUTHORITY}.crt",
        "requestheader-allowed-names": FRONT_PROXY,
        "requestheader-username-headers": "X-Remote-User",
        "requestheader-group-headers": "X-Remote-Group",
        "requestheader-extra-headers-prefix": "X-Remote-Extra-",
        "service-account-issuer": "https://kubernetes.default.svc",
        "service-account-key-file": pki / "service-account.pub",
        "service-account-signing-key-file": pki / "service-account.key",
        "service-cluster-ip-range": SERVICES,
        "profiling": "false",
        "v": 1,
    }
    return _component(node, "kube-apiserver", flags)


def controller_manager(node: Node) -> list[str]:
    pki, kubeconfig = node.pki, node.kubeconfig("controller-manager")
    flags = {
        "kubeconfig": kubeconfig,
        "authentication-kubeconfig": kubeconfig,
        "authorization-kubeconfig": kubeconfig,
        "bind-address": LOOPBACK,
        "secure-port": node.ports.controller_manager,
        "tls-cert-file": pki / "components.crt",
        "tls-private-key-file": pki / "components.key",
        "use-service-account-credentials": "true",
        "service-account-private-key-file": pki / "service-account.key",
        "root-ca-file": pki / "ca.crt",
        "cluster-signing-cert-file": pki / "ca.crt",
        "cluster-signing-key-file": pki / "ca.key",
        "allocate-node-cidrs": "false",
        "leader-elect": "false",
        # A build that uses both cores for a minute must not evict the node's pods.
        "node-monitor-grace-period": "120s",
        "profiling": "false",
        "v": 1,
    }
    return _component(node, "kube-controller-manager", flags)


def scheduler(node: Node) -> list[str]:
    kubeconfig = node.kubeconfig("scheduler")
    flags = {
        "kubeconfig": kubeconfig,
        "authentication-kubeconfig": kubeconfig,
        "authorization-kubeconfig": kubeconfig,
        "bind-address": LOOPBACK,
        "secure-port": node.ports.scheduler,
        "tls-cert-file": node.pki / "components.crt",
        "tls-private-key-file": node.pki / "components.key",
        "leader-elect": "false",
        "profiling": "false",
        "v": 1,
    }
    return _component(node, "kube-scheduler", flags)


def kubelet(node: Node) -> list[str]:
    flags = {
        "config": node.state / "kubelet.json",
        "kubeconfig": node.kubeconfig("kubelet"),
        "hostname-override": NODE,
        "node-ip": NODE_ADDRESS,
        "root-dir": node.state / "kubelet",
        "v": 1,
    }
    return _component(node, "kubelet", flags)


def proxy(node: Node) -> list[str]:
    return _component(node, "kube-proxy", {"config": node.state / "kube-proxy.json", "v": 1})


def containerd(node: Node) -> list[str]:
    return ["containerd", "--config", str(node.state / "containerd.toml")]


def _component(node: Node, name: str, flags: dict[str, object]) -> list[str]:
    return [str(node.kube), name, *(f"--{flag}={value}" for flag, value in flags.items())]


# The files they read


def hosts() -> str:
    """Returns /etc/hosts for what calls the kubelet: the node's name is this machine's loopback."""
    return f"{LOOPBACK} localhost {NODE}\n::1 localhost\n"


def kubelet_file(node: Node) -> dict[str, object]:
    return {
        "apiVersion": "kubelet.config.k8s.io/v1beta1",
        "kind": "KubeletConfiguration",
        "address": LOOPBACK,
        "port": node.ports.kubelet,
        "readOnlyPort": 0,
        "healthzBindAddress": LOOPBACK,
        "healthzPort": node.ports.kubelet_health,
        "authentication": {
            "anonymous": {"enabled": False},
            "webhook": {"enabled": True},
            "x509": {"clientCAFile": str(node.pki / "ca.crt")},
        },
        "authorization": {"mode": "Webhook"},
        "tlsCertFile": str(node.pki / "kubelet.crt"),
        "tlsPrivateKeyFile": str(node.pki / "kubelet.key"),
        "containerRuntimeEndpoint": f"unix://{node.containerd_socket}",
        # Works with and without systemd, on cgroup version 1 and 2.
        "cgroupDriver": "cgroupfs",
        "failCgroupV1": False,
        "failSwapOn": False,
        # The defaults, -999 and a million, need CAP_SYS_RESOURCE.
        "oomScoreAdj": 0,
        "maxOpenFiles": 16384,
        # A laptop's disk may be nearly full, and its owner decides what to delete. 100 disables deletion of images.
        "evictionHard": {
            "memory.available": "100Mi",
            "nodefs.available": "1%",
            "imagefs.available": "1%",
            "nodefs.inodesFree": "1%",
        },
        "imageGCHighThresholdPercent": 100,
        "imageGCLowThresholdPercent": 99,
        "podLogsDir": str(node.state / "pod-logs"),
        "volumePluginDir": str(node.state / "kubelet-plugins"),
        "serializeImagePulls": False,
        "nodeStatusUpdateFrequency": "10s",
    }


def proxy_file(node: Node) -> dict[str, object]:
    return {
        "apiVersion": "kubeproxy.config.k8s.io/v1alpha1",
        "kind": "KubeProxyConfiguration",
        "clientConnection": {"kubeconfig": str(node.kubeconfig("proxy"))},
        "hostnameOverride": NODE,
        "mode": "iptables",
        "detectLocalMode": "BridgeInterface",
        "detectLocal": {"bridgeInterface": BRIDGE},
        "healthzBindAddress": f"{LOOPBACK}:{node.ports.proxy_health}",
        "metricsBindAddress": f"{LOOPBACK}:{node.ports.proxy_metrics}",
        "nodePortAddresses": [f"{LOOPBACK}/8"],
        "oomScoreAdj": 0,
        # Keeps the machine's limits of connection tracking.
        "conntrack": {"maxPerCore": 0, "min": 0, "tcpEstablishedTimeout": "0s", "tcpCloseWaitTimeout": "0s"},
    }


def containerd_file(node: Node) -> str:
    """Returns containerd's config.toml (version 2, which Debian's containerd 1.6 reads)."""
    return f"""\
version = 2
root = "{node.state / "containerd"}"
state = "{node.run / "containerd"}"
oom_score = 0
disabled_plugins = ["io.containerd.snapshotter.v1.devmapper"]

[grpc]
address = "{node.containerd_socket}"

[plugins."io.containerd.internal.v1.opt"]
path = "{node.state / "containerd-opt"}"

[plugins."io.containerd.grpc.v1.cri"]
sandbox_image = "{PAUSE_IMAGE}"
# runc may not lower the score without CAP_SYS_RESOURCE: it ends with "can't get final child's PID from pipe".
restrict_oom_score_adj = true
netns_mounts_under_state_dir = true
stream_server_address = "{LOOPBACK}"

[plugins."io.containerd.grpc.v1.cri".cni]
bin_dir = "{node.cni_plugins}"
conf_dir = "{node.state / "cni"}"

[plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc]
runtime_type = "io.containerd.runc.v2"

[plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc.options]
SystemdCgroup = false

[plugins."io.containerd.grpc.v1.cri".registry]
config_path = "{node.state / "registries"}"
"""


def registry_file(registry: str) -> str:
    """Returns hosts.toml of a registry on this machine: plain HTTP."""
    return f'server = "http://{registry}"\n\n[host."http://{registry}"]\ncapabilities = ["pull", "resolve"]\n'


def cni_file(node: Node) -> dict[str, object]:
    return {
        "cniVersion": "0.4.0",
        "name": CNI_NETWORK,
        "plugins": [
            {
                "type": "bridge",
                "bridge": BRIDGE,
                "isGateway": True,
                "ipMasq": True,
                "hairpinMode": True,  # a pod may reach itself through its service
                "ipam": {
                    "type": "host-local",
                    "ranges": [[{"subnet": PODS, "gateway": NODE_ADDRESS}]],
                    "routes": [{"dst": "0.0.0.0/0"}],
                    "dataDir": str(node.state / "cni-addresses"),
                },
            },
            {"type": "portmap", "capabilities": {"portMappings": True}},
            # Accepts packets that pods forward, on machines where another program (such as Docker) drops them.
            {"type": "firewall", "backend": "iptables"},
        ],
    }


def kubeconfig_file(node: Node, *, authority: str, certificate: str, key: str, user: str) -> dict[str, object]:
    """Returns a self-contained kubeconfig. `authority`, `certificate` and `key` are base64 of PEM."""
    return {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{"name": "sealift", "cluster": {"server": server(node), "certificate-authority-data": authority}}],
        "users": [{"name": user, "user": {"client-certificate-data": certificate, "client-key-data": key}}],
        "contexts": [{"name": "sealift", "context": {"cluster": "sealift", "user": user}}],
        "current-context": "sealift",
    }


def kubelet_access() -> dict[str, object]:
    """Returns the role binding with which the API server calls the kubelet (logs, exec, port-forward). Kubernetes
    contains the role, but not its binding.
    """
    return {
        "apiVersion": "rbac.authorization.k8s.io/v1",
        "kind": "ClusterRoleBinding",
        "metadata": {"name": "sealift:api-server-to-kubelet"},
        "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "system:kubelet-api-admin"},
        "subjects": [{"apiGroup": "rbac.authorization.k8s.io", "kind": "User", "name": "api-server-to-kubelet"}],
    }
