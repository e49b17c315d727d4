"""What reaches the API server: safe by the restricted profile, and rolling without a gap."""

from collections.abc import Callable, Mapping
from typing import Any

import pytest

from components import object_labels, pod_spec
from components.endpoints import endpoints
from components.server_files import folders_of
from components.server_version import ServerVersion
from components.settings.deployment import DeploymentSettings
from sealift.serving import __main__ as server
from sealift.serving import image_layout
from sealift.settings import read
from tests.certificates import self_signed

DIGEST = "sha256:" + "a" * 64
IMAGE = f"localhost:5000/sealift-diabetes@{DIGEST}"


def settings(**changed: object) -> DeploymentSettings:
    checked, problems = read(
        DeploymentSettings,
        {
            "modelName": "diabetes",
            "replicas": 3,
            "cpuRequest": "500m",
            "memoryRequest": "500Mi",
            "cpuLimit": "1",
            "memoryLimit": "1Gi",
            "quota": {},
            "exposure": "cluster",
            "nodePort": 0,
        }
        | changed,
        "a deployment",
    )
    assert problems == []
    return checked


VERSION = ServerVersion("model", {"image": IMAGE, "artifactId": "ab" * 16, "payloadDigest": "cd" * 32})


def deployment(**changed: object) -> Any:
    return deployment_of(VERSION, 3, **changed)


def deployment_of(version: ServerVersion, replicas: int | None, /, **changed: object) -> Any:
    known = settings(**changed)
    return pod_spec.deployment(
        known,
        version,
        replicas=replicas,
        labels=object_labels.object_labels(version.name, "diabetes", {"team": "ml"}),
        object_names={folder.name: f"{version.name}-{folder.name}-1a2b3c4d" for folder in folders_of(known)},
        service_account="model-1a2b3c4d",
    )


def container(spec: Any) -> Any:
    (only,) = spec["template"]["spec"]["containers"]
    return only


RESTRICTED_VOLUMES = {
    "configMap", "csi", "downwardAPI", "emptyDir", "ephemeral", "persistentVolumeClaim", "projected", "secret",
}  # fmt: skip


def restricted_violations(pod: Any) -> set[str]:
    """Controls of the restricted profile (which contains the baseline) that a pod's spec does not meet, by their names.

    After kubernetes.io/docs/concepts/security/pod-security-standards, Kubernetes 1.34.
    """
    context = pod.get("securityContext", {})
    containers = [*pod["containers"], *pod.get("initContainers", []), *pod.get("ephemeralContainers", [])]
    contexts = [each.get("securityContext", {}) for each in containers]
    hooks = [
        hook
        for each in containers
        for holder in (
            each.get("lifecycle", {}).values(),
            [each.get(f"{kind}Probe", {}) for kind in ("liveness", "readiness", "startup")],
        )
        for hook in holder
    ]

    def everywhere(field: str, allowed: Callable[[Any], bool]) -> bool:
        """Set right on every container, or on the pod and not wrong on any container."""
        return all(allowed(each.get(field, context.get(field))) for each in contexts)

    controls = {
        "HostProcess": not any("windowsOptions" in each for each in [context, *contexts]),
        "Host Namespaces": not any(pod.get(field) for field in ("hostNetwork", "hostPID", "hostIPC")),
        "Privileged Containers": not any(each.get("privileged") for each in contexts),
        "Capabilities": all(
            each.get("capabilities", {}).get("drop") == ["ALL"]
            and set(each["capabilities"].get("add", [])) <= {"NET_BIND_SERVICE"}
            for each in contexts
        ),
        "HostPath and Volume Types": all(
            set(volume) - {"name"} <= RESTRICTED_VOLUMES and len(volume) == 2 for volume in pod.get("volumes", [])
        ),
        "Host Ports": not any(port.get("hostPort") for each in containers for port in each.get("ports", [])),
        "Host Probes": not any("host" in hook.get(kind, {}) for hook in hooks for kind in ("httpGet", "tcpSocket")),
        "AppArmor, SELinux, proc mount, sysctls": not any(
            set(each) & {"appArmorProfile", "seLinuxOptions", "procMount", "sysctls"} for each in [context, *contexts]
        ),
        "Privilege Escalation": all(each.get("allowPrivilegeEscalation") is False for each in contexts),
        "Running as Non-root": everywhere("runAsNonRoot", lambda value: value is True),
        "Running as Non-root user": everywhere("runAsUser", lambda value: value != 0),
        "Seccomp": everywhere(
            "seccompProfile", lambda value: (value or {}).get("type") in {"RuntimeDefault", "Localhost"}
        ),
    }
    return {name for name, met in controls.items() if not met}


