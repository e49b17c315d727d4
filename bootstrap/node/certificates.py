"""The local cluster's certificates: `python -m bootstrap.node.certificates FOLDER NODE ADDRESS…` makes or renews them.

One authority signs all certificates, except the API server's as a front proxy, which has an authority of its own. Each
component has its own name, so that RBAC and the Node authorizer take effect.
Keys have mode 0600, the folder 0700. A certificate is renewed a month before it expires, and all are renewed together
with the authority. All keys are ECDSA P-256, including the service accounts' key.
"""

import datetime
import ipaddress
import sys
from dataclasses import dataclass
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from bootstrap.node.configuration import ETCD_PEER, FRONT_PROXY, FRONT_PROXY_AUTHORITY
from bootstrap.node.metrics_configuration import HOST, USER
from sealift.durable.new_file import write_file

AUTHORITY = "ca"
AUTHORITIES = {AUTHORITY: "sealift-local-cluster", FRONT_PROXY_AUTHORITY: "sealift-front-proxy"}
"""Names of the authorities, by file."""
AUTHORITY_DAYS = 3650
CERTIFICATE_DAYS = 365
RENEW_DAYS = 30


@dataclass(frozen=True)
class Wanted:
    """One certificate: its subject, whether it is for a client (`client`), and the names and addresses that it serves
    (`serves`).
    """

    file: str
    name: str
    group: str = ""
    serves: tuple[str, ...] = ()
    client: bool = False
    authority: str = AUTHORITY


def list_wanted(node: str, addresses: tuple[str, ...]) -> list[Wanted]:
    """Returns all certificates. `addresses`: the API server's besides loopback, those of the node and the service."""
    api = ("kubernetes", "kubernetes.default", "kubernetes.default.svc", "kubernetes.default.svc.cluster.local")
    local = ("localhost", "127.0.0.1")
    return [
        Wanted("etcd", "etcd", serves=local),
        Wanted("etcd-peer", ETCD_PEER, serves=local, client=True),
        Wanted("etcd-client", "kube-apiserver-etcd-client", client=True),
        Wanted("api-server", "kube-apiserver", serves=(*local, *api, *addresses)),
        Wanted("kubelet-client", "api-server-to-kubelet", client=True),
        Wanted("components", "sealift-components", serves=local),
        Wanted("kubelet", f"system:node:{node}", "system:nodes", serves=(*local, node), client=True),
        Wanted("controller-manager", "system:kube-controller-manager", client=True),
        Wanted("scheduler", "system:kube-scheduler", client=True),
        Wanted("proxy", "system:kube-proxy", client=True),
        Wanted("admin", "sealift-admin", "system:masters", client=True),
        Wanted(USER, USER, serves=(*local, HOST), client=True),
        Wanted(FRONT_PROXY, FRONT_PROXY, client=True, authority=FRONT_PROXY_AUTHORITY),
    ]


