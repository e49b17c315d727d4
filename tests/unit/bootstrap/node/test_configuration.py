"""The local node's configuration: loopback only, certificates, no anonymous access, all below its folder."""

import json
import re
import tomllib
from pathlib import Path

import pytest

from bootstrap.node import certificates, configuration, metrics_configuration
from bootstrap.node.configuration import Node, Ports
from bootstrap.system import pod_network

NODE = Node(state=Path("/c/.tools/cluster"), run=Path("/run/sealift"), kube=Path("/c/.tools/bin/kube"))
COMMANDS = {
    "etcd": configuration.etcd(NODE),
    "api server": configuration.api_server(NODE),
    "controller manager": configuration.controller_manager(NODE),
    "scheduler": configuration.scheduler(NODE),
    "kubelet": configuration.kubelet(NODE),
    "proxy": configuration.proxy(NODE),
    "metrics server": metrics_configuration.metrics_server(NODE, Path("/c/.tools/bin/metrics-server")),
}


@pytest.mark.parametrize("name", ["api server", "controller manager", "scheduler", "metrics server"])
def test_components_listen_on_loopback(name: str) -> None:
    assert "--bind-address=127.0.0.1" in COMMANDS[name]


def test_etcd_is_reached_by_certificate_only() -> None:
    assert "--client-cert-auth" in COMMANDS["etcd"]
    assert [word for word in COMMANDS["etcd"] if "listen-client-urls" in word] == [
        f"--listen-client-urls=https://127.0.0.1:{NODE.ports.etcd}"
    ]


def test_every_address_that_files_name_is_loopback() -> None:
    files = json.dumps([configuration.kubelet_file(NODE), configuration.proxy_file(NODE)])
    addresses = re.findall(r'"(?:address|\w+BindAddress|healthzBindAddress)": "([^":]+)', files)

    assert len(addresses) == 4
    assert set(addresses) == {"127.0.0.1"}
    assert configuration.proxy_file(NODE)["nodePortAddresses"] == ["127.0.0.1/8"]


def test_nobody_is_let_in_unknown() -> None:
    assert "--anonymous-auth=false" in COMMANDS["api server"]
    assert "--authorization-mode=Node,RBAC" in COMMANDS["api server"]
    kubelet = configuration.kubelet_file(NODE)
    assert kubelet["authorization"] == {"mode": "Webhook"}
    assert kubelet["readOnlyPort"] == 0
    assert kubelet["authentication"]["anonymous"] == {"enabled": False}  # type: ignore[index]


def test_only_the_front_proxy_may_name_the_user_of_a_request() -> None:
    words = COMMANDS["api server"]
    (authority,) = (one for one in words if one.startswith("--requestheader-client-ca-file="))

    assert f"--requestheader-allowed-names={configuration.FRONT_PROXY}" in words
    assert authority.rpartition("/")[2].removesuffix(".crt") in certificates.AUTHORITIES
    assert f"--client-ca-file={NODE.pki / 'ca.crt'}" in words and not authority.endswith("/ca.crt")


def test_requests_for_metrics_go_to_the_port_where_metrics_server_listens() -> None:
    made = dict(metrics_configuration.objects(NODE, "Y2E="))
    way = made["/apis/apiregistration.k8s.io/v1/apiservices/v1beta1.metrics.k8s.io"]["spec"]
    outside = made["/api/v1/namespaces/kube-system/services/metrics-server"]

    assert way["service"] == {  # type: ignore[index]
        "name": outside["metadata"]["name"], "namespace": "kube-system", "port": NODE.ports.metrics_server,  # type: ignore[index]
    }  # fmt: skip
    assert f"--secure-port={NODE.ports.metrics_server}" in COMMANDS["metrics server"]
    assert outside["spec"] == {"type": "ExternalName", "externalName": configuration.NODE}
    assert f"127.0.0.1 localhost {configuration.NODE}\n" in configuration.hosts()
    assert "insecureSkipTLSVerify" not in way  # type: ignore[operator]


def test_metrics_server_reads_and_changes_nothing() -> None:
    made = [body for _, body in metrics_configuration.objects(NODE, "Y2E=")]
    (rules,) = (one["rules"] for one in made if one["kind"] == "ClusterRole")

    assert {verb for rule in rules for verb in rule["verbs"]} == {"get", "list", "watch"}  # type: ignore[attr-defined]


def test_no_secret_is_an_argument() -> None:
    """Arguments are for everybody to read."""
    words = [word for command in COMMANDS.values() for word in command]

    assert [word for word in words if "BEGIN" in word or "token=" in word or "password" in word] == []


def test_ports_do_not_collide_within_the_block() -> None:
    ports = Ports(30000)
    found = [getattr(ports, name) for name in vars(Ports) if isinstance(vars(Ports)[name], property)]

    assert len(found) == 10
    assert len(set(found)) == 10
    assert set(found) <= set(range(30000, 30010))


def test_containerd_gets_what_a_machine_without_cap_sys_resource_needs() -> None:
    settings = tomllib.loads(configuration.containerd_file(NODE))
    cri = settings["plugins"]["io.containerd.grpc.v1.cri"]

    assert cri["restrict_oom_score_adj"] is True
    assert cri["sandbox_image"] == configuration.PAUSE_IMAGE
    assert cri["cni"]["bin_dir"] == "/usr/lib/cni"
    assert cri["containerd"]["runtimes"]["runc"]["options"]["SystemdCgroup"] is False
    assert settings["root"].startswith("/c/.tools/")


def test_a_registry_on_this_machine_is_spoken_to_in_plain_http() -> None:
    settings = tomllib.loads(configuration.registry_file("localhost:5000"))

    assert settings["server"] == "http://localhost:5000"
    assert list(settings["host"]) == ["http://localhost:5000"]


def test_the_nodes_addresses_lie_where_they_are_said_to() -> None:
    import ipaddress

    pods, services = ipaddress.ip_network(configuration.PODS), ipaddress.ip_network(configuration.SERVICES)
    assert ipaddress.ip_address(configuration.NODE_ADDRESS) == pods[1]
    assert ipaddress.ip_address(configuration.API_SERVICE_ADDRESS) == services[1]
    assert not pods.overlaps(services)


def test_pods_may_publish_ports_and_reach_themselves() -> None:
    bridge, portmap, _ = configuration.cni_file(NODE)["plugins"]  # type: ignore[misc]

    assert bridge["bridge"] == pod_network.BRIDGE  # type: ignore[has-type]
    assert bridge["hairpinMode"] is True  # type: ignore[has-type]
    assert portmap["capabilities"] == {"portMappings": True}  # type: ignore[has-type]