def test_pods_meet_the_restricted_pod_security_profile() -> None:
    assert restricted_violations(deployment()["template"]["spec"]) == set()


@pytest.mark.parametrize(
    ("spoil", "control"),
    [
        (lambda pod: pod["securityContext"].pop("runAsNonRoot"), "Running as Non-root"),
        (lambda pod: pod["securityContext"].update(runAsUser=0), "Running as Non-root user"),
        (lambda pod: pod["securityContext"].pop("seccompProfile"), "Seccomp"),
        (lambda pod: pod.update(hostNetwork=True), "Host Namespaces"),
        (lambda pod: pod["volumes"].append({"name": "x", "hostPath": {"path": "/"}}), "HostPath and Volume Types"),
        (lambda pod: pod["containers"][0]["securityContext"].pop("capabilities"), "Capabilities"),
        (lambda pod: pod["containers"][0]["securityContext"].pop("allowPrivilegeEscalation"), "Privilege Escalation"),
        (lambda pod: pod["containers"][0]["ports"][0].update(hostPort=80), "Host Ports"),
        (lambda pod: pod["containers"].append({"name": "second"}), "Privilege Escalation"),
    ],
)
def test_the_profile_s_check_sees_each_control_that_is_lost(spoil: Callable[[Any], object], control: str) -> None:
    pod = deployment()["template"]["spec"]

    spoil(pod)

    assert control in restricted_violations(pod)


def test_the_namespace_enforces_warns_and_audits_the_profile() -> None:
    assert pod_spec.pod_security_labels() == {
        "pod-security.kubernetes.io/enforce": "restricted",
        "pod-security.kubernetes.io/warn": "restricted",
        "pod-security.kubernetes.io/audit": "restricted",
    }


def test_a_pod_gets_no_token_no_service_variables_and_cannot_write_its_own_disk() -> None:
    pod = deployment()["template"]["spec"]

    assert pod["automountServiceAccountToken"] is False
    assert pod["enableServiceLinks"] is False
    assert container(deployment())["securityContext"]["readOnlyRootFilesystem"] is True
    assert "env" not in container(deployment())
    assert "envFrom" not in container(deployment())


def test_the_key_is_a_file_that_only_the_server_s_group_may_read() -> None:
    pod = deployment()["template"]["spec"]
    volumes = {volume["name"]: volume for volume in pod["volumes"]}
    mounts = {mount["name"]: mount for mount in container(deployment())["volumeMounts"]}

    assert volumes["key"] == {"name": "key", "secret": {"secretName": "model-key-1a2b3c4d", "defaultMode": 0o440}}
    assert pod["securityContext"]["fsGroup"] == pod["securityContext"]["runAsGroup"] == 65532
    assert mounts["key"] == {"name": "key", "mountPath": "/etc/sealift/key", "readOnly": True}
    assert volumes["manifest"]["configMap"]["name"] == "model-manifest-1a2b3c4d"
    assert mounts.keys() == volumes.keys()


