"""The local cluster's certificates: they verify, name whom they should, are private, and are renewed in time."""

import datetime
import os
import stat
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID
from cryptography.x509.verification import PolicyBuilder, Store

from bootstrap.node import certificates

NOW = datetime.datetime(2026, 5, 1, tzinfo=datetime.UTC)
ADDRESSES = ("10.217.0.1", "10.217.64.1")


def load(folder: Path, name: str) -> x509.Certificate:
    return x509.load_pem_x509_certificate((folder / f"{name}.crt").read_bytes())


def days(count: int) -> datetime.timedelta:
    return datetime.timedelta(days=count)


@pytest.fixture(scope="module")
def pki(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("pki")
    certificates.ensure(folder, "sealift", ADDRESSES, NOW)
    return folder


@pytest.mark.parametrize(
    ("name", "subject"),
    [
        ("etcd", "127.0.0.1"),
        ("etcd-peer", "127.0.0.1"),
        ("api-server", "kubernetes.default.svc"),
        ("kubelet", "sealift"),
        ("components", "localhost"),
        ("metrics-server", "metrics-server.kube-system.svc"),
    ],
)
def test_servers_verify_under_the_names_they_are_called_by(pki: Path, name: str, subject: str) -> None:
    import ipaddress

    reached: x509.GeneralName
    try:
        reached = x509.IPAddress(ipaddress.ip_address(subject))
    except ValueError:
        reached = x509.DNSName(subject)
    verifier = PolicyBuilder().store(Store([load(pki, "ca")])).time(NOW).build_server_verifier(reached)

    chain = verifier.verify(load(pki, name), [])

    assert len(chain) == 2


@pytest.mark.parametrize(
    ("name", "common", "group"),
    [
        ("kubelet", "system:node:sealift", "system:nodes"),
        ("controller-manager", "system:kube-controller-manager", None),
        ("scheduler", "system:kube-scheduler", None),
        ("proxy", "system:kube-proxy", None),
        ("admin", "sealift-admin", "system:masters"),
        ("kubelet-client", "api-server-to-kubelet", None),
        ("etcd-client", "kube-apiserver-etcd-client", None),
        ("metrics-server", "metrics-server", None),
    ],
)
def test_clients_are_who_rbac_expects(pki: Path, name: str, common: str, group: str | None) -> None:
    certificate = load(pki, name)
    names = {part.oid: part.value for part in certificate.subject}
    purposes = certificate.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value

    assert names[NameOID.COMMON_NAME] == common
    assert names.get(NameOID.ORGANIZATION_NAME) == group
    assert ExtendedKeyUsageOID.CLIENT_AUTH in purposes
    certificate.verify_directly_issued_by(load(pki, "ca"))


def test_only_the_administrator_is_in_the_masters_group(pki: Path) -> None:
    masters = [
        path.stem for path in pki.glob("*.crt") if "system:masters" in load(pki, path.stem).subject.rfc4514_string()
    ]

    assert masters == ["admin"]


def test_keys_are_private_whatever_the_umask(tmp_path: Path) -> None:
    before = os.umask(0)
    try:
        certificates.ensure(tmp_path / "pki", "sealift", ADDRESSES, NOW)
    finally:
        os.umask(before)

    keys = sorted((tmp_path / "pki").glob("*.key"))
    assert len(keys) == 16
    assert {stat.S_IMODE(key.stat().st_mode) for key in keys} == {0o600}
    assert stat.S_IMODE((tmp_path / "pki").stat().st_mode) == 0o700


def test_nothing_is_made_anew_while_it_lasts(pki: Path) -> None:
    assert certificates.ensure(pki, "sealift", ADDRESSES, NOW + days(certificates.CERTIFICATE_DAYS - 31)) == []


def test_certificates_are_renewed_a_month_before_they_end_and_the_authority_stays(tmp_path: Path) -> None:
    certificates.ensure(tmp_path, "sealift", ADDRESSES, NOW)
    authority = (tmp_path / "ca.crt").read_bytes()

    made = certificates.ensure(tmp_path, "sealift", ADDRESSES, NOW + days(certificates.CERTIFICATE_DAYS - 29))

    assert made == [one.file for one in certificates.list_wanted("sealift", ADDRESSES)]
    assert (tmp_path / "ca.crt").read_bytes() == authority


def test_a_new_authority_signs_everything_anew(tmp_path: Path) -> None:
    certificates.ensure(tmp_path, "sealift", ADDRESSES, NOW)
    (tmp_path / "ca.key").unlink()

    made = certificates.ensure(tmp_path, "sealift", ADDRESSES, NOW)

    wanted = certificates.list_wanted("sealift", ADDRESSES)
    assert made == ["ca", *(one.file for one in wanted if one.authority == "ca")]
    load(tmp_path, "admin").verify_directly_issued_by(load(tmp_path, "ca"))


def test_the_front_proxy_has_an_authority_that_signs_nothing_else(pki: Path) -> None:
    """Servers of further APIs believe the user that it names."""
    authority = load(pki, "front-proxy-ca")
    signed = {path.stem for path in pki.glob("*.crt") if load(pki, path.stem).issuer == authority.subject}

    assert signed == {"front-proxy-ca", "front-proxy-client"}
    load(pki, "front-proxy-client").verify_directly_issued_by(authority)


def test_a_changed_address_renews_only_who_serves_there(tmp_path: Path) -> None:
    certificates.ensure(tmp_path, "sealift", ADDRESSES, NOW)

    assert certificates.ensure(tmp_path, "sealift", ("10.1.0.1",), NOW) == ["api-server"]


def test_a_key_without_its_certificate_is_replaced(tmp_path: Path) -> None:
    """Killed between the two files, the key is of another pair."""
    certificates.ensure(tmp_path, "sealift", ADDRESSES, NOW)
    (tmp_path / "proxy.key").write_bytes((tmp_path / "scheduler.key").read_bytes())

    assert certificates.ensure(tmp_path, "sealift", ADDRESSES, NOW) == ["proxy"]


def test_service_accounts_keep_their_key(tmp_path: Path) -> None:
    """Tokens of running pods are signed by it."""
    certificates.ensure(tmp_path, "sealift", ADDRESSES, NOW)
    before = (tmp_path / "service-account.key").read_bytes()
    certificates.ensure(tmp_path, "sealift", ADDRESSES, NOW + days(certificates.AUTHORITY_DAYS))

    assert (tmp_path / "service-account.key").read_bytes() == before
    key = serialization.load_pem_private_key(before, None)
    public = key.public_key().public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
    assert (tmp_path / "service-account.pub").read_bytes() == public
