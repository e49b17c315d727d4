"""One version of a model's server: what it serves, what it is told, and what its files hold.

Several versions can serve side by side, each under a name of its own. Pure: no Pulumi. Leaves typed `object` pass
through untouched, so they may be values that are not known yet.
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
    """What tells one version of a server from another, whose settings may be the same."""

    name: str
    """Begins the names of its objects, and tells its pods from another version's."""
    inputs: Mapping[str, object]
    """The component's: ServedModel's, and those that its files hold."""

    @property
    def image(self) -> object:
        """By its digest."""
        return self.inputs["image"]

    @property
    def artifact_id(self) -> object:
        """The only artifact that the server opens."""
        return self.inputs["artifactId"]

    @property
    def payload_digest(self) -> object:
        """Of the artifact's payload."""
        return self.inputs["payloadDigest"]

    def contents(self, folder: ServerFolder, access: Access) -> Contents | Access:
        """What the folder holds; `access` is what access_data.py makes, wherever it is known."""
        return access if folder is ACCESS else {file: self.inputs[name] for file, name in folder.inputs.items()}

    def arguments(self, settings: ServerSettings) -> list[object]:
        """Of `python -m sealift.serving`, the image's entry point. Nothing secret: arguments are there for all to read.

        Their order is that of every release: another order would be another pod template, and roll the pods.
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
