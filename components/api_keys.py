"""The API keys of one server as resources: the keys for clients, and their digests for the server."""

from collections.abc import Mapping
from typing import Any

import pulumi

from components.access_data import access_data
from components.api_key import ApiKey
from components.args import ApiKeyArgs
from components.settings.server import NOBODY, OPEN, ServerSettings


class ApiKeys:
    """One ApiKey for each of `names`, created once the settings are valid: a refused server gets no keys."""

    def __init__(
        self, component: str, names: Mapping[str, object], settings: pulumi.Output[Any], opts: pulumi.ResourceOptions
    ) -> None:
        """`settings` is the ServerSettings of the component named `component`."""
        self._settings = settings
        self._made = {name: ApiKey(f"{component}-{name}", _rotation(settings, name), opts) for name in names}

    def by_name(self) -> pulumi.Output[Mapping[str, str]]:
        """Returns the keys that clients send, as a secret."""
        return pulumi.Output.secret(pulumi.Output.all(**{name: made.key for name, made in self._made.items()}))

    def access_data(self) -> pulumi.Output[dict[str, object]]:
        """Returns the contents of the folder `access` by file name."""
        digests = pulumi.Output.all(**{name: made.digests for name, made in self._made.items()})
        return pulumi.Output.all(self._settings, digests).apply(lambda known: access_data(*known))


def warn_of_access(component: pulumi.Resource, settings: ServerSettings) -> None:
    """Warns of settings that may be unintended: every client can send requests, or none can."""
    if settings.auth == "none":
        pulumi.log.warn(OPEN, component)
    elif not settings.lets_someone_predict:
        pulumi.log.warn(NOBODY, component)


def _rotation(settings: pulumi.Output[ServerSettings], name: str) -> ApiKeyArgs:
    asked = settings.apply(lambda known: known.valid_api_keys[name])
    return {"rotation": asked.apply(lambda one: one.rotation), "overlap": asked.apply(lambda one: one.overlap)}
