"""The images of an erased artifact are gone from a real registry, and no other image is."""

import base64
import contextlib
import hashlib
import http.client
import http.server
import json
import shutil
import socket
import ssl
import subprocess
import threading
import time
import urllib.parse
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import jwt
import pytest

from sealift.sealing import SealedArtifact, seal
from sealift.stores import open_store, put_artifact
from tests.certificates import Pem, self_signed
from tests.keys import key_pair
from tests.unit.command.typed import is_refused, sealift, succeeds

MANIFEST: Final = "application/vnd.oci.image.manifest.v1+json"
CONFIG: Final = "application/vnd.oci.image.config.v1+json"
INDEX: Final = "application/vnd.oci.image.index.v1+json"
STARTS_WITHIN_SECONDS: Final = 20


class Registry:
    """A registry of this test, which also pushes."""

    def __init__(self, port: int) -> None:
        self.place = f"localhost:{port}"

    def ask(self, method: str, path: str, body: bytes = b"", **headers: str) -> tuple[int, dict[str, str]]:
        connection = http.client.HTTPConnection(self.place, timeout=10)
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        with contextlib.closing(connection):
            connection.request(method, path, body, named)
            answer = connection.getresponse()
            answer.read()
            return answer.status, dict(answer.getheaders())

    def put_blob(self, name: str, content: bytes, kind: str = "application/octet-stream") -> dict[str, Any]:
        digest = f"sha256:{hashlib.sha256(content).hexdigest()}"
        _, headers = self.ask("POST", f"/v2/{name}/blobs/uploads/")
        upload = headers["Location"].partition(self.place)[2]
        status, _ = self.ask("PUT", f"{upload}&digest={digest}", content, Content_Type="application/octet-stream")
        assert status == 201
        return {"mediaType": kind, "digest": digest, "size": len(content)}

    def put_manifest(self, name: str, reference: str, content: dict[str, Any]) -> str:
        text = json.dumps(content).encode()
        status, _ = self.ask("PUT", f"/v2/{name}/manifests/{reference}", text, Content_Type=content["mediaType"])
        assert status == 201
        return f"sha256:{hashlib.sha256(text).hexdigest()}"

    def push(self, name: str, tag: str | None, labels: dict[str, str] | None) -> str:
        """Pushes an image and returns its digest. Without a tag it is by digest only."""
        config = self.put_blob(name, json.dumps({"config": {"Labels": labels}, "salt": tag}).encode(), CONFIG)
        layer = self.put_blob(name, b"layer")
        content = {"schemaVersion": 2, "mediaType": MANIFEST, "config": config, "layers": [layer]}
        digest = f"sha256:{hashlib.sha256(json.dumps(content).encode()).hexdigest()}"
        return self.put_manifest(name, tag or digest, content)

    def has(self, name: str, reference: str) -> bool:
        status, _ = self.ask("GET", f"/v2/{name}/manifests/{reference}", Accept=f"{MANIFEST}, {INDEX}")
        return status == 200


@pytest.fixture(scope="module")
def registry(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Registry]:
    yield from run_registry(tmp_path_factory.mktemp("registry"), deletes=True)


def run_registry(
    folder: Path, *, deletes: bool, address: str = "127.0.0.1", tls: object = None, auth: object = None
) -> Iterator[Registry]:
    if shutil.which("docker-registry") is None:
        pytest.skip("docker-registry is not installed")
    with socket.socket() as free:
        free.bind((address, 0))
        port = free.getsockname()[1]
    config = {
        "version": "0.1",
        "storage": {"filesystem": {"rootdirectory": str(folder / "data")}, "delete": {"enabled": deletes}},
        "http": {"addr": f"{address}:{port}", **({"tls": tls} if tls else {})},
        **({"auth": auth} if auth else {}),
    }
    (folder / "config.yml").write_text(json.dumps(config))
    argv = ["docker-registry", "serve", str(folder / "config.yml")]
    with (folder / "log").open("wb") as log, subprocess.Popen(argv, stdout=log, stderr=log) as process:
        try:
            wait_for(address, port)
            yield Registry(port)
        finally:
            process.terminate()


