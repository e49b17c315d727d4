"""The main job, end to end: train, seal, build, deploy, answer; then every kind of change, and nothing left at the
end.
"""

import base64
import itertools
import json
import re
import shlex
import subprocess
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cluster.cluster import Cluster, infer_request, post
from tests.cluster.conftest import checkout, new_stack
from tests.cluster.load import Load, Replicas
from tests.stack import PROJECT_ROOT, Stack

WITHIN_SECONDS = 180
"""The README says two minutes; here other tests run beside this one."""


def infer_url(stack: Stack) -> str:
    outputs = stack.outputs()
    return f"{outputs['url']}/v2/models/{outputs['modelName']}/infer"


def key_of(stack: Stack) -> str:
    return str(stack.outputs(secrets=True)["apiKeys"]["default"])


def image_layers(reference: str) -> list[str]:
    """Digests of the layers that the registry holds for a reference by digest."""
    registry, rest = reference.split("/", 1)
    repository, digest = rest.split("@")
    request = urllib.request.Request(
        f"http://{registry}/v2/{repository}/manifests/{digest}",
        headers={
            "accept": "application/vnd.docker.distribution.manifest.v2+json, application/vnd.oci.image.manifest.v1+json"
        },
    )
    with urllib.request.urlopen(request) as response:
        return [layer["digest"] for layer in json.load(response)["layers"]]


def test_a_real_row_gets_the_answer_that_training_recorded(deployed: Stack) -> None:
    example = deployed.outputs(secrets=True)["example"]

    status, answer = post(infer_url(deployed), infer_request(example["inputs"]), key_of(deployed))

    assert status == 200
    assert answer["outputs"][0]["data"] == pytest.approx(example["expected"][0], rel=1e-4)


def test_bad_input_is_told_what_was_expected(deployed: Stack) -> None:
    status, answer = post(infer_url(deployed), infer_request([[1.0, 2.0]]), key_of(deployed))

    assert 400 <= status < 500
    assert "10" in answer["error"]


def test_without_its_key_nobody_is_answered(deployed: Stack) -> None:
    request = infer_request(deployed.outputs(secrets=True)["example"]["inputs"])

    assert [post(infer_url(deployed), request, key)[0] for key in ("", "sealift_" + "A" * 43)] == [401, 401]


def test_no_changes_from_another_checkout_path_with_another_umask(deployed: Stack, home: Path) -> None:
    other = Stack(checkout(home / "elsewhere" / "deeper"), name="dev", home=home)
    (other.folder / "Pulumi.dev.yaml").write_text((deployed.folder / "Pulumi.dev.yaml").read_text())

    other.preview("--expect-no-changes", umask=0o077).ok()
    other.preview("--expect-no-changes", umask=0o000).ok()
    deployed.up("--expect-no-changes").ok()


TAKE_BACK = ("kubernetes:enablePatchForce", "true")
RANGE: dict[str, object] = {"minReplicas": 2, "maxReplicas": 4, "cpu": 30, "scaleDownSeconds": 0}


@pytest.fixture(scope="module")
def replicas(deployed: Stack, cluster: Cluster) -> Iterator[Replicas]:
    asked = ["kubectl", "get", "--raw", "/apis/metrics.k8s.io/v1beta1/nodes"]
    if subprocess.run(asked, capture_output=True).returncode != 0:
        pytest.skip("the cluster serves no resource metrics: run `make test` without arguments, or install one")
    with Replicas(cluster, deployed.outputs()["namespace"]) as watched:
        yield watched


def autoscale(stack: Stack, scaling: dict[str, object] | None, replicas: int | None = None) -> None:
    """A null is as if the setting were not there."""
    stack.set_config("deployment.replicas", replicas)
    stack.set_config("deployment.autoscaling", scaling)


def test_autoscaling_begins_with_the_pods_that_run(deployed: Stack, cluster: Cluster, replicas: Replicas) -> None:
    namespace = deployed.outputs()["namespace"]
    pods = {pod.metadata.uid for pod in cluster.pods(namespace)}
    autoscale(deployed, RANGE)

    said = deployed.up().ok().text

    assert "HorizontalPodAutoscaler" in said and "PodDisruptionBudget" in said
    assert "does not serve" not in said
    assert pods == {pod.metadata.uid for pod in cluster.pods(namespace)}
    assert replicas.smallest == 2


