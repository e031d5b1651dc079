"""Where secrets are looked for, and what is said of those that are missing."""

from __future__ import annotations

import os

import pytest

from integrationd.errors import SecretError
from integrationd.model.secret import Secret
from integrationd.vault.sources import LookupSecrets

CANARY = "canary-7f3a"


@pytest.fixture
def room(tmp_path):
    """Make a directory of secrets, one of credentials, and one that is closed."""
    for name in ("secrets", "credentials", "closed"):
        (tmp_path / name).mkdir()
    return tmp_path


class Drawer:
    """An encrypted store that holds some values of one integration, or what is wrong with them."""

    def __init__(self, **kept):
        self.kept = kept
        self.asked = []

    async def look(self, tenant, integration, names):
        """Give those that there are."""
        self.asked.append((tenant, integration, tuple(names)))
        return {name: self.kept[name] for name in names if name in self.kept}


def secrets_of(room, environ=None, **changes) -> LookupSecrets:
    """Look in the room."""
    given = {
        "kept": Drawer(),
        "env_prefix": ("INTEGRATIOND_SECRET_", "KOHA_"),
        "dirs": (str(room / "secrets"),),
        "credentials_dir": str(room / "credentials"),
        "environ": environ or {},
        **changes,
    }
    return LookupSecrets(**given)


async def fault_of(source: LookupSecrets, reference, name: str = "token") -> str:
    """Return what is said of one secret that cannot be found, without its integration."""
    with pytest.raises(SecretError) as caught:
        await source.resolve("default", "acme", {name: reference})
    assert CANARY not in str(caught.value)
    return str(caught.value)


@pytest.mark.parametrize(
    ("content", "text"),
    [
        (b"abc", "abc"),
        (b"abc\n", "abc"),
        (b"abc\r\n", "abc"),
        (b"abc\n\n", "abc\n"),
        (b"abc\r", "abc\r"),
        (b" a b ", " a b "),
        ("é".encode(), "é"),
        (b"x" * 65_536, "x" * 65_536),
    ],
)
async def test_file_is_read_without_its_last_newline(room, content, text):
    """A file's text is the secret; exactly one newline at its end is not part of it."""
    (room / "secrets" / "t").write_bytes(content)

    found = await secrets_of(room).resolve(
        "default", "acme", {"token": {"file": str(room / "secrets" / "t")}}
    )

    assert found == {"token": Secret(text)}


async def test_each_reference_is_looked_up_in_its_place(room):
    """Environment, file and credential, in one go."""
    (room / "secrets" / "b").write_text("two")
    (room / "credentials" / "koha-c").write_text("three")
    source = secrets_of(room, {"KOHA_A": "one"})

    found = await source.resolve(
        "default",
        "acme",
        {"a": {"env": "KOHA_A"}, "b": {"file": "b"}, "c": {"credential": "koha-c"}},
    )

    assert found == {"a": Secret("one"), "b": Secret("two"), "c": Secret("three")}


async def test_without_reference_the_credential_comes_before_the_environment(room):
    """The credential is named INTEGRATION.NAME; the variable in upper case with underscores."""
    environ = {"INTEGRATIOND_SECRET_NORTH_COLLEGE__CLIENT_ID": "from env"}
    source = secrets_of(room, environ)

    before = await source.resolve("default", "north-college", {"client_id": None})
    (room / "credentials" / "north-college.client_id").write_text("from credential\n")
    after = await source.resolve("default", "north-college", {"client_id": None})

    assert before == {"client_id": Secret("from env")}
    assert after == {"client_id": Secret("from credential")}


async def test_encrypted_store_comes_before_the_credential(room):
    """Without a reference, what is kept under the secret's own name is found first."""
    (room / "credentials" / "acme.token").write_text("from credential")
    source = secrets_of(room, kept=Drawer(token=Secret("kept")))

    findings = await source.locate("north", "acme", {"token": None})

    assert (findings["token"].secret, findings["token"].where) == (Secret("kept"), "store")
    assert source.kept.asked == [("north", "acme", ("token",))]


