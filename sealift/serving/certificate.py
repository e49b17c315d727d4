"""The server's TLS certificate: `tls.crt` and `tls.key` in one folder, as Kubernetes mounts a Secret of type
kubernetes.io/tls. It is read again when its files change. Open connections keep their certificate.
"""

import ssl
from pathlib import Path
from typing import Final

from sealift.serving import image_layout
from sealift.serving.access.watched import WatchedFiles
from sealift.serving.errors import StartError
from sealift.serving.log import log

MOST_BYTES: Final = 1 << 20
"""Size limit of each file, which is that of a Secret."""


class Certificate:
    """The certificate in use. TLS 1.2 and later, with the library's default ciphers."""

    def __init__(self, folder: Path) -> None:
        """Reads the certificate. Raises StartError."""
        self._paths = folder / image_layout.CERTIFICATE_FILE, folder / image_layout.CERTIFICATE_KEY_FILE
        self._files = WatchedFiles()
        self._used, self.pem = self._read()
        """The chain and its private key, in PEM."""
        self.context = self._used
        """Context for all connections. Each takes the certificate that is in use when its handshake begins."""
        self.context.sni_callback = self._choose

    def refresh(self) -> None:
        """Loads a changed certificate. A broken one changes nothing and is logged once."""
        if not self._files.have_changed():
            return
        self._files = WatchedFiles()
        try:
            self._used, self.pem = self._read()
            log("info", "certificate read")
        except StartError as error:
            log("error", "certificate not read, the previous one stays in use", reason=str(error))

    def _choose(self, connection: ssl.SSLObject, _name: str | None, _context: ssl.SSLContext) -> None:
        """Called by OpenSSL at every client hello, with or without a host name."""
        connection.context = self._used

    def _read(self) -> tuple[ssl.SSLContext, tuple[bytes, bytes]]:
        """Reads into a new context: a key that does not fit would remove the certificate from the context in use."""
        certificate, key = self._paths
        context = _context()
        pem = self._files.read(certificate, MOST_BYTES), self._files.read(key, MOST_BYTES)
        try:
            context.load_cert_chain(certificate, key, password=_no_password)
        except (ssl.SSLError, ValueError, OSError):  # their messages contain only a number
            hint = "mount a chain and its unencrypted private key, both in PEM"
            raise StartError(f"{certificate} and {key} are not a certificate and its private key", hint) from None
        return context, pem


def _context() -> ssl.SSLContext:
    made = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    made.minimum_version = ssl.TLSVersion.TLSv1_2
    made.set_alpn_protocols(["http/1.1"])
    return made


def _no_password() -> str:
    """An empty password. Without it, OpenSSL would prompt on the terminal."""
    return ""
