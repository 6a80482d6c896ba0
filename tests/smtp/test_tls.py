"""STARTTLS over real sockets: certificates, their renewal, and clients' own."""

from __future__ import annotations

import asyncio
import datetime as dt
import os
import smtplib
import socket
import ssl
from typing import TYPE_CHECKING

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from kumo_handlers.errors import ConfigurationError
from kumo_handlers.policy.listener import Listener
from kumo_handlers.smtp.tls import Certificates

if TYPE_CHECKING:
    from pathlib import Path

    from kumo_handlers.smtp.server import Server
    from tests.smtp.conftest import ScriptedBackend, Serving


class Authority:
    """Someone who signs certificates, whom both sides may trust."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.key = ec.generate_private_key(ec.SECP256R1())
        self.name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "authority")])
        self.certificate = str(folder / "authority.pem")
        self._write("authority.pem", self._sign(self.name, self.key, is_authority=True))

    def issue(self, name: str, file: str) -> str:
        """A certificate and its key in one file."""
        key = ec.generate_private_key(ec.SECP256R1())
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
        private = key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
        return self._write(file, private + self._sign(subject, key, is_authority=False))

    def _sign(
        self, subject: x509.Name, key: ec.EllipticCurvePrivateKey, *, is_authority: bool
    ) -> bytes:
        now = dt.datetime.now(dt.UTC)
        host = subject.get_attributes_for_oid(NameOID.COMMON_NAME)[0].value
        names = x509.SubjectAlternativeName([x509.DNSName(str(host))])
        constraints = x509.BasicConstraints(ca=is_authority, path_length=None)
        identifier = x509.SubjectKeyIdentifier.from_public_key(self.key.public_key())
        issuer = x509.AuthorityKeyIdentifier.from_issuer_subject_key_identifier(identifier)
        certificate = (
            x509.CertificateBuilder(self.name, subject, key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - dt.timedelta(hours=1))
            .not_valid_after(now + dt.timedelta(hours=1))
            .add_extension(names, critical=False)
            .add_extension(constraints, critical=True)
            .add_extension(identifier if is_authority else issuer, critical=False)
            .add_extension(_usage(is_authority=is_authority), critical=True)
            .sign(self.key, hashes.SHA256())
        )
        return certificate.public_bytes(serialization.Encoding.PEM)

    def _write(self, file: str, content: bytes) -> str:
        path = self.folder / file
        path.write_bytes(content)
        return str(path)


def _usage(*, is_authority: bool) -> x509.KeyUsage:
    """What a key may be used for: Python 3.13 asks an authority's certificate to say it."""
    return x509.KeyUsage(
        digital_signature=not is_authority,
        key_cert_sign=is_authority,
        crl_sign=is_authority,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        encipher_only=False,
        decipher_only=False,
    )


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    """An authority with a folder of its own."""
    return Authority(tmp_path)


def trusting(authority: Authority | None, own: str | None = None) -> ssl.SSLContext:
    """A client's context: who it trusts, and who it is."""
    context = ssl.create_default_context(cafile=authority.certificate if authority else None)
    if authority is None:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    if own:
        context.load_cert_chain(own)
    return context


def send(server: Server, context: ssl.SSLContext) -> str:
    """Send a message over TLS; the name in the server's certificate."""
    peer = server.sockname
    with smtplib.SMTP(peer.host, peer.port, local_hostname="client.test", timeout=5) as client:
        client._host = "mx.test"  # the name that the certificate is for
        client.starttls(context=context)
        client.sendmail("a@b.example", ["c@d.example"], "Subject: hello\r\n\r\nhello\r\n")
        assert not client.has_extn("starttls")
        assert isinstance(client.sock, ssl.SSLSocket)
        subject = (client.sock.getpeercert() or {}).get("subject", ())
        return "".join(value for part in subject for _, value in part)


async def test_self_signed(
    scripted_backend: type[ScriptedBackend], serving: Serving, loop_name: str
) -> None:
    """Without a certificate there is one nevertheless; the session says how it is encrypted."""
    backend = scripted_backend()
    async with serving(backend) as server:
        await asyncio.to_thread(send, server, trusting(None))
    transaction, _ = backend.messages[0]
    assert transaction.session.protocol == "ESMTPS"
    tls = transaction.session.tls or {}
    assert tls["tls_protocol_version"] == "TLSv1.3"
    assert tls["tls_cipher"]
    assert tls["tls_peer_subject_name"] == []
    assert len(backend.closed_sessions) == 1, loop_name