def wait_for(address: str, port: int) -> None:
    until = time.monotonic() + STARTS_WITHIN_SECONDS
    while True:
        try:
            socket.create_connection((address, port), 1).close()
        except OSError:
            assert time.monotonic() < until, "the registry does not start"
            time.sleep(0.05)
        else:
            return


def put(url: str) -> SealedArtifact:
    sealed = seal(b"plain", {}, [key_pair(0).recipient])
    put_artifact(open_store(url), sealed.artifact_id, sealed.payload, sealed.manifest)
    return sealed


def label(artifact_id: str) -> dict[str, str]:
    return {"dev.sealift.artifact-id": artifact_id}


def typed(url: str, artifact_id: str, *images: str) -> tuple[object, ...]:
    named = [part for image in images for part in ("--image", image)]
    return ("erase", artifact_id, "--store", url, "--reason", "request 17", *named)


def test_the_images_of_all_tags_are_deleted_and_no_other(registry: Registry, tmp_path: Path) -> None:
    url, name = f"file://{tmp_path}/store", "acme/model"
    erased, kept = put(url), put(url)
    own = [registry.push(name, tag, label(erased.artifact_id)) for tag in ("dev", "v1")]
    others = [registry.push(name, "v2", label(kept.artifact_id)), registry.push(name, "bare", None)]
    child = registry.push(name, None, {**label(erased.artifact_id), "platform": "arm64"})
    index = {
        "schemaVersion": 2,
        "mediaType": INDEX,
        "manifests": [{"mediaType": MANIFEST, "digest": child, "size": 1, "platform": {"os": "linux"}}],
    }
    several = registry.put_manifest(name, "several", index)
    chart = {"schemaVersion": 2, "mediaType": MANIFEST, "config": registry.put_blob(name, b"no JSON"), "layers": []}
    others.append(registry.put_manifest(name, "chart", chart))
    repository = f"{registry.place}/{name}"

    is_refused(sealift(*typed(url, erased.artifact_id, repository)), own[0], several, "--yes is missing")
    assert all(registry.has(name, one) for one in (*own, child, several))
    done = succeeds(*typed(url, erased.artifact_id, repository), "--yes", "--json").json

    assert sorted(done["images"]) == sorted(f"{repository}@{one}" for one in (*own, several, child))
    assert not any(registry.has(name, one) for one in (*own, child, several))
    assert all(registry.has(name, one) for one in others)


def test_an_earlier_image_is_named_by_its_digest(registry: Registry, tmp_path: Path) -> None:
    url, name = f"file://{tmp_path}/store", "acme/moved"
    erased, kept = put(url), put(url)
    earlier = registry.push(name, "dev", label(erased.artifact_id))
    now = registry.push(name, "dev", label(kept.artifact_id))
    repository = f"{registry.place}/{name}"

    is_refused(sealift(*typed(url, erased.artifact_id, f"{repository}@{now}"), "--yes"), "does not hold artifact")
    tagged = succeeds(*typed(url, erased.artifact_id, repository), "--yes")
    assert "no tag of" in tagged.errors and registry.has(name, earlier)
    succeeds(*typed(url, erased.artifact_id, f"{repository}@{earlier}"), "--yes")
    again = succeeds(*typed(url, erased.artifact_id, f"{repository}@{earlier}"), "--yes")
    assert f"{repository} does not have the image {earlier}" in again.errors

    assert not registry.has(name, earlier) and registry.has(name, now)


def test_an_image_is_deleted_although_the_store_no_longer_has_its_artifact(registry: Registry, tmp_path: Path) -> None:
    """An update with `retention: delete` leaves only the image."""
    url, name = f"file://{tmp_path}/store", "acme/deleted"
    put(url)
    artifact_id = "ab" * 16
    image = registry.push(name, "dev", label(artifact_id))
    repository = f"{registry.place}/{name}"

    is_refused(sealift(*typed(url, artifact_id, repository)), image, "--yes is missing")
    ended = succeeds(*typed(url, artifact_id, repository), "--yes")
    assert image in ended.output.decode() and "keeps no tombstone" in ended.errors
    is_refused(sealift(*typed(url, artifact_id, f"{repository}@{image}"), "--yes"), artifact_id)

    assert not registry.has(name, image)


