"""Keys and signatures: published vectors, and what is told of keys that cannot be used."""

import base64

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, x25519

from integrationd.errors import SecretError
from integrationd.model.secret import Secret
from integrationd.wire import signing
from integrationd.wire.signing import Scheme
from tests.support.signers import ED25519, P256, P384, RSA_PEM, pem

CLAIMS = (
    b"eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0"
    b"cnVlfQ"
)
ED_KEY = (
    "-----BEGIN PRIVATE KEY-----\n"
    + base64.b64encode(
        bytes.fromhex("302e020100300506032b657004220420")
        + base64.urlsafe_b64decode("nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A=")
    ).decode()
    + "\n-----END PRIVATE KEY-----\n"
)


def signature(scheme, key, data):
    """Sign, and write it as a token does."""
    made = signing.sign(scheme, Secret(key), data, "auth.key")
    return base64.urlsafe_b64encode(made).rstrip(b"=").decode()


def test_hmac_is_that_of_the_rfc():
    """RFC 7515 appendix A.1."""
    key = Secret(
        "AyM1SysPpbyDfgZld3umj1qzKObwVMkoqQ-EstJQLr_T-1qS0gZH75aKtMN3Yj0iPS4hcgUuTwjAzZr1Z9CAow"
    )
    text = b"eyJ0eXAiOiJKV1QiLA0KICJhbGciOiJIUzI1NiJ9." + CLAIMS

    digest = signing.authenticate("sha256", signing.read_base64_key(key, "auth.key"), text)

    expected = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk="
    assert base64.urlsafe_b64encode(digest).decode() == expected


@pytest.mark.parametrize("key", [RSA_PEM, RSA_PEM.replace("\n", "\\n"), f"  {RSA_PEM}"])
def test_rsa_is_that_of_the_rfc(key):
    """RFC 7515 appendix A.2; a variable of one line has its line ends written out."""
    assert signature(Scheme.RS256, key, b"eyJhbGciOiJSUzI1NiJ9." + CLAIMS) == (
        "cC4hiUPoj9Eetdgtv3hF80EGrhuB__dzERat0XF9g2VtQgr9PJbu3XOiZj5RZmh7AAuHIm4Bh-0Qc_lF5YKt_O8W"
        "2Fp5jujGbds9uJdbF9CUAr7t1dnZcAcQjbKBYNX4BAynRFdiuB--f_nZLgrnbyTyWzO75vRK5h6xBArLIARNPvkS"
        "jtQBMHlb1L07Qe7K0GarZRmB_eSN9383LcOLn6_dO--xi12jzDwusC-eOkHWEsqtFZESc6BfI7noOPqvhJ1phCnv"
        "Wh6IeYI2w9QOYEUipUTI8np6LbgGY9Fs98rqVt5AXLIhWkWywlVmtVrBp0igcN_IoypGlUPQGe77Rw"
    )


def test_ed25519_is_that_of_the_rfc():
    """RFC 8037 appendix A.4."""
    text = b"eyJhbGciOiJFZERTQSJ9.RXhhbXBsZSBvZiBFZDI1NTE5IHNpZ25pbmc"

    assert signature(Scheme.EDDSA, ED_KEY, text) == (
        "hgyY0il_MGCjP0JzlnLWG1PPOt7-09PGcvMg3AIbQR6dWbhijcNR4ki4iylGjg5BhVsPt9g7sVvpAr_MuM0KAg"
    )


@pytest.mark.parametrize(("key", "size"), [(P256, 64), (P384, 96)])
def test_both_numbers_of_a_curve_have_their_full_size(key, size):
    """RFC 7518 section 3.4: small numbers are padded; ASN.1 would drop their zeros."""
    scheme = Scheme.ES256 if size == 64 else Scheme.ES384
    made = {len(signing.sign(scheme, Secret(pem(key)), bytes([n]), "k")) for n in range(200)}

    assert made == {size}


@pytest.mark.parametrize(
    ("scheme", "key", "message"),
    [
        (
            "RS256",
            "s3cret",
            "auth.key is no private key in PEM form, '-----BEGIN PRIVATE KEY-----'",
        ),
        (
            "RS256",
            RSA_PEM[:400] + "\n-----END PRIVATE KEY-----",
            "auth.key cannot be read; was it copied with all its lines?",
        ),
        (
            "ES256",
            pem(P256, b"pass"),
            (
                "auth.key is a private key with a passphrase; store it without one, the encrypted "
                "store protects it"
            ),
        ),
        ("ES256", RSA_PEM, "auth.key is an RSA key, ES256 needs one on P-256"),
        (
            "ES256",
            pem(P384),
            "auth.key is an elliptic-curve key on secp384r1, ES256 needs one on P-256",
        ),
        (
            "RS512",
            pem(P256),
            "auth.key is an elliptic-curve key on secp256r1, RS512 needs an RSA key",
        ),
        ("EdDSA", RSA_PEM, "auth.key is an RSA key, EdDSA needs an Ed25519 key"),
        ("PS256", pem(ED25519), "auth.key is an Ed25519 key, PS256 needs an RSA key"),
        (
            "ES256",
            pem(ec.generate_private_key(ec.SECP256K1())),
            "auth.key is an elliptic-curve key on secp256k1, ES256 needs one on P-256",
        ),
    ],
)
def test_key_that_cannot_be_used_is_told(scheme, key, message):
    """The message names the field and what the key is, and nothing of it."""
    with pytest.raises(SecretError) as caught:
        signing.sign(Scheme(scheme), Secret(key), b"text", "auth.key")

    assert str(caught.value) == message


def test_key_of_another_family_is_refused():
    """A key for agreeing on secrets signs nothing."""
    with pytest.raises(SecretError) as caught:
        signing.sign(Scheme.RS256, Secret(pem(x25519.X25519PrivateKey.generate())), b"", "auth.key")

    expected = "auth.key is a key of another kind, expected RSA, EC or Ed25519"
    assert str(caught.value) == expected


def test_key_that_is_only_shown_signs_to_nothing():
    """A preview has stand-ins for secrets."""
    assert signing.sign(Scheme.RS256, Secret("***"), b"text", "auth.key") == b""
    assert signing.read_base64_key(Secret("***"), "auth.key") == b""


@pytest.mark.parametrize("text", ["aGk=", "aGk", " aGk=\n"])
def test_base64_key_may_lack_its_padding(text):
    """People copy keys with and without it."""
    assert signing.read_base64_key(Secret(text), "auth.key") == b"hi"


@pytest.mark.parametrize("text", ["a", "a*b=", "a b c d"])
def test_key_that_is_no_base64_is_told(text):
    """Nothing of it is repeated."""
    with pytest.raises(SecretError) as caught:
        signing.read_base64_key(Secret(text), "auth.key")

    assert str(caught.value) == "auth.key is not base64; was it copied as a whole?"
