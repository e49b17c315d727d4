"""Paths, ports and names in the image and its pods, declared once for the server, the image and the pod spec.

It imports no other module of Sealift and has no side effects: components and bootstrap, which do not have the server's
packages, import it too.
"""

from typing import Final

ENTRY_POINT: Final = ("python3", "-m", "sealift.serving")
HEALTH_CHECK: Final = ("python3", "-m", "sealift.serving.health")
"""Health check for deployments without Kubernetes' probes. Add "--tls" if the server uses TLS."""
USER_ID: Final = 65532
"""The image's non-root user, and the group that may read the mounted key."""

PORT: Final = 8080
PORT_NAME: Final = "http"
"""Name of the port on Kubernetes, by which the API server finds it."""
GRPC_PORT: Final = 8081
GRPC_PORT_NAME: Final = "grpc"
METRICS_PORT: Final = 8082
METRICS_PORT_NAME: Final = "metrics"
METRICS_PATH: Final = "/metrics"

CODE_FOLDER: Final = "/opt/sealift"
PACKAGES_FOLDER: Final = f"{CODE_FOLDER}/site"
PACKAGES_FILE: Final = "packages.tar"
"""Archive of the packages, which set-up makes and the image unpacks. One file is faster to copy than a thousand."""
PAYLOAD_PATH: Final = f"{CODE_FOLDER}/payload"
"""A file of the image, the last layer. Manifest and key are mounted into the pod and never in the image."""
PAYLOADS: Final = "payloads"
MANIFESTS: Final = "manifests"
"""Folders of a local store (sealift/stores/store.py), to open an artifact there."""
MANIFEST_FILE: Final = "manifest.json"
KEY_FILE: Final = "private.pem"
"""File name of the private key of any kind, in every release. The content shows the kind."""
CERTIFICATE_FILE: Final = "tls.crt"
CERTIFICATE_KEY_FILE: Final = "tls.key"
"""Names in a Secret of type kubernetes.io/tls."""
ACCESS_FILE: Final = "access.json"
"""The access file. Its folder is mounted rather than the file alone, so that the pods see changes."""

FIXED_TIME: Final = 1_577_836_800  # 2020-01-01, since zip files cannot say earlier than 1980
"""Modification time of every file that we add to the image, in seconds since 1970."""