def ensure(folder: Path, node: str, addresses: tuple[str, ...], now: datetime.datetime) -> list[str]:
    """Makes certificates that are missing or about to expire. Returns the names of the new ones."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    folder.chmod(0o700)
    made: list[str] = []
    authorities: dict[str, Pair] = {}
    for file, name in AUTHORITIES.items():
        authority = _load(folder, file)
        if authority is None or not _lasts(authority[0], now):
            authority = _authority(name, now)
            _save(folder, file, *authority)
            made.append(file)
        authorities[file] = authority
    for one in list_wanted(node, addresses):
        existing = _load(folder, one.file)
        if one.authority not in made and existing is not None and _lasts(existing[0], now) and _fits(existing[0], one):
            continue
        _save(folder, one.file, *_sign(one, authorities[one.authority], now))
        made.append(one.file)
    if not (folder / "service-account.key").exists():
        _save_service_account_key(folder)
        made.append("service-account")
    return made


Pair = tuple[x509.Certificate, ec.EllipticCurvePrivateKey]


def _authority(common: str, now: datetime.datetime) -> Pair:
    key = ec.generate_private_key(ec.SECP256R1())
    name = _name(common)
    builder = _builder(name, name, key, now, AUTHORITY_DAYS)
    builder = builder.add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
    builder = builder.add_extension(_usage(signs_certificates=True), critical=True)
    return builder.sign(key, hashes.SHA256()), key


def _sign(one: Wanted, authority: Pair, now: datetime.datetime) -> Pair:
    issuer, issuer_key = authority
    key = ec.generate_private_key(ec.SECP256R1())
    builder = _builder(_name(one.name, one.group), issuer.subject, key, now, CERTIFICATE_DAYS)
    builder = builder.add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
    builder = builder.add_extension(_usage(signs_certificates=False), critical=True)
    purposes = [ExtendedKeyUsageOID.SERVER_AUTH] if one.serves else []
    purposes += [ExtendedKeyUsageOID.CLIENT_AUTH] if one.client else []
    builder = builder.add_extension(x509.ExtendedKeyUsage(purposes), critical=False)
    builder = builder.add_extension(
        x509.AuthorityKeyIdentifier.from_issuer_public_key(issuer_key.public_key()), critical=False
    )
    if one.serves:
        builder = builder.add_extension(x509.SubjectAlternativeName(_alternatives(one.serves)), critical=False)
    return builder.sign(issuer_key, hashes.SHA256()), key


def _builder(
    subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePrivateKey, now: datetime.datetime, days: int
) -> x509.CertificateBuilder:
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(hours=1))  # clocks of virtual machines jump
        .not_valid_after(now + datetime.timedelta(days=days))
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
    )


def _name(common: str, group: str = "") -> x509.Name:
    parts = [x509.NameAttribute(NameOID.ORGANIZATION_NAME, group)] if group else []
    return x509.Name([*parts, x509.NameAttribute(NameOID.COMMON_NAME, common)])


def _usage(*, signs_certificates: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=True,
        key_cert_sign=signs_certificates,
        crl_sign=signs_certificates,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        encipher_only=False,
        decipher_only=False,
    )


def _alternatives(names: tuple[str, ...]) -> list[x509.GeneralName]:
    found: list[x509.GeneralName] = []
    for name in names:
        try:
            found.append(x509.IPAddress(ipaddress.ip_address(name)))
        except ValueError:
            found.append(x509.DNSName(name))
    return found


def _lasts(certificate: x509.Certificate, now: datetime.datetime) -> bool:
    return certificate.not_valid_after_utc - now > datetime.timedelta(days=RENEW_DAYS)


def _fits(certificate: x509.Certificate, one: Wanted) -> bool:
    if certificate.subject != _name(one.name, one.group):
        return False
    try:
        alternatives = list(certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value)
    except x509.ExtensionNotFound:
        alternatives = []
    return alternatives == _alternatives(one.serves)


def _load(folder: Path, file: str) -> Pair | None:
    """Returns the pair, or None if it is missing or its halves do not match (the key is written first)."""
    try:
        certificate = x509.load_pem_x509_certificate((folder / f"{file}.crt").read_bytes())
        key = serialization.load_pem_private_key((folder / f"{file}.key").read_bytes(), None)
    except (FileNotFoundError, ValueError):
        return None
    if not isinstance(key, ec.EllipticCurvePrivateKey) or key.public_key() != certificate.public_key():
        return None
    return certificate, key


def _save(folder: Path, file: str, certificate: x509.Certificate, key: ec.EllipticCurvePrivateKey) -> None:
    write_file(folder / f"{file}.key", _private(key), 0o600)
    write_file(folder / f"{file}.crt", certificate.public_bytes(serialization.Encoding.PEM), 0o644)


def _save_service_account_key(folder: Path) -> None:
    key = ec.generate_private_key(ec.SECP256R1())
    public = key.public_key().public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
    write_file(folder / "service-account.pub", public, 0o644)
    write_file(folder / "service-account.key", _private(key), 0o600)


def _private(key: ec.EllipticCurvePrivateKey) -> bytes:
    # The traditional form, because the API server does not read PKCS8 keys for service accounts.
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.TraditionalOpenSSL, serialization.NoEncryption()
    )


if __name__ == "__main__":
    renewed = ensure(Path(sys.argv[1]), sys.argv[2], tuple(sys.argv[3:]), datetime.datetime.now(datetime.UTC))
    sys.stdout.write("\n".join(renewed) + "\n")
