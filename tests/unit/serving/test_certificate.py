"""The server's certificate: taken from the folder, and anew when another one is mounted."""

import json
import socket
import ssl
import threading
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import serialization

from sealift.serving.certificate import MOST_BYTES, Certificate
from sealift.serving.errors import StartError
from sealift.serving.image_layout import CERTIFICATE_FILE, CERTIFICATE_KEY_FILE
from tests.certificates import Pem, self_signed
from tests.unit.serving.access.files import mount_files
from tests.unit.serving.sockets import SECONDS


def mounted(folder: Path, pem: Pem) -> None:
    mount_files(folder, {CERTIFICATE_FILE: pem.certificate, CERTIFICATE_KEY_FILE: pem.key})


def shown(certificate: Certificate, most: ssl.TLSVersion = ssl.TLSVersion.MAXIMUM_SUPPORTED) -> tuple[str, str | None]:
    """The certificate that a client sees, in PEM, and the protocol that both have chosen."""
    ours, theirs = socket.socketpair()
    for one in (ours, theirs):
        one.settimeout(SECONDS)

    def serve() -> None:
        try:
            certificate.context.wrap_socket(ours, server_side=True).close()
        except OSError:
            ours.close()

    thread = threading.Thread(target=serve)
    thread.start()
    client = ssl.create_default_context()
    client.check_hostname, client.verify_mode, client.maximum_version = False, ssl.CERT_NONE, most
    client.set_alpn_protocols(["h2", "http/1.1"])
    try:
        with client.wrap_socket(theirs) as connection:
            der = connection.getpeercert(binary_form=True)
            assert der is not None
            return ssl.DER_cert_to_PEM_cert(der), connection.selected_alpn_protocol()
    finally:
        thread.join(SECONDS)
        theirs.close()


def test_clients_see_the_mounted_certificate_and_http_1_1(tmp_path: Path) -> None:
    pem = self_signed()
    mounted(tmp_path, pem)
    certificate = Certificate(tmp_path)

    assert certificate.pem == (pem.certificate.encode(), pem.key.encode())
    assert shown(certificate) == (pem.certificate, "http/1.1")


@pytest.mark.filterwarnings("ignore:ssl.TLSVersion.TLSv1_1 is deprecated")
def test_tls_1_2_is_spoken_and_1_1_is_not(tmp_path: Path) -> None:
    mounted(tmp_path, self_signed())
    certificate = Certificate(tmp_path)

    assert shown(certificate, ssl.TLSVersion.TLSv1_2)[1] == "http/1.1"
    assert certificate.context.minimum_version == ssl.TLSVersion.TLSv1_2
    with pytest.raises(ssl.SSLError):
        shown(certificate, ssl.TLSVersion.TLSv1_1)


def test_another_certificate_is_shown_once_it_is_mounted_and_looked_at(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    first, second = self_signed(1), self_signed(2)
    mounted(tmp_path, first)
    certificate = Certificate(tmp_path)

    certificate.refresh()
    assert capfd.readouterr().out == ""
    mounted(tmp_path, second)
    assert shown(certificate)[0] == first.certificate
    certificate.refresh()

    assert shown(certificate)[0] == second.certificate
    assert certificate.pem == (second.certificate.encode(), second.key.encode())
    assert json.loads(capfd.readouterr().out)["event"] == "certificate read"


@pytest.mark.parametrize("broken", ["key", "certificate"])
def test_a_broken_one_changes_nothing_and_is_told_once(
    tmp_path: Path, broken: str, capfd: pytest.CaptureFixture[str]
) -> None:
    good, other = self_signed(1), self_signed(2)
    mounted(tmp_path, good)
    certificate = Certificate(tmp_path)

    mounted(tmp_path, Pem(**{"certificate": good.certificate, "key": other.key, broken: "nonsense"}))
    for _ in range(3):
        certificate.refresh()

    assert shown(certificate)[0] == good.certificate
    assert certificate.pem == (good.certificate.encode(), good.key.encode())
    (line,) = capfd.readouterr().out.splitlines()
    assert "certificate not read, the previous one stays in use" in line and "nonsense" not in line
    mounted(tmp_path, other)
    certificate.refresh()
    assert shown(certificate)[0] == other.certificate


def test_a_certificate_that_is_gone_is_told_once_though_its_key_is_another_one(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / CERTIFICATE_FILE).write_text((good := self_signed()).certificate)
    (tmp_path / CERTIFICATE_KEY_FILE).write_text(good.key)
    certificate = Certificate(tmp_path)

    (tmp_path / CERTIFICATE_FILE).unlink()
    (tmp_path / CERTIFICATE_KEY_FILE).write_text(self_signed().key + "\n")
    for _ in range(3):
        certificate.refresh()

    (line,) = capfd.readouterr().out.splitlines()
    assert f"{CERTIFICATE_FILE} cannot be read" in line
    assert shown(certificate)[0] == good.certificate


def locked(key: str) -> str:
    loaded = serialization.load_pem_private_key(key.encode(), None)
    kind, form = serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8
    return loaded.private_bytes(kind, form, serialization.BestAvailableEncryption(b"secret")).decode()


@pytest.mark.parametrize("fault", ["another key", "a key with a password", "no key", "an empty certificate"])
def test_a_pair_that_does_not_fit_is_refused_with_the_way_out(tmp_path: Path, fault: str) -> None:
    good = self_signed()
    pem = {
        "another key": Pem(good.certificate, self_signed().key),
        "a key with a password": Pem(good.certificate, locked(good.key)),
        "no key": Pem(good.certificate, good.certificate),
        "an empty certificate": Pem("", good.key),
    }[fault]
    mounted(tmp_path, pem)

    with pytest.raises(StartError, match="are not a certificate and its private key; mount a chain"):
        Certificate(tmp_path)


@pytest.mark.parametrize("name", [CERTIFICATE_FILE, CERTIFICATE_KEY_FILE])
def test_a_file_that_is_not_there_or_without_an_end_is_named(tmp_path: Path, name: str) -> None:
    mounted(tmp_path, self_signed())
    (tmp_path / name).unlink()
    with pytest.raises(StartError, match=f"{name} cannot be read"):
        Certificate(tmp_path)

    (tmp_path / name).write_bytes(bytes(MOST_BYTES + 1))
    with pytest.raises(StartError, match=f"{name} exceeds the limit of 1048576 bytes"):
        Certificate(tmp_path)