async def test_certificate_is_read_again(
    scripted_backend: type[ScriptedBackend], serving: Serving, authority: Authority
) -> None:
    """A renewed certificate is served from the next handshake on; a broken one never."""
    file = authority.issue("mx.test", "mx.pem")
    async with serving(scripted_backend(), tls_certificate=file) as server:
        context = trusting(authority)
        assert await asyncio.to_thread(send, server, context) == "mx.test"
        context.check_hostname = False
        authority.issue("renewed.test", "mx.pem")
        assert await asyncio.to_thread(send, server, context) == "renewed.test"
        with open(file, "wb") as broken:  # noqa: ASYNC230, PTH123 - it is a short one
            broken.write(b"nonsense")
        assert await asyncio.to_thread(send, server, context) == "renewed.test"


async def test_client_certificate(
    scripted_backend: type[ScriptedBackend], serving: Serving, authority: Authority
) -> None:
    """Where one is required, who has none gets no TLS; who has one is named in the session."""
    backend = scripted_backend()
    own = authority.issue("client.test", "client.pem")
    async with serving(backend, tls_required_client_ca=authority.certificate) as server:
        await asyncio.to_thread(send, server, trusting(None, own))
        with pytest.raises((OSError, smtplib.SMTPException)):
            await asyncio.to_thread(send, server, trusting(None))
    (message,) = backend.messages
    assert (message[0].session.tls or {})["tls_peer_subject_name"] == ["CN=client.test"]


async def test_what_was_said_in_the_clear_is_forgotten(
    scripted_backend: type[ScriptedBackend], serving: Serving
) -> None:
    """Commands sent along with STARTTLS are never carried out."""
    backend = scripted_backend()

    def inject(server: Server) -> bytes:
        raw = socket.create_connection((server.sockname.host, server.sockname.port), 5)
        with raw:
            raw.recv(1000)
            raw.sendall(b"EHLO x\r\nSTARTTLS\r\nEHLO evil\r\nMAIL FROM:<evil@b.example>\r\n")
            said = b""
            while not said.endswith(b"TLS\r\n"):
                said += raw.recv(1000)
            with trusting(None).wrap_socket(raw) as encrypted:
                encrypted.sendall(b"RCPT TO:<c@d.example>\r\n")
                return encrypted.recv(1000)

    async with serving(backend) as server:
        assert await asyncio.to_thread(inject, server) == b"503 5.5.1 MAIL first\r\n"
    assert [session.client_name for session in backend.closed_sessions] == [""]


async def test_no_handshake(scripted_backend: type[ScriptedBackend], serving: Serving) -> None:
    """A client that asks for TLS and then speaks something else is let go."""
    backend = scripted_backend()
    async with serving(backend) as server:
        peer = server.sockname
        reader, writer = await asyncio.open_connection(peer.host, peer.port)
        await reader.readline()
        writer.write(b"STARTTLS\r\n")
        assert (await reader.readline()).startswith(b"220 ")
        writer.write(b"QUIT\r\n" * 100)
        assert b"221" not in await asyncio.wait_for(reader.read(), 5)
        writer.close()
    assert len(backend.closed_sessions) == 1


@pytest.mark.parametrize(
    "options",
    [
        {"tls_certificate": "/nowhere.pem"},
        {"tls_certificate": os.devnull},
        {"tls_private_key": os.devnull},
        {"tls_required_client_ca": "/nowhere.pem"},
    ],
)
def test_unusable_files(options: dict[str, str]) -> None:
    """What cannot be used is an error that names the option."""
    with pytest.raises(ConfigurationError, match=next(iter(options))):
        Certificates().context(Listener(**options))


def test_the_file_that_is_wrong_is_named(authority: Authority) -> None:
    """Of a certificate and its key it is the key, where that is missing or another's."""
    certificate, other = authority.issue("a.test", "a.pem"), authority.issue("b.test", "b.pem")
    for key, reason in (("/nowhere.pem", "No such file"), (other, "KEY_VALUES_MISMATCH")):
        listener = Listener(tls_certificate=certificate, tls_private_key=key)
        with pytest.raises(ConfigurationError, match="tls_private_key: cannot be used") as caught:
            Certificates().context(listener)
        assert reason in str(caught.value)
        assert key in str(caught.value)
