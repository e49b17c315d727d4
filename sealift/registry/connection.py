"""One repository of a registry, over HTTP: its tags, manifests and configurations, and the deletion of manifests.

Registries on this machine may speak plain HTTP; every other one speaks TLS with the system's certificates. A bearer
token comes from the place that the registry names, by the credentials of this registry
(https://distribution.github.io/distribution/spec/auth/token/); that place must speak TLS too, unless it is on this
machine as well.
"""

import base64
import hashlib
import http.client
import json
import re
import ssl
import urllib.parse
from collections.abc import Iterator, Mapping
from typing import Any, Final

from sealift.registry.credentials import Credentials
from sealift.registry.errors import ImageMissing, RegistryError
from sealift.registry.reference import DIGEST, TAG, RepositoryName, is_on_this_machine

SECONDS: Final = 30.0
LARGEST_ANSWER: Final = 1 << 22
MOST_PAGES: Final = 10_000
MOST_TAGS: Final = 1_000_000
MANIFEST_TYPES: Final = (
    "application/vnd.oci.image.manifest.v1+json",
    "application/vnd.oci.image.index.v1+json",
    "application/vnd.docker.distribution.manifest.v2+json",
    "application/vnd.docker.distribution.manifest.list.v2+json",
)
CHALLENGE: Final = re.compile(r'(\w+)="([^"]*)"')
NEXT: Final = re.compile(r'<([^>]+)>\s*;\s*rel="?next"?')
ACTIONS: Final = "pull,delete"