def test_replicas_follow_the_load_and_an_update_keeps_their_number(deployed: Stack, replicas: Replicas) -> None:
    replicas.wait_until(lambda: (replicas.cpu_percent() or 100) < 30 and replicas.now() == 2)
    with Load(deployed, clients=4, pause_seconds=0.003) as load:
        up_seconds = replicas.wait_until(lambda: replicas.now() > 2)
        deployed.up("--expect-no-changes").ok()
        replicas.wait_until(replicas.are_ready)
        deployed.up("--refresh", "--expect-no-changes").ok()
        autoscale(deployed, RANGE | {"maxReplicas": 3})
        deployed.up().ok()
        assert replicas.now() > 2
    autoscale(deployed, None, replicas=2)
    refused = deployed.preview().failed().text
    down_seconds = replicas.wait_until(lambda: replicas.now() == 2)

    print(f"more replicas after {up_seconds:.0f} s of load, 2 again {down_seconds:.0f} s after a preview without it")
    print(f"{load.answered} requests answered, {len(load.failures)} failed")
    assert load.failures == []
    assert replicas.smallest == 2
    assert "autoscaling cannot be removed yet: the running autoscaler chooses 2 to 3 replicas" in refused
    assert "first set autoscaling.minReplicas and autoscaling.maxReplicas to 2" in refused


def test_autoscaling_ends_with_the_only_number_of_its_range(deployed: Stack, replicas: Replicas) -> None:
    autoscale(deployed, RANGE | {"maxReplicas": 2})
    deployed.up().ok()
    autoscale(deployed, None, replicas=2)
    deployed.up().ok()

    asked = ["kubectl", "get", "hpa,pdb", "-n", deployed.outputs()["namespace"], "-o", "name"]
    assert subprocess.run(asked, capture_output=True, text=True, check=True).stdout == ""
    assert replicas.now() == replicas.smallest == 2


def test_changing_only_replicas_trains_nothing_and_builds_nothing(deployed: Stack, cluster: Cluster) -> None:
    """The first change takes the number from the autoscaler that there was."""
    before = deployed.outputs()
    deployed.set_config("deployment.replicas", 1)
    deployed.run("config", "set", *TAKE_BACK, "--stack", deployed.name).ok()

    changed = deployed.preview_steps()
    assert "sealift:index:TrainingRun" not in changed
    assert "docker:index/image:Image" not in changed
    deployed.up().ok()

    assert deployed.outputs()["image"] == before["image"]
    assert len([pod for pod in cluster.pods(before["namespace"]) if pod.metadata.deletion_timestamp is None]) == 1
    deployed.run("config", "rm", TAKE_BACK[0], "--stack", deployed.name).ok()
    deployed.set_config("deployment.replicas", 2)
    deployed.up().ok()


def test_a_rotated_key_replaces_no_pod_and_the_old_one_works_until_the_overlap_ends(
    deployed: Stack, cluster: Cluster
) -> None:
    """With the commands of the page about keys."""
    rotate, end_overlap = documented_commands("deployment.apiKeys.default.")
    namespace = deployed.outputs()["namespace"]
    request, url = infer_request(deployed.outputs(secrets=True)["example"]["inputs"]), infer_url(deployed)

    def pods() -> set[tuple[str, int]]:
        """What a pod's replacement or a restart of its container changes."""
        return {
            (pod.metadata.uid, status.restart_count)
            for pod in cluster.pods(namespace)
            if pod.metadata.deletion_timestamp is None  # an older one may still drain
            for status in pod.status.container_statuses or []
        }

    def statuses(key: str) -> set[int]:
        """Of several connections: the pods read their files on their own, and the Service takes any."""
        return {post(url, request, key)[0] for _ in range(20)}

    def wait_for(key: str, status: int) -> None:
        latest = time.monotonic() + WITHIN_SECONDS
        while statuses(key) != {status}:
            assert time.monotonic() < latest, f"after {WITHIN_SECONDS} s not every pod answers {status}"
            time.sleep(1)

    before, first = pods(), key_of(deployed)
    type_command(deployed, rotate)
    changed = deployed.preview_steps()
    assert "kubernetes:apps/v1:Deployment" not in changed and "kubernetes:core/v1:Secret" in changed
    deployed.up().ok()
    second = key_of(deployed)
    assert second != first
    wait_for(second, 200)
    assert statuses(first) == {200}

    type_command(deployed, end_overlap)
    deployed.up().ok()
    assert key_of(deployed) == second
    wait_for(first, 401)
    assert statuses(second) == {200}
    assert before and pods() == before


def test_a_preview_refuses_pods_so_small_that_the_roll_could_not_begin_and_the_quota_it_names_lets_it(
    deployed: Stack,
) -> None:
    """The dev stack has two pods of 128Mi: a derived quota of 5 * 16Mi would not hold one of them."""
    deployed.set_config("deployment.memoryRequest", "16Mi")
    said = deployed.preview().failed().text
    assert "memoryRequest is '16Mi', from which a quota of '80Mi' is derived; 2 running pods of '128Mi'" in said
    assert "need '272Mi' during the update" in said

    deployed.set_config("deployment.quota", {"requests.memory": "272Mi"})
    deployed.up().ok()
    deployed.set_config("deployment.quota", {})
    deployed.up().ok()


