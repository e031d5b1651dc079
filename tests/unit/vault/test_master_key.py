"""The master key: where it is looked for, what it has to look like, and that it is never shown."""

import base64
import os

import pytest

from integrationd.errors import SettingsError
from integrationd.vault.master import MAKE_ONE, PUT_BACK, find_master_key, parse_master_key

KEY = bytes(range(32))
OTHER = bytes(range(32, 64))
THIRD = bytes(range(64, 96))


def text_of(key: bytes) -> str:
    """Write a key as the advice makes it."""
    return base64.b64encode(key).decode() + "\n"


@pytest.fixture
def room(tmp_path):
    """Make a directory of credentials and a file with a key."""
    (tmp_path / "credentials").mkdir()
    path = tmp_path / "master-key"
    path.write_text(text_of(OTHER))
    path.chmod(0o600)
    return tmp_path


def find(room, *, file=True, credential: bytes | None = None, environ=None):
    """Look for the key in the room."""
    if credential is not None:
        (room / "credentials" / "integrationd.master-key").write_text(text_of(credential))
    return find_master_key(
        file=str(room / "master-key") if file else None,
        credentials_dir=str(room / "credentials"),
        environ=environ or {},
    )


def test_credential_comes_first_then_the_file_then_the_environment(room):
    """The first place that has a key gives it."""
    environ = {"INTEGRATIOND_MASTER_KEY": text_of(THIRD)}

    found = [
        find(room, credential=KEY, environ=environ),
        find_master_key(file=str(room / "master-key"), credentials_dir=None, environ=environ),
        find_master_key(file=None, credentials_dir=None, environ=environ),
        find_master_key(file=None, credentials_dir=None, environ={}),
    ]

    assert [None if key is None else (key.key, key.where) for key in found] == [
        (KEY, "the credential integrationd.master-key"),
        (OTHER, f"the file {room}/master-key"),
        (THIRD, "env INTEGRATIOND_MASTER_KEY"),
        None,
    ]


@pytest.mark.parametrize(
    "text",
    [
        text_of(KEY),
        text_of(KEY).replace("=", ""),
        base64.urlsafe_b64encode(KEY).decode(),
        KEY.hex(),
        KEY.hex().upper() + "\n",
        "  " + KEY.hex()[:32] + "\n" + KEY.hex()[32:],
    ],
)
def test_base64_and_hexadecimal_digits_are_read(text):
    """Both ways of writing 32 bytes are taken, white space and padding as they come."""
    assert parse_master_key(text, "here").key == KEY


def test_url_safe_base64_is_read():
    """A key whose base64 has the two letters in which the alphabets differ reads the same."""
    key = bytes.fromhex("fb" * 4 + "ff" * 4 + KEY.hex()[:48])

    assert "+" in base64.b64encode(key).decode()
    assert parse_master_key(base64.urlsafe_b64encode(key).decode(), "here").key == key


@pytest.mark.parametrize(
    "text",
    [
        "",
        "correct horse battery staple",
        KEY.hex()[:-2],
        KEY.hex() + "00",
        "g" * 64,
        base64.b64encode(KEY[:31]).decode(),
        base64.b64encode(KEY + b"x").decode(),
        "é" * 44,
    ],
)
def test_anything_else_is_no_key_and_is_not_shown(text):
    """The message says what is expected and how to make a key, and does not repeat the text."""
    with pytest.raises(SettingsError) as caught:
        parse_master_key(text, "the file /k")

    assert str(caught.value) == (
        "the master key in the file /k is not 32 bytes, written as base64 or as hexadecimal "
        f"digits; {PUT_BACK}"
    )


@pytest.mark.parametrize("key", [bytes(32), b"0123" * 8, b"a" * 31 + b"b"])
def test_made_up_key_is_refused(key):
    """Zeros and repetitions are nobody's random bytes."""
    with pytest.raises(SettingsError) as caught:
        parse_master_key(key.hex(), "env K")

    assert str(caught.value) == f"the master key in env K is not random; make one: {MAKE_ONE}"


def test_named_file_has_to_be_there(room):
    """Settings that name a file which is not there are a mistake, not an open choice."""
    (room / "master-key").unlink()

    with pytest.raises(SettingsError) as caught:
        find(room)

    assert str(caught.value) == (
        f"the file {room}/master-key of secrets.master_key does not exist; {PUT_BACK}"
    )


@pytest.mark.parametrize(
    ("mode", "told"),
    [
        (0o604, "everybody can read {path}; run: chmod o= {path}"),
        (0o644, "everybody can read {path}; run: chmod o= {path}"),
        (0o620, "others can write {path}; run: chmod go-w {path}"),
        (0o602, "others can write {path}; run: chmod go-w {path}"),
    ],
)
def test_file_that_others_can_use_is_refused(room, mode, told):
    """A key that everybody reads is none; the message says what to run."""
    path = room / "master-key"
    path.chmod(mode)

    with pytest.raises(SettingsError) as caught:
        find(room)

    assert str(caught.value) == f"the master key in the file {path}: {told.format(path=path)}"


@pytest.mark.parametrize("mode", [0o400, 0o600, 0o640, 0o440])
def test_file_that_a_group_reads_is_taken(room, mode):
    """Root's file that the daemon's group may read is the usual way."""
    (room / "master-key").chmod(mode)

    found = find(room)

    assert found is not None
    assert found.key == OTHER


def test_file_of_another_user_is_refused(room):
    """Whoever owns the file could change its key."""
    if os.geteuid() != 0:
        pytest.skip("only root can give a file away")
    os.chown(room / "master-key", 12345, -1)

    with pytest.raises(SettingsError, match=r"belongs to another user; run: chown root"):
        find(room)


def test_broken_credential_is_not_looked_past(room):
    """A credential that holds no key is told; the file behind it is not taken instead."""
    (room / "credentials" / "integrationd.master-key").write_text("nonsense")

    with pytest.raises(
        SettingsError, match=r"the credential integrationd\.master-key is not 32 bytes"
    ):
        find(room)


def test_check_value_tells_keys_apart_and_shows_nothing():
    """Two keys have two ids, one key always the same; neither id nor repr holds the key."""
    one, again, other = (parse_master_key(key.hex(), "x") for key in (KEY, KEY, OTHER))

    assert one.id == again.id != other.id
    assert one.id == "91a702b65dab1bd4"
    assert KEY.hex()[:8] not in repr(one) + one.id
    assert str(KEY)[2:-1] not in repr(one)
