"""URLs of stores in object storage: `s3://BUCKET/PREFIX?region=…`, `gs://BUCKET/PREFIX`, `az://CONTAINER/PREFIX`.

A URL never holds credentials: each service's own library finds them in the usual places (object_services.py).
"""

import re
from dataclasses import dataclass
from typing import Final
from urllib.parse import parse_qsl, urlencode, urlsplit

from sealift.stores.errors import StoreUrlInvalid

OPTIONS: Final = {"s3": ("region", "endpoint", "profile"), "gs": (), "az": ("account",)}
"""Options in the query of a URL, by its scheme."""
EXAMPLES: Final = {
    "s3": "s3://my-bucket/models?region=eu-west-1",
    "gs": "gs://my-bucket/models",
    "az": "az://my-container/models?account=myaccount",
}
_BUCKET: Final = re.compile(r"[a-z0-9][a-z0-9._-]{1,61}[a-z0-9]\Z")
_PREFIX: Final = re.compile(r"(?!\.{1,2}(/|\Z))[A-Za-z0-9._=+@-]+(/(?!\.{1,2}(/|\Z))[A-Za-z0-9._=+@-]+)*\Z")
_ENDPOINT: Final = re.compile(r"https?://[A-Za-z0-9.\[\]:_-]+/?\Z")
_OPTION: Final = re.compile(r"[A-Za-z0-9._ @+-]{1,128}\Z")


@dataclass(frozen=True)
class ObjectUrl:
    """Scheme, bucket (or container), prefix without slashes at its ends, and options."""

    scheme: str
    bucket: str
    prefix: str
    options: tuple[tuple[str, str], ...] = ()

    @property
    def location(self) -> str:
        """The URL without options, for messages."""
        return f"{self.scheme}://{self.bucket}" + (f"/{self.prefix}" if self.prefix else "")

    @property
    def identity(self) -> str:
        """The URL with its options. Two services may each have a bucket of one name."""
        return f"{self.location}?{urlencode(sorted(self.options))}"

    def option(self, name: str) -> str | None:
        return dict(self.options).get(name)

    def key(self, name: str) -> str:
        """The key of an object below the prefix."""
        return f"{self.prefix}/{name}" if self.prefix else name


def parse_object_url(url: str) -> ObjectUrl:
    """Parses a URL of object storage. Raises StoreUrlInvalid, without the URL's text if that may hold credentials."""
    scheme = url.partition("://")[0]
    try:
        parts = urlsplit(url)
        given = parse_qsl(parts.query, keep_blank_values=True, strict_parsing=bool(parts.query))
        netloc, path, fragment = parts.netloc, parts.path, parts.fragment
    except ValueError:
        raise _invalid(scheme, "cannot be parsed") from None
    if "@" in netloc:
        raise StoreUrlInvalid(
            f"a URL of {scheme}:// must not contain credentials",
            "remove everything up to the @; credentials come from the environment, a profile or a workload identity",
        )
    if fragment or not _BUCKET.match(netloc):
        raise _invalid(scheme, "does not name a bucket of 3 to 63 lower-case letters, digits, '.', '-' and '_'")
    prefix = path.strip("/")
    if prefix and (len(prefix) > 512 or not _PREFIX.match(prefix)):
        raise _invalid(scheme, "has a path with other characters than letters, digits and ._=+@- between slashes")
    return ObjectUrl(scheme, netloc, prefix, _options(scheme, given))


def _options(scheme: str, given: list[tuple[str, str]]) -> tuple[tuple[str, str], ...]:
    allowed = OPTIONS[scheme]
    for name, value in given:
        if name not in allowed:
            may = f"allowed: {', '.join(allowed)}" if allowed else "no option is allowed"
            raise _invalid(scheme, f"has an unknown option in its query; {may}")
        if not (_ENDPOINT if name == "endpoint" else _OPTION).match(value):
            raise _invalid(scheme, f"has an invalid value of its option {name}")
    if len({name for name, _ in given}) != len(given):
        raise _invalid(scheme, "has an option twice in its query")
    return tuple(sorted((name, value.rstrip("/")) for name, value in given))


def _invalid(scheme: str, what: str) -> StoreUrlInvalid:
    return StoreUrlInvalid(f"the URL {scheme}://… {what}", f"allowed: a URL such as {EXAMPLES[scheme]}")