def test_the_server_is_told_the_only_artifact_it_may_open_and_where_the_parts_are() -> None:
    assert container(deployment())["args"] == [
        "--payload", "/opt/sealift/payload",
        "--manifest", "/etc/sealift/manifest/manifest.json",
        "--key", "/etc/sealift/key/private.pem",
        "--artifact-id", "ab" * 16,
        "--payload-digest", "cd" * 32,
        "--name", "diabetes",
        "--access", "/etc/sealift/access/access.json",
        "--port", "8080",
        "--metrics-port", "8082",
    ]  # fmt: skip
    given = ServerVersion("model", {"manifest": "m", "privateKey": "k"})
    manifest, key = folders_of(settings(auth="none"))
    assert given.contents(manifest, {}) == {"manifest.json": "m"}
    assert given.contents(key, {}) == {"private.pem": "k"}


def test_who_may_ask_is_mounted_as_a_folder_that_only_the_server_reads_unless_anyone_may() -> None:
    spec, unchecked = deployment(), deployment(auth="none")
    mounts = {mount["name"]: mount for mount in container(spec)["volumeMounts"]}
    volumes = {volume["name"]: volume for volume in spec["template"]["spec"]["volumes"]}

    assert volumes["access"]["secret"] == {"secretName": "model-access-1a2b3c4d", "defaultMode": 0o440}
    assert mounts["access"] == {"name": "access", "mountPath": "/etc/sealift/access", "readOnly": True}
    assert "access" not in repr(unchecked)
    assert container(unchecked)["args"][12:14] == ["--auth", "none"]


@pytest.mark.parametrize("auth", ["apiKey", "none"])
def test_the_server_takes_what_it_is_told(auth: str) -> None:
    told = server._parse([str(word) for word in container(deployment(auth=auth))["args"]])

    assert (told.access is None, told.auth) == ((False, None) if auth == "apiKey" else (True, "none"))
    assert (str(told.payload), str(told.key)) == (image_layout.PAYLOAD_PATH, "/etc/sealift/key/private.pem")
    assert (told.name, told.port, told.metrics_port) == ("diabetes", image_layout.PORT, image_layout.METRICS_PORT)


def test_a_new_artifact_rolls_the_pods_even_under_the_same_image() -> None:
    annotations = deployment()["template"]["metadata"]["annotations"]

    assert {name: value for name, value in annotations.items() if name.startswith("sealift.dev/")} == {
        "sealift.dev/artifact-id": "ab" * 16,
        "sealift.dev/payload-digest": "cd" * 32,
    }


def test_prometheus_finds_the_metrics_of_each_pod() -> None:
    annotations = deployment()["template"]["metadata"]["annotations"]
    ports = {port["name"]: port["containerPort"] for port in container(deployment())["ports"]}

    assert ports == {"http": 8080, "metrics": 8082}
    assert {name: value for name, value in annotations.items() if name.startswith("prometheus.io/")} == {
        "prometheus.io/scrape": "true",
        "prometheus.io/port": "8082",
        "prometheus.io/path": "/metrics",
        "prometheus.io/scheme": "http",
    }


@pytest.mark.parametrize(("exposure", "names"), [("cluster", ["http", "metrics"]), ("nodePort", ["http"])])
def test_no_node_s_port_leads_to_the_metrics(exposure: str, names: list[str]) -> None:
    spec: Any = pod_spec.service(settings(exposure=exposure), "model")

    assert [port["name"] for port in spec["ports"]] == names


def test_rolling_never_has_a_pod_too_few_and_at_most_the_surge_that_the_quota_counts() -> None:
    assert deployment()["strategy"] == {
        "type": "RollingUpdate",
        "rollingUpdate": {"maxUnavailable": 0, "maxSurge": 1},
    }


def test_no_revision_is_kept_whose_pods_could_not_start() -> None:
    """The manifest and the key of an older model go with the update that replaces it."""
    assert deployment()["revisionHistoryLimit"] == 0


def test_an_ending_pod_serves_on_until_it_is_out_of_rotation_and_then_has_time_to_finish() -> None:
    pod = deployment()["template"]["spec"]
    hook = container(deployment())["lifecycle"]["preStop"]

    assert hook == {"sleep": {"seconds": 5}}, "no shell: the kubelet sleeps"
    assert pod["terminationGracePeriodSeconds"] - hook["sleep"]["seconds"] >= 20


