"""One version of a model's server: its artifact, its arguments and the contents of its files.

Several versions can serve at the same time, each under its own name. Pure: no Pulumi. Leaves typed `object` are passed
on unchanged, so they may be unknown values.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TypeVar

from components.server_files import ACCESS, Contents, ServerFolder, folders_of
from components.settings.server import ServerSettings
from components.settings.tracing import Tracing
from sealift.serving import image_layout

Access = TypeVar("Access")


@dataclass(frozen=True)
class ServerVersion:
    """One version of a server. Two versions may have the same settings."""

    name: str
    """Prefix of its objects' names, and the label that selects its pods."""
    inputs: Mapping[str, object]
    """Inputs of the component: those of ServedModel, and those that the version's files contain."""

    @property
    def image(self) -> object:
        """Reference of the image, by digest."""
        return self.inputs["image"]

    @property
    def artifact_id(self) -> object:
        """Id of the only artifact that the server opens."""
        return self.inputs["artifactId"]

    @property
    def payload_digest(self) -> object:
        """Digest of the artifact's payload."""
        return self.inputs["payloadDigest"]

    def contents(self, folder: ServerFolder, access: Access) -> Contents | Access:
        """Returns the contents of the folder. `access` is the result of access_data.py, or an output of it."""
        return access if folder is ACCESS else {file: self.inputs[name] for file, name in folder.inputs.items()}

    def arguments(self, settings: ServerSettings) -> list[object]:
        """Returns the arguments of `python -m sealift.serving`, the image's entry point. They contain no secret: other
        processes can read arguments.

        The order is the same in every release: another order would change the pod template and roll the pods.
        """
        folders = folders_of(settings)
        return [
            "--payload", image_layout.PAYLOAD_PATH,
            *(word for folder in folders if not folder.read_again for word in folder.arguments),
            "--artifact-id", self.artifact_id,
            "--payload-digest", self.payload_digest,
            "--name", settings.model_name,
            *(["--auth", "none"] if ACCESS not in folders else []),
            *(word for folder in folders if folder.read_again for word in folder.arguments),
            "--port", str(image_layout.PORT),
            *(["--grpc-port", str(image_layout.GRPC_PORT)] if settings.grpc else []),
            *(word for origin in settings.cors_origins for word in ("--cors-origin", origin)),
            *(["--access-log", "all"] if settings.access_log == "all" else []),
            *(["--explain"] if settings.explain else []),
            *_make_tracing(settings.tracing),
            "--metrics-port", str(image_layout.METRICS_PORT),
        ]  # fmt: skip


def _make_tracing(tracing: Tracing | None) -> list[object]:
    if tracing is None:
        return []
    return ["--otlp-endpoint", tracing.otlp_endpoint, "--trace-ratio", str(tracing.ratio)]
