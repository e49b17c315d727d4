"""Settings of one model's server, on Kubernetes (deployment.py) and in a container of a Docker engine (container.py).
Plain values in, settings or problems out.
"""

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Final, Literal

from components.image_reference import is_pinned
from components.object_labels import RESERVED
from components.quantity import QuantityError, Resource, parse
from components.settings.access import KEY_NAME, KEY_NAMES, ClientKey, TokenIssuer
from components.settings.signers import SIGNERS, signature_clashes
from components.settings.tracing import Tracing
from components.tls_pair import mismatch
from sealift.settings import Clash, Kind, Problem, Refused, RefusedInside, kinds, section, sections, setting
from sealift.settings.quantity import Quantity

AccessLog = Literal["errors", "all"]
Auth = Literal["apiKey", "jwt", "none"]

MANIFEST_MAX_BYTES: Final = 1024 * 1024  # limit of the format and of a ConfigMap
PEM_BYTES: Final = 256 * 1024  # a Secret holds 1 MiB in all
DEFAULT_KEY: Final = "default"
LET_IN: Final = "sealift.dev/api-keys"
"""Annotation or label of a running server with its `let_in`. The next preview reads it to find keys that an update
locks out."""
HANDED_ON: Final = ("image", "manifest", "privateKey", "artifactId", "payloadDigest", "signature", "tlsPrivateKey")
"""Inputs of a component that are passed on unchanged. All other inputs change the objects that it makes."""
SHAPES: Final = ("auth", "apiKeys", "tlsCertificate")
"""Inputs that determine which keys and files exist."""
OPEN: Final = (
    "auth is 'none': anyone who reaches the service can send requests; set auth to 'apiKey' or 'jwt' to restrict access"
)
"""Warning in every preview of a server that requires no key."""
NOBODY: Final = "no API key has the scope 'predict', so no client can send rows; give a key that scope, or keep default"
"""Warning in a preview of a server that no client could send rows to."""

DNS_LABEL: Final = re.compile(r"[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?", re.ASCII)
_ORIGIN: Final = re.compile(r"https?://[A-Za-z0-9.\-\[\]:]+", re.ASCII)
_LABEL_KEY: Final = re.compile(
    r"([a-z0-9]([-a-z0-9.]{0,251}[a-z0-9])?/)?[A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?", re.ASCII
)
_LABELS: Final = "an object of texts by label key"
_LABEL_VALUE: Final = re.compile(r"([A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?)?", re.ASCII)


def whole(allowed: str, fits: Callable[[int], bool], hint: Callable[[int], str] = lambda number: "") -> Kind[int]:
    """Makes the kind of whole numbers for which `fits` is true."""

    def accept(value: object) -> int:
        number = kinds.whole(value)
        if number is None or not fits(number):
            raise Refused(f"allowed: {allowed}", "" if number is None else hint(number))
        return number

    return Kind("integer", allowed, accept)


def match_text(allowed: str, fits: Callable[[str], object], hint: str = "") -> Kind[str]:
    """Makes the kind of texts for which `fits` is true."""

    def accept(value: object) -> str:
        if isinstance(value, str) and fits(value):
            return value
        raise Refused(f"allowed: {allowed}", hint)

    return Kind("string", allowed, accept)


def _quantity(resource: Resource, allowed: str) -> Kind[Quantity]:
    def accept(value: object) -> Quantity:
        try:
            return parse(resource, value)
        except QuantityError as error:
            raise RefusedInside(Problem("", str(error))) from None

    return Kind("string", allowed, accept)


def _hex(digits: int, output: str) -> Kind[str]:
    pattern = re.compile(rf"[0-9a-f]{{{digits}}}")
    return match_text(f"{digits} hex digits, such as TrainingRun's output {output}", pattern.fullmatch)


def _labels(value: object) -> Mapping[str, str]:
    if not isinstance(value, Mapping):
        raise Refused(f"allowed: {_LABELS}")
    problems = list(_label_problems(value))
    if problems:
        raise RefusedInside(*problems)
    return dict(value)


def _label_problems(labels: Mapping[object, object]) -> Iterator[Problem]:
    for key, text in labels.items():
        if key in RESERVED:
            yield Problem(f'["{key}"]', "is set by the component itself; allowed: any other key")
        elif not isinstance(key, str) or not _LABEL_KEY.fullmatch(key):
            allowed = "[prefix/]name, such as 'team' or 'example.com/team'"
            yield Problem(f'["{key}"]', f"is not a label key; allowed: {allowed}")
        elif not isinstance(text, str) or not _LABEL_VALUE.fullmatch(text):
            allowed = "up to 63 of A-Z, a-z, 0-9, '-', '_' and '.', with a letter or digit at both ends"
            yield Problem(f'["{key}"]', f"is {text!r}; allowed: {allowed}")