def test_probes_ask_the_open_inference_protocol_s_health_endpoints() -> None:
    server = container(deployment())

    assert {kind: server[f"{kind}Probe"]["httpGet"]["path"] for kind in ("startup", "readiness", "liveness")} == {
        "startup": "/v2/health/live",
        "readiness": "/v2/health/ready",
        "liveness": "/v2/health/live",
    }
    assert all(
        server[f"{kind}Probe"]["httpGet"]["port"] == server["ports"][0]["name"]
        for kind in ("startup", "readiness", "liveness")
    )
    assert server["ports"][0]["containerPort"] == 8080


def test_requests_and_limits_are_the_config_s_in_the_api_server_s_form() -> None:
    spec = deployment(cpuRequest="0.25", memoryRequest="1024Mi", cpuLimit="1000m", memoryLimit="2048Mi")

    assert container(spec)["resources"] == {
        "requests": {"cpu": "250m", "memory": "1Gi"},
        "limits": {"cpu": "1", "memory": "2Gi"},
    }


def test_the_limit_range_gives_foreign_pods_the_same_figures_so_that_the_quota_admits_them() -> None:
    assert pod_spec.limit_range(settings().pod) == {
        "limits": [
            {
                "type": "Container",
                "default": {"cpu": "1", "memory": "1Gi"},
                "defaultRequest": {"cpu": "500m", "memory": "500Mi"},
            }
        ]
    }


def test_the_quota_object_holds_what_is_given_and_derived() -> None:
    assert pod_spec.resource_quota(settings(quota={"limits.memory": "16Gi"})) == {
        "hard": {"requests.cpu": "3500m", "requests.memory": "3500Mi", "limits.cpu": "7", "limits.memory": "16Gi"}
    }


def test_selectors_never_change_with_config_because_kubernetes_forbids_it() -> None:
    one, other = deployment(), deployment(modelName="digits", replicas=1, memoryLimit="2Gi")
    labels: Mapping[str, object] = one["template"]["metadata"]["labels"]

    assert one["selector"] == other["selector"] == {"matchLabels": object_labels.selector_labels("model")}
    assert pod_spec.service(settings(), "model")["selector"] == object_labels.selector_labels("model")
    assert one["selector"]["matchLabels"].items() <= labels.items()


def test_the_number_of_replicas_may_be_left_to_somebody_else() -> None:
    """What Pulumi does not give, it does not take back from who does: a HorizontalPodAutoscaler."""
    left = deployment_of(VERSION, None)
    assert "replicas" not in left
    assert left == {name: value for name, value in deployment().items() if name != "replicas"}


def test_the_pods_of_two_versions_are_told_apart_and_one_service_may_reach_both() -> None:
    canary = ServerVersion("model-canary", VERSION.inputs)
    pods = [deployment_of(version, 1)["template"]["metadata"]["labels"].items() for version in (VERSION, canary)]
    own = [deployment_of(version, 1)["selector"]["matchLabels"].items() for version in (VERSION, canary)]
    shared: Any = pod_spec.service(settings(), VERSION.name, canary.name)["selector"]

    assert [[selector <= labels for labels in pods] for selector in own] == [[True, False], [False, True]]
    assert shared and all(shared.items() <= labels for labels in pods)


def test_labels_of_one_s_own_come_beside_ours_and_never_over_them() -> None:
    labels = object_labels.object_labels("model", "diabetes", {"team": "ml", "app.kubernetes.io/name": "mine"})

    assert labels == {
        "team": "ml",
        "app.kubernetes.io/name": "sealift",
        "app.kubernetes.io/instance": "model",
        "sealift.dev/model": "diabetes",
    }


