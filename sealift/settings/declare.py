"""What a dataclass's field says of itself, beside its name and its Python type: kind, default, meaning."""

import dataclasses
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from sealift.names import camel_case
from sealift.settings.kinds import Kind

KEY: Final = "setting"


@dataclass(frozen=True)
class Setting:
    """One declaration. It has a kind, or, of an object of settings, the dataclass that these stand in."""

    name: str
    """camelCase."""
    kind: Kind[Any] | None
    of: type[Any] | None
    many: bool
    """An object of objects, by a name that the user gives."""
    default: object
    meaning: str
    secret: bool
    required: bool
    shapes: bool
    """Whether what is made depends on it; False: it says where, how that is judged, or what is said of it."""


def setting(
    kind: Kind[Any],
    default: object = None,
    meaning: str = "",
    *,
    secret: bool = False,
    required: bool = False,
    shapes: bool = True,
) -> Any:
    """A value. `meaning` is a sentence for people; what is allowed and the default are not repeated there."""
    return _field(default, {"kind": kind, "meaning": meaning, "secret": secret, "required": required, "shapes": shapes})


def section(of: type[Any], default: object = None, meaning: str = "", *, shapes: bool = True) -> Any:
    """An object of settings, declared in `of`; None as default: without it there is none, rather than a plain one.
    Where it `shapes`, each setting inside says whether it does.
    """
    return _field(default, {"of": of, "meaning": meaning, "shapes": shapes})


def sections(of: type[Any], meaning: str = "") -> Any:
    """Objects of settings, by a name that the user gives."""
    return _field({}, {"of": of, "many": True, "meaning": meaning})


def declarations(of: type[Any]) -> Iterator[Setting]:
    """In the order in which they stand there."""
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
    """What a class of settings says of itself, in one line."""
    return " ".join((of.__doc__ or "").split())


def _field(default: object, said: Mapping[str, object]) -> Any:
    if isinstance(default, dict):
        return dataclasses.field(default_factory=lambda: dict(default), metadata={KEY: said})
    return dataclasses.field(default=default, metadata={KEY: said})