async def test_reference_to_the_store_may_name_another_name(room):
    """Two secrets may be one kept value; nothing else is looked at."""
    source = secrets_of(
        room, {"INTEGRATIOND_SECRET_ACME__B": CANARY}, kept=Drawer(both=Secret("x"))
    )
    references = {"a": {"store": "both"}, "c": {"store": "both"}}

    assert await source.resolve("default", "acme", references) == {
        "a": Secret("x"),
        "c": Secret("x"),
    }
    assert await fault_of(source, {"store": "none"}, "b") == (
        "integration acme needs secret 'b'; looked in the encrypted store under 'none'; "
        "set it with: integrationd secret set acme b"
    )


async def test_kept_value_that_cannot_be_opened_is_not_looked_past(room):
    """A value that is there but closed is told; the environment behind it is not taken."""
    environ = {"INTEGRATIOND_SECRET_ACME__TOKEN": CANARY}
    source = secrets_of(room, environ, kept=Drawer(token="it is damaged; set it again"))

    assert await fault_of(source, None) == (
        "integration acme cannot use secret 'token': it is damaged; set it again"
    )


async def test_store_is_asked_once_for_all_and_only_where_it_may_have_one(room):
    """One read for the whole integration; references elsewhere ask for nothing."""
    source = secrets_of(room, {"KOHA_A": "one"}, kept=Drawer(b=Secret("x"), c=Secret("y")))

    await source.resolve("default", "acme", {"a": {"env": "KOHA_A"}, "c": None, "b": None})
    await source.resolve("default", "acme", {"a": {"env": "KOHA_A"}})

    assert source.kept.asked == [("default", "acme", ("b", "c"))]


async def test_found_secrets_are_learnt(room):
    """Whoever masks the log hears of each secret that is found, with a name for its place."""
    heard = []
    source = secrets_of(room, {"KOHA_A": "one"}, learn=lambda *told: heard.append(told))

    await source.locate("default", "acme", {"a": {"env": "KOHA_A"}, "b": None})

    assert heard == [("default/acme/a", Secret("one"))]


async def test_reference_is_not_looked_past(room):
    """With a reference nothing else is tried: a typing error must not find another secret."""
    source = secrets_of(room, {"INTEGRATIOND_SECRET_ACME__TOKEN": CANARY})

    assert await fault_of(source, {"env": "KOHA_TOKEN"}) == (
        "integration acme needs secret 'token'; looked in env KOHA_TOKEN"
    )


async def test_missing_secrets_are_told_all_at_once(room):
    """One line for each, with every place that was looked at; found ones are not repeated."""
    source = secrets_of(room, {"KOHA_GOOD": CANARY})
    references = {
        "client_secret": None,
        "good": {"env": "KOHA_GOOD"},
        "key": {"credential": "acme-key"},
        "home": {"env": "HOME"},
    }

    with pytest.raises(SecretError) as caught:
        await source.resolve("default", "acme", references)

    assert str(caught.value) == (
        "integration acme needs secret 'client_secret'; looked in the encrypted store, then in "
        "the credential acme.client_secret, then in env INTEGRATIOND_SECRET_ACME__CLIENT_SECRET; "
        "set it with: integrationd secret set acme client_secret\n"
        "integration acme needs secret 'key'; looked in the credential acme-key\n"
        "integration acme cannot use secret 'home': env HOME is out of reach, its name must begin "
        "with INTEGRATIOND_SECRET_ or KOHA_; open it in the settings: secrets.env_prefix"
    )


async def test_missing_credentials_directory_is_told(room):
    """Outside systemd there are no credentials."""
    source = secrets_of(room, credentials_dir=None)

    assert await fault_of(source, {"credential": "x"}) == (
        "integration acme needs secret 'token'; looked in the credential x "
        "($CREDENTIALS_DIRECTORY is not set)"
    )


@pytest.mark.parametrize("content", ["", "\n", "\r\n"])
async def test_empty_secret_is_a_missing_one(room, content):
    """An empty variable, file or credential is no secret."""
    (room / "secrets" / "t").write_bytes(content.encode())
    (room / "credentials" / "acme.token").write_bytes(content.encode())
    source = secrets_of(room, {"KOHA_T": "", "INTEGRATIOND_SECRET_ACME__TOKEN": "behind"})

    assert "needs secret" in await fault_of(source, {"env": "KOHA_T"})
    assert "needs secret" in await fault_of(source, {"file": "t"})
    assert await source.resolve("default", "acme", {"token": None}) == {"token": Secret("behind")}


