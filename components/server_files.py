"""The files that a server is given beside its image: each folder of them is declared once, here.

On Kubernetes a folder is a ConfigMap or a Secret, and a volume of the pods; on a Docker engine its files are uploaded
into the container. Pure: no Pulumi. Contents typed `object` pass through untouched, so they may be values that are not
known yet.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

from components.settings.server import ServerSettings
from sealift.serving import image_layout

Contents = Mapping[str, object]
"""Of a folder, by the file's name."""
MOUNTS: Final = "/etc/sealift"
"""Where the server finds its folders."""


@dataclass(frozen=True, eq=False)
class ServerFolder:
    """One folder of a server's files."""

    name: str
    """In MOUNTS, and of the pod's volume; the name of its object ends with it."""
    option: str
    """Of the server's arguments, which says where the file or the folder is."""
    file: str | None
    """The file that the option names; none where it names the folder."""
    inputs: Mapping[str, str]
    """Names of the component's inputs that the files hold, by the file's name; none of what API keys make."""
    secret: bool = True
    object_type: str | None = None
    """Of its Secret, where Kubernetes has a type for such files."""
    read_again: bool = False
    """Whether the server reads it again while it runs: its object then keeps its name when the contents change."""
    is_given: Callable[[ServerSettings], bool] = lambda settings: True

    @property
    def path(self) -> str:
        """In the container."""
        return f"{MOUNTS}/{self.name}"

    @property
    def arguments(self) -> tuple[str, str]:
        """By which the server is told where it is."""
        return self.option, self.path if self.file is None else f"{self.path}/{self.file}"


ACCESS: Final = ServerFolder(
    name="access",
    option="--access",
    file=image_layout.ACCESS_FILE,
    inputs={},
    read_again=True,
    is_given=lambda settings: settings.auth != "none",
)
"""What access_data.py makes."""

FOLDERS: Final = (
    ServerFolder(
        name="manifest",
        option="--manifest",
        file=image_layout.MANIFEST_FILE,
        inputs={image_layout.MANIFEST_FILE: "manifest"},
        secret=False,
    ),
    ServerFolder(name="key", option="--key", file=image_layout.KEY_FILE, inputs={image_layout.KEY_FILE: "privateKey"}),
    ACCESS,
    ServerFolder(
        name="tls",
        option="--tls",
        file=None,
        inputs={image_layout.CERTIFICATE_FILE: "tlsCertificate", image_layout.CERTIFICATE_KEY_FILE: "tlsPrivateKey"},
        object_type="kubernetes.io/tls",
        read_again=True,
        is_given=lambda settings: settings.tls_certificate is not None,
    ),
)


def folders_of(settings: ServerSettings) -> tuple[ServerFolder, ...]:
    """The folders that a server with these settings is given."""
    return tuple(folder for folder in FOLDERS if folder.is_given(settings))
