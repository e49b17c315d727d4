"""The files that a server gets in addition to its image. Each folder of files is declared once, here.

On Kubernetes a folder is a ConfigMap or a Secret, and a volume of the pods. On a Docker engine its files are uploaded
into the container. Pure: no Pulumi. Contents typed `object` are passed on unchanged, so they may be unknown values.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

from components.settings.server import ServerSettings
from sealift.serving import image_layout

Contents = Mapping[str, object]
"""Contents of a folder, by file name."""
MOUNTS: Final = "/etc/sealift"
"""Parent of the server's folders in the container."""


@dataclass(frozen=True, eq=False)
class ServerFolder:
    """One folder of a server's files."""

    name: str
    """Name of the folder in MOUNTS and of the pod's volume. Its object's name ends with it."""
    option: str
    """Option of the server that takes the path of the file or folder."""
    file: str | None
    """File that the option names. None if the option names the folder."""
    inputs: Mapping[str, str]
    """Names of the component's inputs that the files contain, by file name. Empty for the access file."""
    secret: bool = True
    object_type: str | None = None
    """Type of its Secret, if Kubernetes has a type for such files."""
    read_again: bool = False
    """Whether the server reads it again while it runs. Its object then keeps its name when the contents change."""
    is_given: Callable[[ServerSettings], bool] = lambda settings: True

    @property
    def path(self) -> str:
        """Path of the folder in the container."""
        return f"{MOUNTS}/{self.name}"

    @property
    def arguments(self) -> tuple[str, str]:
        """Arguments that pass the path to the server."""
        return self.option, self.path if self.file is None else f"{self.path}/{self.file}"


ACCESS: Final = ServerFolder(
    name="access",
    option="--access",
    file=image_layout.ACCESS_FILE,
    inputs={},
    read_again=True,
    is_given=lambda settings: settings.auth != "none",
)
"""Folder with the contents that access_data.py makes."""

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
    """Returns the folders that a server with these settings gets."""
    return tuple(folder for folder in FOLDERS if folder.is_given(settings))
