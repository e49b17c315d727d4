"""The API keys of one server, as resources: what clients send, and what the server is told of it."""

from collections.abc import Mapping
from typing import Any

import pulumi

from components.access_data import access_data
from components.api_key import ApiKey
from components.args import ApiKeyArgs
from components.settings.server import NOBODY, OPEN, ServerSettings


class ApiKeys:
    """One ApiKey for each of `names`, made once the settings are found good: none for a server that is refused."""

    def __init__(
        self, component: str, names: Mapping[str, object], settings: pulumi.Output[Any], opts: pulumi.ResourceOptions
    ) -> None:
        """`settings` are a ServerSettings of the component of this name."""
        self._settings = settings
        self._made = {name: ApiKey(f"{component}-{name}", _rotation(settings, name), opts) for name in names}

    def by_name(self) -> pulumi.Output[Mapping[str, str]]:
        """What clients send. Secret."""
        return pulumi.Output.secret(pulumi.Output.all(**{name: made.key for name, made in self._made.items()}))

    def access_data(self) -> pulumi.Output[dict[str, object]]:
        """Contents of the folder `access`, by the file's name."""
        digests = pulumi.Output.all(**{name: made.digests for name, made in self._made.items()})
        return pulumi.Output.all(self._settings, digests).apply(lambda known: access_data(*known))


def warn_of_access(component: pulumi.Resource, settings: ServerSettings) -> None:
    """Says what nobody may have meant: everybody may ask, or nobody can."""
    if settings.auth == "none":
        pulumi.log.warn(OPEN, component)
    elif not settings.lets_someone_predict:
        pulumi.log.warn(NOBODY, component)


def _rotation(settings: pulumi.Output[ServerSettings], name: str) -> ApiKeyArgs:
    asked = settings.apply(lambda known: known.valid_api_keys[name])
    return {"rotation": asked.apply(lambda one: one.rotation), "overlap": asked.apply(lambda one: one.overlap)}
