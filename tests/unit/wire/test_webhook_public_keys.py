"""Verification by public keys, certificates, tokens and message signatures."""

import base64
import json
from datetime import timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, padding

from integrationd.errors import SecretError, SignatureError
from tests.support.pairs import (
    BODY,
    EC,
    ED,
    NOW,
    RAW,
    RSA,
    SPKI,
    call,
    check,
    pss,
    public,
    raw,
)
from tests.support.senders import SENDERS, verifier_of

WAYS = {
    "pkcs1": ("rsa", "", RSA, lambda k, d: k.sign(d, padding.PKCS1v15(), hashes.SHA256())),
    "pss": ("rsa", "padding: pss, ", RSA, pss),
    "der": ("ecdsa", "", EC, lambda k, d: k.sign(d, ec.ECDSA(hashes.SHA256()))),
    "raw": ("ecdsa", "form: raw, ", EC, raw),
    "ed25519": ("ed25519", "", ED, lambda k, d: k.sign(d)),
}


@pytest.mark.parametrize("name", sorted(WAYS))
def test_signature_is_of_the_key_and_of_every_byte(name):
    """The right key and bytes verify; another key, a bit more, another form of it do not."""
    kind, option, (mine, other), sign = WAYS[name]
    verifier = verifier_of(
        f'{{type: {kind}, {option}keys: ["{{{{ config.k }}}}"],'
        " signature: {from: header.x-sig, encoding: base64}}"
    )
    signature = sign(mine, BODY)
    shown = base64.b64encode(signature).decode()
    key = public(mine).decode()
    check(verifier, call(x_sig=shown), k=key)

    refused = [(call(x_sig=shown), public(other).decode())]
    refused += [
        (call(bytes([*BODY[:at], BODY[at] ^ 1, *BODY[at + 1 :]]), x_sig=shown), key)
        for at in range(len(BODY))
    ]
    for at in range(0, len(signature), 7):
        flipped = signature[:at] + bytes([signature[at] ^ 0x10]) + signature[at + 1 :]
        refused.append((call(x_sig=base64.b64encode(flipped).decode()), key))
    for short in (signature[:-1], signature + b"\0"):
        refused.append((call(x_sig=base64.b64encode(short).decode()), key))
    for made, under in refused:
        with pytest.raises(SignatureError):
            check(verifier, made, k=under)


@pytest.mark.parametrize("name", sorted(WAYS))
def test_key_of_another_kind_fits_nothing(name):
    """A key of another family is told apart from one that is right, and never crashes."""
    kind, option, (mine, _), sign = WAYS[name]
    verifier = verifier_of(
        f'{{type: {kind}, {option}keys: ["{{{{ config.k }}}}"],'
        " signature: {from: header.x-sig, encoding: base64}}"
    )
    shown = base64.b64encode(sign(mine, BODY)).decode()
    for other in {RSA[0], EC[0], ED[0]} - {mine}:
        with pytest.raises(SignatureError):
            check(verifier, call(x_sig=shown), k=public(other).decode())


@pytest.mark.parametrize(
    ("encoding", "written"),
    [
        ("pem", public(ED[0]).decode()),
        ("pem", public(ED[0]).decode().replace("\n", "\\n")),
        ("spki", base64.b64encode(public(ED[0], SPKI)).decode()),
        ("hex", public(ED[0], RAW).hex()),
        ("base64", "whpk_" + base64.b64encode(public(ED[0], RAW)).decode()),
    ],
    ids=["pem", "pem-in-a-line", "spki", "hex", "base64"],
)
def test_public_key_is_read_as_the_spec_says(encoding, written):
    """Each way of writing a key gives the same key, and what is none closes the endpoint."""
    verifier = verifier_of(
        '{type: ed25519, keys: ["{{ config.k }}"], strip_prefix: whpk_, signature: '
        f"{{from: header.x-sig}}, key_encoding: {encoding}}}"
    )
    made = call(x_sig=ED[0].sign(BODY).hex())
    check(verifier, made, k=written)

    for wrong in ("", "x", written[:-20]):
        with pytest.raises(SecretError):
            check(verifier, made, k=wrong)


