"""What a server is given beside its image: files in places.py's folders, and the arguments that tell where they are.

Pure: no Pulumi. Leaves typed `object` pass through untouched, so they may be values that are not known yet.
"""

from components.server_settings import ServerSettings
from components.tracing_settings import Tracing
from sealift.serving import places

Data = dict[str, object]
"""Contents by the file's name."""


def manifest_data(manifest: object) -> Data:
    """For MANIFEST_FOLDER."""
    return {places.MANIFEST_FILE: manifest}


def key_data(private_key: object) -> Data:
    """For KEY_FOLDER."""
    return {places.KEY_FILE: private_key}


def tls_data(certificate: object, private_key: object) -> Data:
    """For TLS_FOLDER, as a Secret of type kubernetes.io/tls has them."""
    return {places.CERTIFICATE_FILE: certificate, places.CERTIFICATE_KEY_FILE: private_key}


def arguments(settings: ServerSettings, artifact_id: object, payload_digest: object) -> list[object]:
    """Of `python -m sealift.serving`, the image's entry point. Nothing secret: arguments are there for all to read."""
    access_file = f"{places.ACCESS_FOLDER}/{places.ACCESS_FILE}"
    access = ["--auth", "none"] if settings.auth == "none" else ["--access", access_file]
    return [
        "--payload", places.PAYLOAD_PATH,
        "--manifest", f"{places.MANIFEST_FOLDER}/{places.MANIFEST_FILE}",
        "--key", f"{places.KEY_FOLDER}/{places.KEY_FILE}",
        "--artifact-id", artifact_id,
        "--payload-digest", payload_digest,
        "--name", settings.model_name,
        *access,
        *([] if settings.tls_certificate is None else ["--tls", places.TLS_FOLDER]),
        "--port", str(places.PORT),
        *(["--grpc-port", str(places.GRPC_PORT)] if settings.grpc else []),
        *(word for origin in settings.cors_origins for word in ("--cors-origin", origin)),
        *(["--access-log", "all"] if settings.access_log == "all" else []),
        *(["--explain"] if settings.explain else []),
        *_tracing(settings.tracing),
        "--metrics-port", str(places.METRICS_PORT),
    ]  # fmt: skip


def _tracing(tracing: Tracing | None) -> list[object]:
    if tracing is None:
        return []
    return ["--otlp-endpoint", tracing.otlp_endpoint, "--trace-ratio", str(tracing.ratio)]


def endpoints(base_url: str, model_name: str) -> dict[str, str]:
    """The Open Inference Protocol's addresses of one model, by what they are for."""
    model_url = f"{base_url}/v2/models/{model_name}"
    return {
        "live": f"{base_url}/v2/health/live",
        "ready": f"{base_url}/v2/health/ready",
        "metadata": model_url,
        "modelReady": f"{model_url}/ready",
        "infer": f"{model_url}/infer",
    }
