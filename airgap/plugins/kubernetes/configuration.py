"""The provider's configuration: which cluster, and how objects are handled there.

Each setting comes from the stack or Provider resource (`kubernetes:NAME`), else from the official plugin's environment
variable, else from its default.
"""

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import yaml

from airgap.plugins.kubernetes.errors import NotSupported
from airgap.plugins.kubernetes.objects import Object
from sealift.provider import UNKNOWN, Properties, reveal

PREFIX: Final = "kubernetes:config:"
IDENTITY: Final = ("kubeconfig", "context", "cluster")


@dataclass(frozen=True)
class Configuration:
    """What one provider instance was configured with."""

    kubeconfig: str = ""
    """A path, or the content of one; "" for the ambient one (KUBECONFIG, ~/.kube/config, then in-cluster)."""
    context: str = ""
    """Of the kubeconfig; "" for its current one."""
    namespace: str = ""
    """For objects that say none; "" for the context's own, or `default`."""
    mutable_config_maps: bool = False
    mutable_secrets: bool = False
    delete_unreachable: bool = False
    skip_update_unreachable: bool = False
    patch_force: bool = False
    upsert: bool = False

    @staticmethod
    def from_variables(variables: Mapping[str, str]) -> "Configuration":
        """Of the engine's Configure request. Raises NotSupported."""

        def flag(name: str, variable: str) -> bool:
            return (variables.get(PREFIX + name) or os.environ.get(variable, "")) == "true"

        if variables.get(PREFIX + "renderYamlToDirectory"):
            raise NotSupported(
                "provider setting renderYamlToDirectory is not served by this stand-in for the kubernetes plugin",
                "unset it, or use the official plugin: pulumi plugin install resource kubernetes",
            )
        return Configuration(
            kubeconfig=variables.get(PREFIX + "kubeconfig", ""),
            context=variables.get(PREFIX + "context", ""),
            namespace=variables.get(PREFIX + "namespace", ""),
            mutable_config_maps=flag("enableConfigMapMutable", "PULUMI_K8S_ENABLE_CONFIGMAP_MUTABLE"),
            mutable_secrets=flag("enableSecretMutable", "PULUMI_K8S_ENABLE_SECRET_MUTABLE"),
            delete_unreachable=flag("deleteUnreachable", "PULUMI_K8S_DELETE_UNREACHABLE"),
            skip_update_unreachable=flag("skipUpdateUnreachable", "PULUMI_K8S_SKIP_UPDATE_UNREACHABLE"),
            patch_force=flag("enablePatchForce", "PULUMI_K8S_ENABLE_PATCH_FORCE"),
            upsert=flag("upsertExistingObjects", "PULUMI_K8S_UPSERT_EXISTING_OBJECTS"),
        )


def changed_settings(olds: Properties, news: Properties) -> tuple[list[str], list[str]]:
    """Which provider settings changed, and which of them mean another cluster, so that everything in it is replaced."""
    changed = sorted(
        name for name in olds.keys() | news.keys() if olds.get(name) != news.get(name) and name != "version"
    )
    unknown = [name for name in IDENTITY if news.get(name) is UNKNOWN]
    if unknown:
        return unknown, unknown
    old, new = active_cluster(olds), active_cluster(news)
    moved = old is not None and new is not None and old != new
    return changed, [name for name in IDENTITY if moved and name in changed]


def default_namespace(configuration: Configuration) -> str:
    """Where objects go that say no namespace: the setting, else the context's namespace, else `default`."""
    if configuration.namespace:
        return configuration.namespace
    try:
        context = active_context(
            load_kubeconfig(configuration.kubeconfig or ambient_kubeconfig()), configuration.context
        )
    except (OSError, yaml.YAMLError):
        return "default"  # whoever needs the cluster is told what is wrong
    return str(context.get("namespace") or "default")


def ambient_kubeconfig() -> str:
    """The first existing file of KUBECONFIG, or the default one, whether it exists or not."""
    ambient = os.environ.get("KUBECONFIG", "")
    if not ambient:
        return os.path.expanduser("~/.kube/config")  # noqa: PTH111  a path as users spell it
    paths = ambient.split(os.pathsep)
    return next((path for path in paths if os.path.exists(path)), paths[0])  # noqa: PTH110


def active_context(config: Object, name: str = "") -> Object:
    """The context of this name, else the current one; {} if there is none."""
    wanted = name or config.get("current-context", "")
    found = next((entry["context"] for entry in config.get("contexts") or [] if entry["name"] == wanted), None)
    return found if isinstance(found, dict) else {}


def active_cluster(settings: Properties) -> Object | None:
    """The kubeconfig's entry for the cluster that the settings point to; None if they do not say."""
    given = reveal(settings.get("kubeconfig"))
    if not given or given is UNKNOWN:
        return None
    try:
        config = load_kubeconfig(given if isinstance(given, str) else json.dumps(given))
    except (OSError, yaml.YAMLError):
        return None  # a file that was there once may be gone now; another cluster is not known from that
    context = active_context(config, str(settings.get("context") or ""))
    name = str(settings.get("cluster") or context.get("cluster", ""))
    found = {entry["name"]: entry["cluster"] for entry in config.get("clusters") or []}.get(name)
    return found if isinstance(found, dict) else None


def load_kubeconfig(path_or_content: str) -> Object:
    """Its mapping; {} if that is none. Raises OSError, yaml.YAMLError."""
    content = path_or_content
    if is_path(path_or_content):
        with open(os.path.expanduser(path_or_content)) as file:  # noqa: PTH111, PTH123  a user's spelling of a path
            content = file.read()
    loaded = yaml.safe_load(content)
    return loaded if isinstance(loaded, dict) else {}


def is_path(path_or_content: str) -> bool:
    """Whether a kubeconfig setting names a file, rather than being one's content."""
    return "\n" not in path_or_content and not path_or_content.lstrip().startswith("{")
