"""Where everything is in the image and its pods: declared once, for the server, the image and the pod's spec.

Imports nothing of ours, and importing it changes nothing: components and bootstrap read it, which have no server's
packages.
"""

from typing import Final

ENTRY_POINT: Final = ("python3", "-m", "sealift.serving")
HEALTH_CHECK: Final = ("python3", "-m", "sealift.serving.health")
"""For who has no probe of Kubernetes'; with "--tls" where the server speaks it."""
USER_ID: Final = 65532
"""The image's non-root user, and the group that may read the mounted key."""

PORT: Final = 8080
PORT_NAME: Final = "http"
"""On Kubernetes, whose API server finds the port by it."""
GRPC_PORT: Final = 8081
GRPC_PORT_NAME: Final = "grpc"
METRICS_PORT: Final = 8082
METRICS_PORT_NAME: Final = "metrics"
METRICS_PATH: Final = "/metrics"

CODE_FOLDER: Final = "/opt/sealift"
PACKAGES_FOLDER: Final = f"{CODE_FOLDER}/site"
PACKAGES_FILE: Final = "packages.tar"
"""The archive that set-up makes of them and the image unpacks: one file, quicker than a thousand."""
PAYLOAD_PATH: Final = f"{CODE_FOLDER}/payload"
"""A file of the image, the last layer. Manifest and key are mounted into the pod and never in the image."""
PAYLOADS: Final = "payloads"
MANIFESTS: Final = "manifests"
"""Folders of a local store (sealift/stores/store.py), for who opens an artifact there."""
MANIFEST_FILE: Final = "manifest.json"
KEY_FILE: Final = "private.pem"
"""As every release has called it; what is in it says by itself of which kind it is."""
CERTIFICATE_FILE: Final = "tls.crt"
CERTIFICATE_KEY_FILE: Final = "tls.key"
"""As a Secret of type kubernetes.io/tls has them."""
ACCESS_FILE: Final = "access.json"
"""Who may ask. Its folder is mounted, never the file alone: only so do the pods see it change."""

FIXED_TIME: Final = 1_577_836_800  # 2020-01-01, since zip files cannot say earlier than 1980
"""Of every file that we put into the image, in seconds since 1970."""