def _origins(value: object) -> tuple[str, ...]:
    origins = kinds.texts.accept(value)
    wrong = [origin for origin in origins if origin != "*" and not _ORIGIN.fullmatch(origin)]
    if wrong:
        raise Refused(
            f"{wrong[0]!r} is not an origin; allowed: origins such as 'https://app.example.com', or '*'",
            "an origin is a scheme, a host and an optional port, without a path or a slash at the end",
        )
    return origins


def _manifest(value: object) -> str:
    if isinstance(value, str) and 0 < len(value.encode()) <= MANIFEST_MAX_BYTES:
        return value
    size = f"{len(value.encode())} bytes of text" if isinstance(value, str) else f"a {type(value).__name__}"
    allowed = f"TrainingRun's output manifest, of 1 to {MANIFEST_MAX_BYTES} bytes"
    raise RefusedInside(Problem("", f"is {size}; allowed: {allowed}"))


MODEL_NAME: Final = match_text(
    "1 to 63 of a-z, 0-9 and '-', with a letter or digit at both ends (DNS-1123)", DNS_LABEL.fullmatch
)
IMAGE: Final = match_text(
    "an image by its digest, REPOSITORY@sha256:<64 hex digits>",
    is_pinned,
    "a tag can be moved to another image; use ModelImage's output `ref`, which contains the digest",
)
CPU: Final = _quantity("cpu", "a number of CPUs, such as `500m` or `1`")
MEMORY: Final = _quantity("memory", "a number of bytes, such as `500Mi` or `1Gi`")
ARTIFACT_ID: Final = _hex(32, "artifactId")
PAYLOAD_DIGEST: Final = _hex(64, "payloadDigest")
LABELS: Final = Kind("object", _LABELS, _labels, "string")
ORIGINS: Final = Kind(
    "array", "a list of origins such as 'https://app.example.com', or '*' for all", _origins, "string"
)
PEM: Final = match_text(
    "text in PEM, which begins with -----BEGIN", lambda text: text.startswith("-----BEGIN ") and len(text) < PEM_BYTES
)
MANIFEST: Final = Kind("string", "TrainingRun's output `manifest`", _manifest)