def test_nothing_is_erased_if_the_registry_cannot_tell(registry: Registry, tmp_path: Path) -> None:
    url = f"file://{tmp_path}/store"
    artifact = put(url)

    for image, says in {
        f"{registry.place}/acme/none": "does not have its tags",
        "localhost:1/acme/model": "cannot be reached",
        f"{registry.place}/acme/model:dev": "names no repository",
    }.items():
        is_refused(sealift(*typed(url, artifact.artifact_id, image), "--yes"), says)

    succeeds("verify", artifact.artifact_id, "--store", url)


def test_a_registry_that_does_not_delete_says_so(tmp_path: Path) -> None:
    url = f"file://{tmp_path}/store"
    artifact = put(url)
    with contextlib.contextmanager(run_registry)(tmp_path, deletes=False) as registry:
        registry.push("acme/model", "dev", label(artifact.artifact_id))

        ended = sealift(*typed(url, artifact.artifact_id, f"{registry.place}/acme/model"), "--yes")

    is_refused(ended, "left in the store, but", "does not delete images")


class TokenServer(http.server.BaseHTTPRequestHandler):
    """Gives one user a token for what they ask, as registries of clouds do."""

    pem: Pem
    scopes: list[str]

    def do_GET(self) -> None:
        if self.headers["Authorization"] != "Basic " + base64.b64encode(b"ada:password").decode():
            self.send_error(401)
            return
        asked = urllib.parse.parse_qs(urllib.parse.urlsplit(self.path).query)
        kind, name, actions = asked["scope"][0].split(":")
        self.scopes.append(asked["scope"][0])
        now = int(time.time())
        claims = {
            "iss": "tests", "sub": "ada", "aud": asked["service"][0], "iat": now, "nbf": now - 5, "exp": now + 60,
            "jti": "1", "access": [{"type": kind, "name": name, "actions": actions.split(",")}],
        }  # fmt: skip
        certificate = "".join(self.pem.certificate.splitlines()[1:-1])
        token = jwt.encode(claims, self.pem.key, algorithm="ES256", headers={"x5c": [certificate]})
        body = json.dumps({"token": token}).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the name of the standard library
        """Says nothing."""


def test_a_registry_with_tls_and_tokens_gets_the_saved_login(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    address, name, pem = "127.0.0.2", "acme/model", self_signed(address="127.0.0.2")
    (tmp_path / "certificate.pem").write_text(pem.certificate)
    (tmp_path / "key.pem").write_text(pem.key)
    url, artifact = f"file://{tmp_path}/store", put(f"file://{tmp_path}/store")
    with contextlib.contextmanager(run_registry)(tmp_path, deletes=True) as plain:
        pushed = plain.push(name, "dev", label(artifact.artifact_id))
    TokenServer.pem, TokenServer.scopes = pem, []
    server = http.server.ThreadingHTTPServer((address, 0), TokenServer)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(tmp_path / "certificate.pem", tmp_path / "key.pem")
    server.socket = context.wrap_socket(server.socket, server_side=True)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    token = {
        "realm": f"https://{address}:{server.server_port}/token", "service": "registry", "issuer": "tests",
        "rootcertbundle": str(tmp_path / "certificate.pem"),
    }  # fmt: skip
    tls = {"certificate": str(tmp_path / "certificate.pem"), "key": str(tmp_path / "key.pem")}
    running = contextlib.contextmanager(run_registry)(
        tmp_path, deletes=True, address=address, tls=tls, auth={"token": token}
    )
    with running as registry, contextlib.closing(server.socket):
        place = registry.place.replace("localhost", address)
        erase = typed(url, artifact.artifact_id, f"{place}/{name}")
        is_refused(sealift(*erase, "--yes"), "cannot be reached")  # nobody vouches for the certificate
        monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "certificate.pem"))
        monkeypatch.setenv("DOCKER_CONFIG", str(tmp_path))
        is_refused(sealift(*erase, "--yes"), "docker login")
        login = {"auths": {place: {"auth": base64.b64encode(b"ada:password").decode()}}}
        (tmp_path / "config.json").write_text(json.dumps(login))
        done = succeeds(*erase, "--yes", "--json").json
        server.shutdown()

    assert done["images"] == [f"{place}/{name}@{pushed}"]
    assert set(TokenServer.scopes) == {f"repository:{name}:pull,delete"}
