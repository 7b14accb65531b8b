from __future__ import annotations

import ssl
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import certifi
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from infra import certificates
from infra.layers import Machine, build_layers
from till.adapters.upstream import connections

HOST = "upstream.example"


@dataclass(frozen=True, slots=True)
class Authority:
    """Signs certificates of servers."""

    key: ec.EllipticCurvePrivateKey
    certificate: x509.Certificate

    @classmethod
    def named(cls, name: str) -> Authority:
        key = ec.generate_private_key(ec.SECP256R1())
        made = _builder(name, name, key, key, authority=True)
        return cls(key, made.sign(key, hashes.SHA256()))

    def pem(self) -> bytes:
        return self.certificate.public_bytes(serialization.Encoding.PEM)

    def server(self, folder: Path) -> ssl.SSLContext:
        key = ec.generate_private_key(ec.SECP256R1())
        issuer = self.certificate.subject.get_attributes_for_oid(NameOID.COMMON_NAME)[0].value
        made = _builder(HOST, str(issuer), key, self.key, authority=False)
        chain = folder / "server.pem"
        chain.write_bytes(
            key.private_bytes(
                serialization.Encoding.PEM,
                serialization.PrivateFormat.PKCS8,
                serialization.NoEncryption(),
            )
            + made.sign(self.key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)
        )
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(chain)
        return context


def _builder(
    subject: str,
    issuer: str,
    key: ec.EllipticCurvePrivateKey,
    issuers: ec.EllipticCurvePrivateKey,
    *,
    authority: bool,
) -> x509.CertificateBuilder:
    now = datetime.now(UTC)
    return (
        x509.CertificateBuilder()
        .subject_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, subject)]))
        .issuer_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, issuer)]))
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.BasicConstraints(ca=authority, path_length=None), critical=True)
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(HOST)]), critical=False)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .add_extension(
            x509.AuthorityKeyIdentifier.from_issuer_public_key(issuers.public_key()),
            critical=False,
        )
        .add_extension(
            x509.KeyUsage(
                digital_signature=not authority,
                content_commitment=False,
                key_encipherment=False,
                data_encipherment=False,
                key_agreement=False,
                key_cert_sign=authority,
                crl_sign=authority,
                encipher_only=False,
                decipher_only=False,
            ),
            critical=True,
        )
    )


def _shake_hands(client_context: ssl.SSLContext, server_context: ssl.SSLContext) -> None:
    """Let them speak TLS with each other, without a network."""
    to_server, to_client = ssl.MemoryBIO(), ssl.MemoryBIO()
    client = client_context.wrap_bio(to_client, to_server, server_hostname=HOST)
    server = server_context.wrap_bio(to_server, to_client, server_side=True)
    for side in (client, server, client, server):
        try:
            side.do_handshake()
        except ssl.SSLWantReadError:
            continue


@pytest.fixture
def authorities(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[Authority]:
    """Three that a bundle trusts, two of them with one name, as when a key is replaced."""
    trusted = [Authority.named("Root A"), Authority.named("Root A"), Authority.named("Root B")]
    bundle = tmp_path / "cacert.pem"
    bundle.write_bytes(b"# Some words.\n" + b"\n".join(one.pem() for one in trusted))
    certificates.spread(bundle)
    monkeypatch.setattr(certifi, "where", lambda: str(bundle))
    connections._tls_context.cache_clear()
    return trusted


@pytest.mark.parametrize("place", [0, 1, 2])
def test_a_server_is_trusted_by_the_one_certificate_that_it_needs(
    authorities: list[Authority], place: int, tmp_path: Path
) -> None:
    context = connections._tls_context(verify=True)
    assert context.get_ca_certs() == [], "nothing was read before it is needed"
    _shake_hands(context, authorities[place].server(tmp_path))
    assert len(context.get_ca_certs()) >= 1


@pytest.mark.usefixtures("authorities")
def test_a_server_that_no_bundle_trusts_is_refused(tmp_path: Path) -> None:
    context = connections._tls_context(verify=True)
    with pytest.raises(ssl.SSLCertVerificationError):
        _shake_hands(context, Authority.named("Root C").server(tmp_path))


def test_a_layer_has_every_certificate_of_its_bundle() -> None:
    folder = build_layers(Machine.LOCAL).dependencies / "python" / "certifi"
    bundle = (folder / "cacert.pem").read_bytes()
    found = [path.read_bytes() for path in (folder / certificates.FOLDER).iterdir()]
    assert len(found) == bundle.count(b"BEGIN CERTIFICATE") > 100
    assert all(one in bundle for one in found)
    assert len(set(found)) == len(found)
