"""The Job of a training run, as the API server gets it."""

import io
import json
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import Any

from components.plugin import job_objects
from training.options import Compute

RUN_ID = "ab" * 32
OWNER = {"apiVersion": "batch/v1", "kind": "Job", "name": "a", "uid": "b"}


def pod(**compute: Any) -> dict[str, Any]:
    job = job_objects.job(RUN_ID, Compute(kind="job", image="python@sha256:0", **compute))
    spec: dict[str, Any] = job["spec"]["template"]["spec"]
    return spec


def test_the_pod_meets_the_restricted_profile_and_has_no_token() -> None:
    spec = pod()
    (container,) = spec["containers"]
    assert spec["automountServiceAccountToken"] is False
    assert spec["securityContext"]["runAsNonRoot"] is True
    assert spec["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
    assert container["securityContext"] == {
        "allowPrivilegeEscalation": False, "readOnlyRootFilesystem": True, "capabilities": {"drop": ["ALL"]},
    }  # fmt: skip
    assert {kind for volume in spec["volumes"] for kind in volume} == {"name", "secret", "configMap", "emptyDir"}


def test_requests_are_the_limits_and_count_gpus() -> None:
    (container,) = pod(cpu="4", memory="16Gi", gpus=2)["containers"]
    assert container["resources"]["requests"] == {"cpu": "4", "memory": "16Gi", "nvidia.com/gpu": "2"}
    assert container["resources"]["limits"] == container["resources"]["requests"]


def test_a_claim_of_packages_is_mounted_read_only() -> None:
    spec = pod(packages_claim="packages", packages_path="lib")
    assert {"name": "packages", "persistentVolumeClaim": {"claimName": "packages", "readOnly": True}} in spec["volumes"]
    (mount,) = [one for one in spec["containers"][0]["volumeMounts"] if one["name"] == "packages"]
    assert (mount["readOnly"], mount["subPath"]) == (True, "lib")


def test_a_run_has_the_same_names_in_each_update_and_other_runs_have_others() -> None:
    assert job_objects.object_name(RUN_ID) == job_objects.object_name(RUN_ID)
    assert job_objects.object_name("cd" * 32) != job_objects.object_name(RUN_ID)
    assert len(job_objects.object_name(RUN_ID)) <= 63 - len("-0-abcde"), "with the suffix of a pod"


def test_the_access_is_in_the_secret_alone() -> None:
    secret = job_objects.access_secret(RUN_ID, b"a secret", OWNER)
    assert secret["metadata"]["ownerReferences"] == [OWNER]
    job = job_objects.job(RUN_ID, Compute(kind="job", image="python@sha256:0"))
    assert secret["data"]["access.json"] not in json.dumps(job)


def test_the_code_has_the_same_bytes_each_time_and_runs_without_the_rest_of_ours(tmp_path: Path) -> None:
    code = job_objects.pack_code()
    assert code == job_objects.pack_code()
    assert len(code) < 1_000_000, "a ConfigMap has at most 1 MiB"
    zipfile.ZipFile(io.BytesIO(code)).extractall(tmp_path)
    assert not (tmp_path / "sealift" / "serving").exists()
    script = "import training.pod, training.trainer, training.worker, training.fit, training.evidence; print('all')"
    ran = subprocess.run(
        [sys.executable, "-P", "-c", script], cwd=tmp_path, env={"PYTHONPATH": str(tmp_path)}, capture_output=True,
        text=True,
    )  # fmt: skip
    assert ran.stdout == "all\n", ran.stderr


def test_several_pods_share_a_job_and_only_they_reach_each_other() -> None:
    job = job_objects.job(RUN_ID, Compute(kind="job", image="python@sha256:0", processes=4, nodes=2))
    assert (job["spec"]["completions"], job["spec"]["parallelism"]) == (2, 2)
    labels = job["spec"]["template"]["metadata"]["labels"]

    policy = job_objects.network_policy(RUN_ID, OWNER)

    selector = policy["spec"]["podSelector"]["matchLabels"]
    assert selector.items() <= labels.items()
    assert policy["spec"]["policyTypes"] == ["Ingress"]
    assert policy["spec"]["ingress"] == [{"from": [{"podSelector": {"matchLabels": selector}}]}]
    assert policy["metadata"]["ownerReferences"] == [OWNER]
