"""The provider's configuration: the cluster, and the handling of its objects.

Each setting comes from the stack or Provider resource (`kubernetes:NAME`), otherwise from the official plugin's
environment variable, otherwise it has its default.
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
    """Configuration of one provider instance."""

    kubeconfig: str = ""
    """Path or content of a kubeconfig. "" uses the ambient one (KUBECONFIG, ~/.kube/config, then in-cluster)."""
    context: str = ""
    """Context of the kubeconfig. "" uses its current one."""
    namespace: str = ""
    """Namespace of objects that set none. "" uses the context's namespace, or `default`."""
    mutable_config_maps: bool = False
    mutable_secrets: bool = False
    delete_unreachable: bool = False
    skip_update_unreachable: bool = False
    patch_force: bool = False
    upsert: bool = False

    @staticmethod
    def from_variables(variables: Mapping[str, str]) -> "Configuration":
        """Reads the variables of the engine's Configure request. Raises NotSupported."""

        def flag(name: str, variable: str) -> bool:
            return (variables.get(PREFIX + name) or os.environ.get(variable, "")) == "true"

        if variables.get(PREFIX + "renderYamlToDirectory"):
            raise NotSupported(
                "this stand-in for the kubernetes plugin does not support the provider setting renderYamlToDirectory",
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
    """Returns the changed provider settings, and those that mean another cluster, which replaces all objects."""
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
    """Returns the namespace of objects that set none: the setting, otherwise the context's, otherwise `default`."""
    if configuration.namespace:
        return configuration.namespace
    try:
        context = active_context(
            load_kubeconfig(configuration.kubeconfig or ambient_kubeconfig()), configuration.context
        )
    except (OSError, yaml.YAMLError):
        return "default"  # operations that need the cluster report the problem
    return str(context.get("namespace") or "default")


def ambient_kubeconfig() -> str:
    """Returns the first existing file of KUBECONFIG, or the default file, whether it exists or not."""
    ambient = os.environ.get("KUBECONFIG", "")
    if not ambient:
        return os.path.expanduser("~/.kube/config")  # noqa: PTH111  a path as users spell it
    paths = ambient.split(os.pathsep)
    return next((path for path in paths if os.path.exists(path)), paths[0])  # noqa: PTH110


def active_context(config: Object, name: str = "") -> Object:
    """Returns the context of this name, otherwise the current one. {} if it does not exist."""
    wanted = name or config.get("current-context", "")
    found = next((entry["context"] for entry in config.get("contexts") or [] if entry["name"] == wanted), None)
    return found if isinstance(found, dict) else {}


def active_cluster(settings: Properties) -> Object | None:
    """Returns the kubeconfig's entry for the cluster of the settings, or None if they name no cluster."""
    given = reveal(settings.get("kubeconfig"))
    if not given or given is UNKNOWN:
        return None
    try:
        config = load_kubeconfig(given if isinstance(given, str) else json.dumps(given))
    except (OSError, yaml.YAMLError):
        return None  # an earlier file may be missing now, which does not mean another cluster
    context = active_context(config, str(settings.get("context") or ""))
    name = str(settings.get("cluster") or context.get("cluster", ""))
    found = {entry["name"]: entry["cluster"] for entry in config.get("clusters") or []}.get(name)
    return found if isinstance(found, dict) else None


def load_kubeconfig(path_or_content: str) -> Object:
    """Returns the kubeconfig's mapping, {} if it contains none. Raises OSError, yaml.YAMLError."""
    content = path_or_content
    if is_path(path_or_content):
        with open(os.path.expanduser(path_or_content)) as file:  # noqa: PTH111, PTH123  a user's spelling of a path
            content = file.read()
    loaded = yaml.safe_load(content)
    return loaded if isinstance(loaded, dict) else {}


def is_path(path_or_content: str) -> bool:
    """Whether a kubeconfig setting is a path rather than the content."""
    return "\n" not in path_or_content and not path_or_content.lstrip().startswith("{")