def test_a_preview_names_the_clients_that_an_update_locks_out(deployed: Stack) -> None:
    kept = (deployed.folder / "Pulumi.dev.yaml").read_text()
    deployed.set_config("deployment.apiKeys", {"dashboard": {"scopes": ["metrics"]}})
    assert "401" not in deployed.preview().ok().text

    deployed.set_config("deployment.apiKeys.default", {"revoked": True})
    assert "requests with the API key 'default' will get status 401" in deployed.preview().ok().text
    (deployed.folder / "Pulumi.dev.yaml").write_text(kept)


def test_the_preview_of_a_second_stack_names_who_has_the_node_port(deployed: Stack, home: Path) -> None:
    port = deployed.outputs()["url"].rpartition(":")[2]
    own = home / "second"
    own.mkdir()
    second = new_stack(own, checkout(own / "checkout"))
    second.set_config("deployment.nodePort", int(port))

    said = second.preview().failed().text

    owner = f"{deployed.outputs()['namespace']}/{deployed.outputs()['service']}"
    assert f"nodePort is {port}, but the Service {owner} of the cluster uses it" in said


def documented_commands(path: str) -> list[str]:
    """The `pulumi config set` of settings whose path begins so, in the order of the page about keys."""
    command = rf"^ {{4}}(pulumi config set --path {re.escape(path)}(?:rotation|overlap) [^#&]+)&&"
    page = PROJECT_ROOT / "docs" / "how-to" / "keys-and-access.md"
    return re.findall(command, page.read_text(), re.MULTILINE)


def type_command(stack: Stack, command: str) -> None:
    """For this stack, as one would type it."""
    stack.run(*shlex.split(command)[1:], "--stack", stack.name).ok()


def test_a_new_learning_rate_changes_one_layer_and_rolls_without_a_failed_request(deployed: Stack) -> None:
    before = deployed.outputs()
    with Load(deployed) as load:
        deployed.set_config("training.learningRate", 0.02)
        deployed.up().ok()
        time.sleep(3)

    after = deployed.outputs()
    assert after["artifactId"] != before["artifactId"]
    old_layers, new_layers = image_layers(before["image"]), image_layers(after["image"])
    assert old_layers[:-1] == new_layers[:-1]
    assert old_layers[-1] != new_layers[-1]
    print(f"rolled under load: {load.answered} requests answered, {len(load.failures)} failed")
    assert load.answered > 100
    assert load.failures == []


def test_pods_run_restricted_without_a_token_and_with_a_read_only_root(deployed: Stack, cluster: Cluster) -> None:
    for pod in cluster.pods(deployed.outputs()["namespace"]):
        container = pod.spec.containers[0]
        assert container.security_context.read_only_root_filesystem
        assert container.security_context.capabilities.drop == ["ALL"]
        assert not pod.spec.automount_service_account_token
        assert all("serviceaccount" not in mount.mount_path for mount in container.volume_mounts)


def test_the_key_is_mounted_from_memory_and_no_writable_folder_lies_on_a_disk(
    deployed: Stack, cluster: Cluster
) -> None:
    namespace = deployed.outputs()["namespace"]
    pod = next(pod for pod in cluster.pods(namespace) if pod.metadata.deletion_timestamp is None)
    look = ["python3", "-c", "print(open('/proc/mounts').read())"]

    said = subprocess.run(
        ["kubectl", "exec", "-n", namespace, pod.metadata.name, "--", *look], capture_output=True, text=True, check=True
    ).stdout
    lines = [line.split() for line in said.strip().splitlines()]
    mounts = {target: (kind, options.split(",")) for _, target, kind, options, *_ in lines}

    assert mounts["/etc/sealift/key"][0] == "tmpfs"
    on_disk = ("overlay", "ext4", "xfs", "btrfs")
    writable = [target for target, (kind, options) in mounts.items() if kind in on_disk and "rw" in options]
    every_pod_has = {"/dev/termination-log", "/etc/hosts"}  # small, and the kubelet's
    assert set(writable) <= every_pod_has


