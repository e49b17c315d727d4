"""The objects of a training run on Kubernetes: a Job with one pod, its Secret and its ConfigMap, as plain dictionaries.

Pure: no Kubernetes client. The pod meets the restricted Pod Security profile and has no service account token. Secret
and ConfigMap belong to the Job, so the cluster removes them with it.
"""

import base64
import io
import zipfile
from pathlib import Path
from typing import Any, Final

from training.options import Compute
from training.pod_access import ACCESS_FILE, HOST
from training.process import PROJECT_ROOT

Spec = dict[str, Any]

OURS: Final = "sealift"
CONTAINER: Final = "training"
RUN_LABEL: Final = "sealift.dev/run"
LABELS: Final = {"app.kubernetes.io/name": "sealift-training", "app.kubernetes.io/managed-by": "sealift"}
USER: Final = 65532
RETRIES: Final = 3
"""Number of pods that may be lost. A pod that its node's drain ends is not counted."""
STOP_SECONDS: Final = 30
"""Time of a pod that ends to save its checkpoint."""
KEPT_SECONDS: Final = 86400
"""Time that a Job stays after its end, for an update that was killed and comes back."""
CODE: Final = "code.zip"
ACCESS_FOLDER: Final = "/run/sealift/access"
CODE_FOLDER: Final = "/run/sealift/code"
PACKAGES_FOLDER: Final = "/run/sealift/packages"
WORK_FOLDER: Final = "/work"
UNUSED: Final = ("command", "provider", "provenance", "registry", "serving", "signing")
"""Packages of ours that training does not import."""
START: Final = f"""\
import os, sys, zipfile
zipfile.ZipFile("{CODE_FOLDER}/{CODE}").extractall("{WORK_FOLDER}/sealift")
python = sys.executable
if os.path.isdir("{PACKAGES_FOLDER}"):
    import venv
    venv.EnvBuilder(symlinks=True).create("{WORK_FOLDER}/env")
    library = f"{WORK_FOLDER}/env/lib/python{{sys.version_info[0]}}.{{sys.version_info[1]}}"
    os.rmdir(library + "/site-packages")
    os.symlink("{PACKAGES_FOLDER}", library + "/site-packages")
    python = "{WORK_FOLDER}/env/bin/python"
os.mkdir("{WORK_FOLDER}/run")
os.chdir("{WORK_FOLDER}/run")
os.execv(python, [python, "-P", "-m", "training", "pod", "{ACCESS_FOLDER}"])
"""
"""First program in the pod: unpacks our code, and puts the packages of a claim into an environment of their own."""


def object_name(run_id: str) -> str:
    """Returns the name of a run's objects: the same in each update, so that one finds the Job of an earlier one."""
    return f"sealift-training-{run_id[:20]}"


def job(run_id: str, compute: Compute) -> Spec:
    """Returns the Job."""
    name = object_name(run_id)
    labels = {**LABELS, RUN_LABEL: run_id[:63]}
    return {
        "apiVersion": "batch/v1",
        "kind": "Job",
        "metadata": {"name": name, "labels": labels},
        "spec": {
            "completionMode": "Indexed",
            "completions": compute.nodes,
            "parallelism": compute.nodes,
            "backoffLimit": RETRIES,
            "podFailurePolicy": {
                "rules": [
                    {"action": "Ignore", "onPodConditions": [{"type": "DisruptionTarget"}]},
                    {
                        "action": "FailJob",
                        "onExitCodes": {"containerName": CONTAINER, "operator": "In", "values": [1]},
                    },
                ]
            },
            "ttlSecondsAfterFinished": KEPT_SECONDS,
            "template": {"metadata": {"labels": labels}, "spec": _pod(name, compute)},
        },
    }


def access_secret(run_id: str, access: bytes, owner: Spec) -> Spec:
    """Returns the Secret with the run's access. `owner` refers to the Job."""
    return _owned(run_id, owner) | {
        "kind": "Secret",
        "type": "Opaque",
        "data": {ACCESS_FILE: base64.b64encode(access).decode()},
    }


def code_map(run_id: str, code: bytes, owner: Spec) -> Spec:
    """Returns the ConfigMap with our code. `owner` refers to the Job."""
    return _owned(run_id, owner) | {"kind": "ConfigMap", "binaryData": {CODE: base64.b64encode(code).decode()}}