def issue(name, key, issuer=None, days=1):
    """Make a certificate, by itself or by another one's key."""
    subject = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)])
    by, signer = issuer or (subject, key)
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(by)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(NOW - timedelta(days=1))
        .not_valid_after(NOW + timedelta(days=days))
        .sign(signer, hashes.SHA256())
        .public_bytes(serialization.Encoding.PEM)
    )


CERTIFIED = verifier_of("""
type: rsa
certificate:
  from: header.x-cert
  allow_host: 'certs\\.a\\.test'
  allow_path: '/c/[a-z]+'
  allow_name: 'signer\\.a\\.test'
signature: {from: header.x-sig, encoding: base64}
""")
URL = "https://certs.a.test/c/one"
ROOT = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "root")])


def certified(data, url=URL):
    """Verify a call whose certificate is so."""
    signature = RSA[0].sign(BODY, padding.PKCS1v15(), hashes.SHA256())
    made = call(x_sig=base64.b64encode(signature).decode(), x_cert=url)
    (address,) = CERTIFIED.addresses(made, {})
    check(CERTIFIED, made, {address: data})


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"none", "header.x-cert gives no certificate"),
        (issue("other.a.test", RSA[0]), "header.x-cert gives the certificate of somebody else"),
        (
            issue("signer.a.test.evil", RSA[0]),
            "header.x-cert gives the certificate of somebody else",
        ),
        (
            issue("signer.a.test", RSA[0], days=-0.5),
            "header.x-cert gives a certificate that is not valid at this time",
        ),
        (
            issue("signer.a.test", RSA[0]) + issue("root", RSA[1]),
            "header.x-cert gives certificates that do not follow",
        ),
        (
            issue("signer.a.test", RSA[1]),
            (
                "no signature in header.x-sig fits the body; another key, or the body was changed "
                "on its way"
            ),
        ),
    ],
    ids=["none", "name", "longer-name", "time", "chain", "key"],
)
def test_wrong_certificate_is_refused(data, message):
    """Name, time, chain and key all count."""
    certified(issue("signer.a.test", RSA[0]))
    certified(issue("signer.a.test", RSA[0], (ROOT, RSA[1])) + issue("root", RSA[1]))

    with pytest.raises(SignatureError) as caught:
        certified(data)

    assert str(caught.value) == message


@pytest.mark.parametrize(
    "url",
    [
        *("http://certs.a.test/c/one", "https://certs.a.test:8443/c/one", "", "certs.a.test/c/one"),
        *("https://certs.a.test.evil.test/c/one", "https://evil.test/certs.a.test/c/one"),
        *("https://me@certs.a.test/c/one", "https://certs.a.test/c/one?x", "//certs.a.test/c/one"),
        *("https://certs.a.test/c/one#x", "https://certs.a.test/c/../one", "https://[::1"),
        *(
            "https://certsxa.test/c/one",
            "https://certs.a.test/c/one\n",
            "https://certs.a.test:/c/o",
        ),
        *("https://certs.a.test\\@evil.test/c/one", f"https://certs.a.test/c/{'a' * 500}"),
    ],
)
def test_address_that_is_not_allowed_is_never_asked(url):
    """The host, the path and the port of a certificate are held against the file as a whole."""
    with pytest.raises(SignatureError) as caught:
        CERTIFIED.addresses(call(x_cert=url), {})

    assert str(caught.value) == "header.x-cert is no address of a certificate that is allowed"


@pytest.mark.parametrize(
    "host",
    [
        *("sns.s3-x.amazonaws.com", "s3.amazonaws.com", "bucket.s3.amazonaws.com"),
        *("sns.us-east-1.amazonaws.com.evil.com", "sns.us-east-1.amazonaws.org"),
    ],
)
def test_hosts_of_published_attacks_are_refused(host):
    """What fooled other receivers of SNS does not fit the expression that the docs give."""
    body = {"SigningCertURL": f"https://{host}/SimpleNotificationService-ab.pem"}
    with pytest.raises(SignatureError):
        SENDERS["sns"].addresses(call(json.dumps(body).encode()), {})