def test_neither_the_plain_model_nor_the_private_key_is_found_anywhere(
    deployed: Stack, home: Path, cluster: Cluster
) -> None:
    secrets = json.loads(deployed.run("stack", "export", "--show-secrets", "--stack", "dev").ok().text)
    key = next(
        resource["outputs"]["privateKey"]["plaintext"] for resource in secrets["deployment"]["resources"]
        if resource["type"] == "sealift:index:SealingKey"
    )  # fmt: skip
    key = json.loads(key)
    namespace, outputs = deployed.outputs()["namespace"], deployed.outputs()
    needles = {
        "private key": key.splitlines()[5].encode(),
        "private key, encoded": base64.b64encode(key.encode())[200:260],
        "plain weights": plain_weights(deployed, key),
    }
    image = outputs["image"]
    subprocess.run(["docker", "pull", "-q", image], check=True, capture_output=True)
    haystacks = {
        "state": deployed.exported().encode(),
        "preview": deployed.preview("--json", "--diff").text.encode(),
        "image layers": subprocess.run(["docker", "save", image], check=True, capture_output=True).stdout,
        "image config": subprocess.run(["docker", "inspect", image], check=True, capture_output=True).stdout,
    }
    haystacks |= {f"store {path.name}": path.read_bytes() for path in (home / "store").rglob("*") if path.is_file()}
    haystacks |= {f"backend {path.name}": path.read_bytes() for path in (home / "state").rglob("*") if path.is_file()}
    for pod in cluster.pods(namespace):
        haystacks[f"log of {pod.metadata.name}"] = cluster.core.read_namespaced_pod_log(
            pod.metadata.name, namespace
        ).encode()
    for process in Path("/proc").glob("[0-9]*"):
        for name in ("cmdline", "environ"):
            try:
                haystacks[f"{process}/{name}"] = (process / name).read_bytes()
            except OSError:
                continue

    found = [
        f"{what} in {where}" for what, needle in needles.items() for where, hay in haystacks.items() if needle in hay
    ]

    assert found == []
    assert len(haystacks) > 10


def test_a_csv_and_a_class_of_one_s_own_reach_a_prediction_by_config_alone(deployed: Stack) -> None:
    """With the class that the README shows; the request sends the table's own values, texts among them."""
    (deployed.folder / "models").mkdir()
    (deployed.folder / "models" / "nets.py").write_text(readme_class())
    lines = [
        f"{plan},{months},{calls},{'yes' if months < 20 + 10 * (plan == 'basic') else 'no'}"
        for plan in ("basic", "plus", "pro") for months in range(1, 61) for calls in (0, 3)
    ]  # fmt: skip
    (deployed.folder / "churn.csv").write_text("\n".join(["plan,months,calls,churned", *lines]))
    settings = {
        "dataset": "churn.csv", "data.target": "churned", "model": "nets:Wide", "modelArguments.width": 32,
        "momentum": 0.9, "gates.metrics.accuracy.minimum": 0.8,
    }  # fmt: skip
    for name, value in settings.items():
        deployed.set_config(f"training.{name}", value)

    deployed.up().ok()

    example = deployed.outputs(secrets=True)["example"]
    status, answer = post(infer_url(deployed), example["request"], key_of(deployed))
    assert status == 200
    assert answer["outputs"][0]["data"] == pytest.approx(example["expected"][0], rel=1e-4)
    asked = {"plan": ("BYTES", "basic"), "months": ("FP32", 2), "calls": ("FP32", 0)}
    inputs = [
        {"name": name, "datatype": kind, "shape": [1, 1], "data": [value]} for name, (kind, value) in asked.items()
    ]
    _, answer = post(infer_url(deployed), {"inputs": inputs}, key_of(deployed))
    no, yes = answer["outputs"][0]["data"]
    assert yes > 0.8 > 0.2 > no
    assert deployed.preview_steps() == {}


def readme_class() -> str:
    """The README's own network, as a file."""
    text = (PROJECT_ROOT / "README.md").read_text()
    _, _, after = text.partition("    # models/nets.py\n")
    lines = itertools.takewhile(lambda line: line.startswith("    "), after.splitlines())
    return "\n".join(line.removeprefix("    ") for line in lines) + "\n"


def plain_weights(stack: Stack, key: str) -> bytes:
    """64 bytes out of the middle of the opened model: its largest weight tensor."""
    import onnx

    from sealift.sealing import RsaIdentity, open_artifact
    from sealift.stores import get_manifest, get_payload, open_store

    outputs = stack.outputs()
    exported = json.loads(stack.exported())
    run = next(item for item in exported["deployment"]["resources"] if item["type"] == "sealift:index:TrainingRun")
    store = open_store(run["outputs"]["storeUrl"])
    artifact_id = outputs["artifactId"]
    opened = open_artifact(
        get_manifest(store, artifact_id), get_payload(store, artifact_id), RsaIdentity(key),
        artifact_id=artifact_id, payload_digest=run["outputs"]["payloadDigest"],
    )  # fmt: skip
    weights = max(onnx.load_from_string(bytes(opened.model)).graph.initializer, key=lambda item: len(item.raw_data))
    needle = bytes(weights.raw_data[:64])
    assert needle in bytes(opened.model), "the search would find the plain model if it were there"
    return needle