@dataclass(frozen=True)
class ServerSettings:
    """Server of one model: its resources, its logs and the clients it accepts."""

    model_name: str = setting(
        MODEL_NAME,
        "",
        "Name of the model in request paths such as /v2/models/NAME/infer. If not set in a stack's config, the data "
        "set's name.",
        required=True,
    )
    cpu_limit: Quantity = setting(CPU, parse("cpu", "1"), "CPU limit of one server (container resource limit).")
    memory_limit: Quantity = setting(
        MEMORY, parse("memory", "1Gi"), "Memory limit of one server, in bytes. A server that exceeds it is killed."
    )
    grpc: bool = setting(
        kinds.boolean, False, "Whether gRPC is served too, on port 8081. It takes about 15 MB of a server's memory."
    )
    access_log: AccessLog = setting(
        kinds.one_of("errors", "all"),
        "errors",
        "Requests that get a line in the log: only those that were refused or failed, or all. Request bodies are "
        "never logged.",
    )
    explain: bool = setting(
        kinds.boolean,
        False,
        "Whether the server explains predictions: the contribution of each feature, as Shapley values, at "
        "`/v2/models/NAME/explain` and on the model's page. One explanation can take seconds of CPU time.",
    )
    cors_origins: tuple[str, ...] = setting(
        ORIGINS,
        (),
        "Origins of web pages that may send requests from a browser, such as `https://app.example.com`. `*` allows "
        "all origins. By default, only the server's own page may.",
    )
    tracing: Tracing | None = section(
        Tracing, None, "Tracing of requests with OpenTelemetry. If not set, no request is traced."
    )
    auth: Auth = setting(
        kinds.one_of("apiKey", "jwt", "none"),
        "apiKey",
        'Authentication of clients. "apiKey": with an API key. "jwt": with a token of the issuer in `jwt`, or an API '
        'key of `apiKeys`. "none": anyone who reaches the service can send requests.',
    )
    api_keys: Mapping[str, ClientKey] = sections(
        ClientKey,
        "API keys of clients, by name. With `auth: apiKey`, a key `default` exists too until you revoke it.",
    )
    jwt: TokenIssuer | None = section(
        TokenIssuer, None, "Issuer of the tokens that the server accepts. Required with `auth: jwt`."
    )
    tls_certificate: str | None = setting(
        PEM,
        None,
        "TLS certificate of the server, with its chain. If set, every port accepts TLS only. If not set, no port uses "
        "TLS.",
    )
    tls_private_key: str | None = setting(PEM, None, "Private key of the TLS certificate, unencrypted.", secret=True)
    require_signature: tuple[str, ...] = setting(
        SIGNERS,
        (),
        "Public keys of trusted signers. If set, an artifact that none of them signed is refused before anything "
        "changes: in the preview where it is known, otherwise in the update.",
    )
    labels: Mapping[str, str] = setting(LABELS, {}, "Additional labels for every object that serves the model.")

    @property
    def valid_api_keys(self) -> Mapping[str, ClientKey]:
        """API keys that are not revoked, by name."""
        always = {DEFAULT_KEY: ClientKey()} if self.auth == "apiKey" else {}
        return {name: key for name, key in {**always, **self.api_keys}.items() if not key.revoked}

    @property
    def let_in(self) -> str:
        """Names of the API keys that are not revoked, separated by commas."""
        return ",".join(sorted(self.valid_api_keys))

    @property
    def lets_someone_predict(self) -> bool:
        """Whether some client may send rows."""
        return self.auth != "apiKey" or any("predict" in key.scopes for key in self.valid_api_keys.values())

    @property
    def scheme(self) -> str:
        """Scheme of the server's URLs: "http" or "https"."""
        return "http" if self.tls_certificate is None else "https"

    def clashes(self) -> Iterator[Clash]:
        """Yields API keys that are never used or missing, and incomplete TLS pairs."""
        yield from self._access_clashes()
        if self.tls_private_key is not None and self.tls_certificate is None:
            message = "is set, but tlsCertificate is missing; allowed only together with it"
            yield Clash("tlsPrivateKey", message, ("tlsCertificate",), "set tlsCertificate to this key's certificate")
        if self.tls_certificate is not None and self.tls_private_key is None:
            message = "is missing, but tlsCertificate is set"
            hint = "pulumi config set --secret --path deployment.tlsPrivateKey < tls.key (or container., with Docker)"
            yield Clash("tlsPrivateKey", message, ("tlsCertificate",), hint)
        if self.tls_certificate is not None and self.tls_private_key is not None:
            yield from self._tls_clashes(self.tls_certificate, self.tls_private_key)

    def _tls_clashes(self, certificate: str, private_key: str) -> Iterator[Clash]:
        found = mismatch(certificate, private_key)
        if found is not None:
            hint = (
                "set the certificate and the key of one renewal; a server keeps the previous pair if they do not match"
            )
            yield Clash(*found, ("tlsCertificate", "tlsPrivateKey"), hint)

    def _access_clashes(self) -> Iterator[Clash]:
        for name in self.api_keys:
            if not KEY_NAME.fullmatch(name):
                yield Clash(f"apiKeys.{name}", f"is not a valid key name; allowed: {KEY_NAMES}")
        if self.auth == "none" and self.api_keys:
            hint = "set auth to 'apiKey', or remove apiKeys"
            yield Clash("apiKeys", "is set, but auth is 'none', so no key is checked", ("auth",), hint)
        if self.auth == "apiKey" and not self.valid_api_keys:
            hint = "keep one key, or add a new one: apiKeys.NAME.scopes"
            message = "revokes every key, but auth is 'apiKey', so no client could send requests"
            yield Clash("apiKeys", message, ("auth",), hint)
        if self.auth == "jwt" and self.jwt is None:
            hint = "set the issuer of the tokens: jwt.issuer, jwt.audience and jwt.jwksUrl"
            yield Clash("jwt", "is missing, but auth is 'jwt'", ("auth",), hint)
        if self.auth != "jwt" and self.jwt is not None:
            hint = "set auth to 'jwt'; API keys keep working"
            yield Clash("jwt", f"is set, but auth is {self.auth!r}", ("auth",), hint)


@dataclass(frozen=True)
class ServedModel:
    """Model to serve: outputs of ModelImage and TrainingRun, and the private key of the store."""

    image: str = setting(IMAGE, "", "Image to serve: ModelImage's output `ref`.", required=True)
    manifest: str = setting(
        MANIFEST, "", "Manifest of the sealed artifact. The server gets it as a file.", required=True
    )
    private_key: str = setting(
        kinds.text,
        "",
        "Private key that opens the artifact, of any kind, or its data key. The server gets it as a file. If the key "
        "is in a KMS, the server gets only the artifact's data key.",
        required=True,
        secret=True,
    )
    artifact_id: str = setting(ARTIFACT_ID, "", "Id of the sealed artifact. The server opens no other.", required=True)
    payload_digest: str = setting(
        PAYLOAD_DIGEST,
        "",
        "Digest of the artifact's payload. The server refuses any other payload.",
        required=True,
    )
    signature: str | None = setting(
        kinds.text,
        None,
        "Signature of the artifact, such as ArtifactSignature's output `signature`. Required with `requireSignature`.",
    )


@dataclass(frozen=True)
class ServerInputs(ServedModel, ServerSettings):
    """Inputs of a component that serves a model: its settings, and the model."""

    def clashes(self) -> Iterator[Clash]:
        """Yields the settings' own clashes, and one for an artifact that no trusted signer signed."""
        yield from super().clashes()
        yield from signature_clashes(
            self.require_signature, self.signature, self.manifest, self.artifact_id, self.payload_digest
        )