@pytest.mark.parametrize(
    ("exposure", "node_port", "kind", "port", "url"),
    [
        ("cluster", 0, "ClusterIP", None, "http://svc.ns.svc:8080"),
        ("nodePort", 0, "NodePort", None, "http://svc.ns.svc:8080"),
        ("nodePort", 30080, "NodePort", 30080, "http://127.0.0.1:30080"),
    ],
)
def test_the_service_and_its_url_follow_the_exposure(
    exposure: str, node_port: int, kind: str, port: int | None, url: str
) -> None:
    chosen = settings(exposure=exposure, nodePort=node_port)

    spec: Any = pod_spec.service(chosen, "model")

    assert spec["type"] == kind
    assert spec["ports"][0].get("nodePort") == port
    assert (spec["ports"][0]["port"], spec["ports"][0]["targetPort"]) == (
        8080,
        container(deployment())["ports"][0]["name"],
    )
    assert pod_spec.url(chosen, service_name="svc", namespace="ns") == url


def test_endpoints_are_the_protocol_s() -> None:
    assert endpoints("http://127.0.0.1:30080", "diabetes") == {
        "live": "http://127.0.0.1:30080/v2/health/live",
        "ready": "http://127.0.0.1:30080/v2/health/ready",
        "metadata": "http://127.0.0.1:30080/v2/models/diabetes",
        "modelReady": "http://127.0.0.1:30080/v2/models/diabetes/ready",
        "infer": "http://127.0.0.1:30080/v2/models/diabetes/infer",
    }


@pytest.mark.parametrize("lines", ["errors", "all"])
def test_the_server_is_told_which_requests_have_a_line_in_the_log(lines: str) -> None:
    told = server._parse([str(word) for word in container(deployment(accessLog=lines))["args"]])

    assert told.access_log == lines


@pytest.mark.parametrize("explain", [False, True])
def test_the_server_explains_only_where_it_is_asked_for(explain: bool) -> None:
    told = server._parse([str(word) for word in container(deployment(explain=explain))["args"]])

    assert told.explain is explain


@pytest.mark.parametrize("exposure", ["cluster", "nodePort"])
def test_grpc_has_a_port_of_the_server_the_pod_and_the_service_only_where_it_is_asked_for(exposure: str) -> None:
    spec: Any = pod_spec.service(settings(exposure=exposure, grpc=True), "model")
    pod = container(deployment(grpc=True))
    told = server._parse([str(word) for word in pod["args"]])

    assert {port["name"]: port["port"] for port in spec["ports"]}["grpc"] == 8081
    assert {port["name"]: port["containerPort"] for port in pod["ports"]}["grpc"] == 8081
    assert told.grpc_port == 8081
    plain: Any = pod_spec.service(settings(exposure=exposure), "model")
    assert "grpc" not in repr((plain, container(deployment())))


def test_with_a_certificate_every_port_speaks_tls_and_everyone_is_told_so() -> None:
    pem = self_signed()
    tls = {"tlsCertificate": pem.certificate, "tlsPrivateKey": pem.key}
    spec = deployment(**tls)
    pod = container(spec)
    told = server._parse([str(word) for word in pod["args"]])
    mount = next(one for one in pod["volumeMounts"] if one["name"] == "tls")
    volume = next(one for one in spec["template"]["spec"]["volumes"] if one["name"] == "tls")

    assert (str(told.tls), mount["readOnly"]) == (mount["mountPath"], True)
    assert volume["secret"] == {"secretName": "model-tls-1a2b3c4d", "defaultMode": 0o440}
    assert {pod[probe]["httpGet"]["scheme"] for probe in ("startupProbe", "readinessProbe", "livenessProbe")} == {
        "HTTPS"
    }
    assert spec["template"]["metadata"]["annotations"]["prometheus.io/scheme"] == "https"
    assert pod_spec.url(settings(**tls), service_name="s", namespace="n") == "https://s.n.svc:8080"
    given = ServerVersion("model", {"tlsCertificate": "chain", "tlsPrivateKey": "key"})
    assert given.contents(folders_of(settings(**tls))[-1], {}) == {"tls.crt": "chain", "tls.key": "key"}
    assert container(deployment())["startupProbe"]["httpGet"]["scheme"] == "HTTP"
    assert "tls" not in repr(container(deployment()))
