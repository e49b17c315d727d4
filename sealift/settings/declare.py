"""Declarations of settings as fields of a dataclass: kind, default and meaning beside name and type."""

import dataclasses
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from sealift.names import camel_case
from sealift.settings.kinds import Kind

KEY: Final = "setting"


@dataclass(frozen=True)
class Setting:
    """Declaration of a setting, with either a kind or, for an object of settings, the dataclass that declares them."""

    name: str
    """Name in camelCase."""
    kind: Kind[Any] | None
    of: type[Any] | None
    many: bool
    """Whether the setting is an object of objects, by names that the user chooses."""
    default: object
    meaning: str
    secret: bool
    required: bool
    shapes: bool
    """Whether the result depends on the setting. False for settings about location, checks or reporting."""


def setting(
    kind: Kind[Any],
    default: object = None,
    meaning: str = "",
    *,
    secret: bool = False,
    required: bool = False,
    shapes: bool = True,
) -> Any:
    """Declares a value. `meaning` is a description for people, without the allowed values and the default."""
    return _field(default, {"kind": kind, "meaning": meaning, "secret": secret, "required": required, "shapes": shapes})


def section(of: type[Any], default: object = None, meaning: str = "", *, shapes: bool = True) -> Any:
    """Declares an object of settings, which `of` declares. The default None means no object rather than one of
    defaults. If it `shapes`, each setting inside declares whether it does.
    """
    return _field(default, {"of": of, "meaning": meaning, "shapes": shapes})


def sections(of: type[Any], meaning: str = "") -> Any:
    """Declares objects of settings, by names that the user chooses."""
    return _field({}, {"of": of, "many": True, "meaning": meaning})


def declarations(of: type[Any]) -> Iterator[Setting]:
    """Yields the declarations of a dataclass, in order."""
    for field in dataclasses.fields(of):
        said: Mapping[str, Any] = field.metadata[KEY]
        default = field.default if field.default_factory is dataclasses.MISSING else field.default_factory()
        yield Setting(
            name=camel_case(field.name),
            kind=said.get("kind"),
            of=said.get("of"),
            many=said.get("many", False),
            default=default,
            meaning=said["meaning"],
            secret=said.get("secret", False),
            required=said.get("required", False),
            shapes=said.get("shapes", True),
        )


def summary(of: type[Any]) -> str:
    """The docstring of a class of settings, in one line."""
    return " ".join((of.__doc__ or "").split())


def _field(default: object, said: Mapping[str, object]) -> Any:
    if isinstance(default, dict):
        return dataclasses.field(default_factory=lambda: dict(default), metadata={KEY: said})
    return dataclasses.field(default=default, metadata={KEY: said})