def network_policy(run_id: str, owner: Spec) -> Spec:
    """Returns the NetworkPolicy that lets only pods of the same run in. `owner` refers to the Job."""
    pods = {"matchLabels": {RUN_LABEL: run_id[:63]}}
    return _owned(run_id, owner) | {
        "apiVersion": "networking.k8s.io/v1",
        "kind": "NetworkPolicy",
        "spec": {"podSelector": pods, "policyTypes": ["Ingress"], "ingress": [{"from": [{"podSelector": pods}]}]},
    }


def pack_code(root: Path = PROJECT_ROOT) -> bytes:
    """Returns the modules of ours that training needs, as a ZIP file with the same bytes for the same modules."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as archive:
        for file in sorted([*(root / "training").rglob("*.py"), *(root / OURS).rglob("*.py")]):
            parts = file.relative_to(root).parts
            if parts[0] != OURS or parts[1] not in UNUSED:
                archive.writestr(zipfile.ZipInfo("/".join(parts)), file.read_bytes(), zipfile.ZIP_DEFLATED)
    return packed.getvalue()


def _owned(run_id: str, owner: Spec) -> Spec:
    return {
        "apiVersion": "v1",
        "metadata": {"name": object_name(run_id), "labels": LABELS, "ownerReferences": [owner]},
    }


def _pod(name: str, compute: Compute) -> Spec:
    resources = {"cpu": compute.cpu, "memory": compute.memory}
    if compute.gpus:
        resources["nvidia.com/gpu"] = str(compute.gpus)
    mounts = {"access": ACCESS_FOLDER, "code": CODE_FOLDER, "work": WORK_FOLDER, "memory": "/dev/shm"}  # noqa: S108 - the model's libraries write there, and nothing of it reaches a disk
    volumes: list[Spec] = [
        {"name": "access", "secret": {"secretName": name, "defaultMode": 0o440}},
        {"name": "code", "configMap": {"name": name}},
        {"name": "work", "emptyDir": {}},
        {"name": "memory", "emptyDir": {"medium": "Memory"}},
    ]
    volume_mounts: list[Spec] = [
        {"name": volume, "mountPath": path, **({"readOnly": True} if volume in ("access", "code") else {})}
        for volume, path in mounts.items()
    ]
    if compute.packages_claim is not None:
        volumes.append(
            {"name": "packages", "persistentVolumeClaim": {"claimName": compute.packages_claim, "readOnly": True}}
        )
        mount = {"name": "packages", "mountPath": PACKAGES_FOLDER, "readOnly": True}
        volume_mounts.append(mount | ({"subPath": compute.packages_path} if compute.packages_path else {}))
    return {
        "restartPolicy": "Never",
        "terminationGracePeriodSeconds": STOP_SECONDS,
        "automountServiceAccountToken": False,
        "enableServiceLinks": False,
        "securityContext": {
            "runAsNonRoot": True,
            "runAsUser": USER,
            "runAsGroup": USER,
            "fsGroup": USER,
            "fsGroupChangePolicy": "OnRootMismatch",
            "seccompProfile": {"type": "RuntimeDefault"},
        },
        "containers": [
            {
                "name": CONTAINER,
                "image": compute.image,
                "command": ["python3", "-I", "-c", START],
                "env": [
                    *({"name": key, "value": value} for key, value in _environment().items()),
                    {"name": HOST, "valueFrom": {"fieldRef": {"fieldPath": "status.podIP"}}},
                ],
                "resources": {"requests": resources, "limits": resources},
                "securityContext": {
                    "allowPrivilegeEscalation": False,
                    "readOnlyRootFilesystem": True,
                    "capabilities": {"drop": ["ALL"]},
                },
                "volumeMounts": volume_mounts,
            }
        ],
        "volumes": volumes,
    }


def _environment() -> dict[str, str]:
    """Returns the variables of training.process.environment, for our code's place in the pod."""
    return {
        "HOME": WORK_FOLDER,
        "PYTHONPATH": f"{WORK_FOLDER}/sealift",
        "PYTHONUNBUFFERED": "1",
        "PYTHONHASHSEED": "0",
        "ORT_DISABLE_TELEMETRY": "1",
        "PYTHONDONTWRITEBYTECODE": "1",
    }