class Repository:
    """A repository. Its methods raise RegistryError; `manifest` and `blob` raise ImageMissing."""

    def __init__(self, name: RepositoryName, credentials: Credentials | None = None) -> None:
        self.name = name
        self._credentials = credentials
        self._authorization: str | None = None

    def tags(self) -> list[str]:
        """Returns all tags of the repository. Raises ImageMissing if it does not exist."""
        found: list[str] = []
        path: str | None = f"/v2/{self.name.path}/tags/list"
        read: set[str] = set()
        while path is not None:
            if path in read or len(read) == MOST_PAGES or len(found) > MOST_TAGS:
                raise RegistryError(f"{self.name} lists its tags without end", "name one image by its digest")
            read.add(path)
            status, headers, body = self._ask("GET", path)
            self._expect(status, "its tags", (200,))
            listed = _parse(body).get("tags")
            if listed is not None:
                found += self._check_tags(listed)
            path = self._next_page(path, headers)
        return found

    def manifest(self, reference: str) -> tuple[str, dict[str, Any]]:
        """Returns the digest and the content of the manifest with this tag or digest."""
        path = f"/v2/{self.name.path}/manifests/{urllib.parse.quote(reference, safe=':')}"
        status, _, body = self._ask("GET", path, {"Accept": ", ".join(MANIFEST_TYPES)})
        self._expect(status, f"the image {reference}", (200,))
        digest = f"sha256:{hashlib.sha256(body).hexdigest()}"
        if DIGEST.match(reference) and reference != digest:
            raise RegistryError(f"{self.name} returned another image than {reference}", "check the registry")
        return digest, _parse(body)

    def blob(self, digest: str) -> dict[str, Any]:
        """Returns a configuration, a JSON object, by its digest."""
        status, _, body = self._ask("GET", f"/v2/{self.name.path}/blobs/{digest}", redirects=True)
        self._expect(status, f"the configuration {digest}", (200,))
        if f"sha256:{hashlib.sha256(body).hexdigest()}" != digest:
            raise RegistryError(f"{self.name} returned another configuration than {digest}", "check the registry")
        return _parse(body)

    def delete(self, digest: str) -> None:
        """Deletes a manifest. Does nothing if it does not exist."""
        status, _, _ = self._ask("DELETE", f"/v2/{self.name.path}/manifests/{digest}")
        if status == http.HTTPStatus.METHOD_NOT_ALLOWED:
            raise RegistryError(
                f"the registry of {self.name} does not delete images",
                "turn deletion on (REGISTRY_STORAGE_DELETE_ENABLED=true), or delete them in the registry's console",
            )
        if status != http.HTTPStatus.NOT_FOUND:
            self._expect(status, f"the deletion of {digest}", (200, 202, 204))

    def _check_tags(self, listed: object) -> list[str]:
        """Raises RegistryError unless these are tags: images with other names would be passed over in silence."""
        if isinstance(listed, list) and all(isinstance(one, str) and TAG.match(one) for one in listed):
            return listed
        raise RegistryError(f"{self.name} lists something else than its tags", "name one image by its digest")

    def _next_page(self, path: str, headers: Mapping[str, str]) -> str | None:
        link = NEXT.search(headers.get("link", ""))
        if link is None:
            return None
        target = self._follow(path, link[1])
        return f"{target.path}?{target.query}" if target.query else target.path

    def _expect(self, status: int, what: str, allowed: tuple[int, ...]) -> None:
        if status in allowed:
            return
        if status == http.HTTPStatus.NOT_FOUND:
            raise ImageMissing(f"{self.name} does not have {what}", "check the repository's name")
        if status in (http.HTTPStatus.UNAUTHORIZED, http.HTTPStatus.FORBIDDEN):
            login = f"run `docker login {self.name.registry}` as a user who may pull and delete there"
            raise RegistryError(f"the registry of {self.name} refuses {what} with status {status}", login)
        raise RegistryError(
            f"the registry of {self.name} answers a request for {what} with status {status}", "try again later"
        )

    def _ask(
        self, method: str, path: str, headers: Mapping[str, str] | None = None, *, redirects: bool = False
    ) -> tuple[int, dict[str, str], bytes]:
        """Sends a request, and once more with a token if the registry asks for one."""
        for last in (False, True):
            allowed = {"Authorization": self._authorization} if self._authorization else {}
            status, got, body = self._send(self._connect(), method, path, {**(headers or {}), **allowed})
            if status != http.HTTPStatus.UNAUTHORIZED or last:
                break
            self._authorization = self._authorize(got.get("www-authenticate", ""))
            if self._authorization is None:
                break
        if redirects and status in (301, 302, 303, 307, 308):  # to the registry's own storage, without credentials
            target = self._follow(path, got.get("location", ""))
            place = f"{target.path}?{target.query}" if target.query else target.path
            status, got, body = self._send(self._connect_to(target.scheme, target.netloc), "GET", place, {})
        return status, got, body

    def _authorize(self, challenge: str) -> str | None:
        kind, _, rest = challenge.partition(" ")
        basic = None
        if self._credentials is not None:
            basic = "Basic " + base64.b64encode(":".join(self._credentials).encode()).decode()
        if kind.lower() != "bearer":
            return basic if kind.lower() == "basic" else None
        fields = dict(CHALLENGE.findall(rest))
        realm = self._follow("", fields.get("realm", ""))
        query = {"scope": f"repository:{self.name.path}:{ACTIONS}"}
        if "service" in fields:
            query["service"] = fields["service"]
        place = f"{realm.path}?{urllib.parse.urlencode(query)}"
        connection = self._connect_to(realm.scheme, realm.netloc)
        status, _, body = self._send(connection, "GET", place, {"Authorization": basic} if basic else {})
        self._expect(status, "a token", (200,))
        answer = _parse(body)
        token = answer.get("token") or answer.get("access_token")
        if not isinstance(token, str) or not token.isascii() or not token.isprintable():
            raise RegistryError(f"the registry of {self.name} gives no usable token", "check the registry")
        return f"Bearer {token}"

    def _scheme(self) -> str:
        return "http" if self.name.is_local else "https"

    def _connect(self) -> http.client.HTTPConnection:
        return self._connect_to(self._scheme(), self.name.host)

    def _connect_to(self, scheme: str, place: str) -> http.client.HTTPConnection:
        """Connects to the registry, or to where it sends on: in the clear only on this machine, as the registry is."""
        if scheme == "http" and self.name.is_local and is_on_this_machine(place):
            return http.client.HTTPConnection(place, timeout=SECONDS)
        if scheme != "https":
            raise RegistryError(f"the registry of {self.name} sends on to a place without TLS", "check the registry")
        return http.client.HTTPSConnection(place, timeout=SECONDS, context=ssl.create_default_context())

    def _follow(self, path: str, link: str) -> urllib.parse.SplitResult:
        """Returns where a link of the registry's answer for a path leads. Raises RegistryError."""
        try:
            target = urllib.parse.urlsplit(urllib.parse.urljoin(f"{self._scheme()}://{self.name.host}{path}", link))
            valid = link != "" and target.hostname and "@" not in target.netloc and target.port != 0
        except ValueError:  # of urljoin, or of the port
            valid = False
        if not valid:
            raise RegistryError(f"the registry of {self.name} sends on to a place that is no URL", "check the registry")
        return target

    def _send(
        self, connection: http.client.HTTPConnection, method: str, path: str, headers: Mapping[str, str]
    ) -> tuple[int, dict[str, str], bytes]:
        try:
            connection.request(method, path, headers=dict(headers))
            answer = connection.getresponse()
            body = answer.read(LARGEST_ANSWER + 1)
            got = {name.lower(): value for name, value in answer.getheaders()}
        except (OSError, http.client.HTTPException, ValueError) as error:
            what = getattr(error, "strerror", None) or type(error).__name__
            raise RegistryError(
                f"the registry {self.name.registry} cannot be reached: {what}", "check its name and the network"
            ) from None
        finally:
            connection.close()
        if len(body) > LARGEST_ANSWER:
            raise RegistryError(f"the registry of {self.name} answers with more than {LARGEST_ANSWER} bytes")
        return answer.status, got, body


def _parse(body: bytes) -> dict[str, Any]:
    try:
        content = json.loads(body)
    except (ValueError, RecursionError):
        content = None
    if not isinstance(content, dict):
        raise RegistryError("the registry's answer is not a JSON object", "check that the name is a registry's")
    return content


def list_children(manifest: Mapping[str, Any]) -> Iterator[str]:
    """Yields the digests of the images of an index, one for each platform."""
    entries = manifest.get("manifests")
    for entry in entries if isinstance(entries, list) else ():
        digest = entry.get("digest") if isinstance(entry, dict) else None
        if isinstance(digest, str) and DIGEST.match(digest):
            yield digest