@pytest.mark.parametrize("path", ["/etc/passwd", "../closed/t", "{room}/closed/t", ".", "link"])
async def test_file_outside_is_out_of_reach(room, path):
    """A path may not lead out of the directories, not by dots and not by a link."""
    (room / "closed" / "t").write_text(CANARY)
    (room / "secrets" / "link").symlink_to(room / "closed" / "t")
    path = path.format(room=room)

    assert await fault_of(secrets_of(room), {"file": path}) == (
        f"integration acme cannot use secret 'token': file {path} is out of reach, it must lie in "
        f"{room}/secrets; open its directory in the settings: secrets.dirs"
    )


async def test_directory_with_a_like_name_is_outside(room):
    """A directory's name is compared whole."""
    (room / "secrets-old").mkdir()
    (room / "secrets-old" / "t").write_text(CANARY)

    assert "out of reach" in await fault_of(
        secrets_of(room), {"file": str(room / "secrets-old" / "t")}
    )


async def test_links_inside_are_followed(room):
    """What stays inside may be linked, and the directory itself may be a link (Kubernetes)."""
    (room / "secrets" / "..data").mkdir()
    (room / "secrets" / "..data" / "t").write_text("abc")
    (room / "secrets" / "t").symlink_to("..data/t")
    (room / "mount").symlink_to(room / "secrets")
    source = secrets_of(room, dirs=(str(room / "mount"),))

    found = await source.resolve("default", "acme", {"token": {"file": str(room / "mount" / "t")}})

    assert found == {"token": Secret("abc")}


async def test_relative_path_is_looked_for_in_each_directory(room):
    """The first directory that has it gives it."""
    (room / "closed" / "t").write_text("abc")
    source = secrets_of(room, dirs=(str(room / "secrets"), str(room / "closed")))

    assert await source.resolve("default", "acme", {"token": {"file": "t"}}) == {
        "token": Secret("abc")
    }


async def test_no_directory_opens_nothing(room):
    """Without directories in the settings no file may be read."""
    assert await fault_of(secrets_of(room, dirs=()), {"file": "t"}) == (
        "integration acme cannot use secret 'token': file t is out of reach, it must lie in "
        "no directory; open its directory in the settings: secrets.dirs"
    )


async def test_what_is_no_plain_small_text_is_refused(room):
    """Directories, pipes, large files and bytes that are no text are told, not read."""
    inside = room / "secrets"
    (inside / "large").write_bytes(b"x" * 65_537)
    (inside / "binary").write_bytes(b"\xff\xfe")
    (inside / "sub").mkdir()
    os.mkfifo(inside / "pipe")
    source = secrets_of(room)

    said = [await fault_of(source, {"file": name}) for name in ("large", "binary", "sub", "pipe")]

    assert [line.partition(f"{inside}/")[2] for line in said] == [
        "large is larger than 64 kB",
        "binary is not UTF-8 text",
        "sub is not a regular file",
        "pipe is not a regular file",
    ]


@pytest.mark.parametrize("name", ["", ".", "..", "a/b", "/etc/passwd", "../closed/t"])
async def test_credential_is_a_plain_name(room, name):
    """A credential's name may not lead anywhere."""
    assert await fault_of(secrets_of(room), {"credential": name}) == (
        f"integration acme cannot use secret 'token': credential {name!r} is not a file name"
    )


@pytest.mark.parametrize(
    "reference", ["plain", {}, {"env": 1}, {"store": 1}, {"env": "A", "file": "b"}, []]
)
async def test_unknown_reference_is_told(room, reference):
    """Only the three kinds of reference are known, one at a time; the value is not repeated."""
    assert await fault_of(secrets_of(room), reference) == (
        "integration acme cannot use secret 'token': its reference names no place; "
        "write {env: NAME}, {file: PATH}, {credential: NAME} or {store: NAME}"
    )


@pytest.mark.parametrize("kind", ["env", "file", "credential"])
async def test_nul_in_a_reference_is_told(room, kind):
    """A name that the system cannot even look up is a fault of the reference."""
    assert await fault_of(secrets_of(room), {kind: "KOHA_\0"}) == (
        "integration acme cannot use secret 'token': its reference holds a NUL character"
    )


def test_source_does_not_show_the_environment(room):
    """Printing the source shows no secret."""
    assert CANARY not in repr(secrets_of(room, {"KOHA_A": CANARY}))
