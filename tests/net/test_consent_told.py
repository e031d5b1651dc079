"""What commands say of a consent that is missing, given, narrower than the file, or taken back."""

import asyncio
import json

import pytest

from integrationd.cli.main import cli, run_command
from integrationd.daemon.offline import offline
from integrationd.daemon.paths import Paths
from integrationd.engine.renewal import KEPT_AS
from integrationd.model.secret import Secret
from integrationd.wire.grants import Kept
from tests.support.consenting import BROWSER, SECRETS
from tests.support.granting import account_of

KEY = bytes(range(32)).hex()
NONE_YET = (
    "integration acme has no consent yet; a person gives it with: integrationd auth login acme"
)
SPEC = BROWSER.replace("{client_secret: {}}", "{client_secret: {env: INTEGRATIOND_SECRET_CS}}")


class Place:
    """A configuration and a state directory, and commands on them in this process."""

    def __init__(self, root, capsys):
        self.root, self.capsys = root, capsys
        self.file = root / "config" / "integrations" / "acme.yaml"

    def run(self, *words):
        """Run a command: exit code, stdout, stderr."""
        places = ["--config", str(self.root / "config"), "--state", str(self.root / "state")]
        code = run_command(
            lambda: cli.main([*places, *words], prog_name="integrationd", standalone_mode=False)
        )
        return (code, *self.capsys.readouterr())

    def consent(self):
        """Have consent given, as a login leaves it."""
        _, account = account_of(SPEC)
        terms = account.auth.terms({"config": {}, "secrets": {"client_secret": Secret("x")}})
        kept = Kept(
            refresh=Secret("r1"), origin=terms.origin, scopes=terms.scopes, consented_at=86_400.0
        )

        async def put():
            async with offline(Paths(self.root / "config", self.root / "state")) as actions:
                vault = actions._parts.vault
                await vault.put("default", "acme", KEPT_AS, kept.to_secret())

        asyncio.run(put())


@pytest.fixture
def place(tmp_path, capsys, monkeypatch):
    """Give a place with one integration, its secret and a master key."""
    made = Place(tmp_path, capsys)
    made.file.parent.mkdir(parents=True)
    made.file.write_text(SPEC)
    (tmp_path / "state").mkdir(mode=0o700)
    monkeypatch.delenv("CREDENTIALS_DIRECTORY", raising=False)
    monkeypatch.setenv("INTEGRATIOND_MASTER_KEY", KEY)
    monkeypatch.setenv("INTEGRATIOND_SECRET_CS", SECRETS["client_secret"])
    return made


def test_missing_consent_is_told_everywhere(place):
    """By `check --env`, `status`, `explain` and `doctor`, each with the command that helps."""
    checked = place.run("check", "--env")
    _, status, _ = place.run("status")
    _, explained, _ = place.run("explain", "acme/orders")
    _, found, _ = place.run("doctor")

    assert checked == (
        78,
        f"integrations/acme.yaml: {NONE_YET}\n",
        "1 files, 0 errors, 0 warnings, 0 secrets missing, 1 consents missing\n",
    )
    assert f"acme: error\n  last error: {NONE_YET}\n" in status
    assert f"consent: {NONE_YET}\n" in explained
    assert f"bad   consent: {NONE_YET}\n      log in with: integrationd auth login acme\n" in found


def test_consent_that_was_given_is_told(place):
    """When it was; and which scopes the file has got since."""
    place.consent()
    given = place.run("check", "--env")
    place.file.write_text(SPEC.replace("[read, offline]", "[read, offline, write]"))
    remark = (
        "the consent was given without the scope write; where that is wanted: "
        "integrationd auth login acme"
    )

    wider = place.run("check", "--env")
    _, status, _ = place.run("status")
    _, explained, _ = place.run("explain", "acme/orders")

    assert (given[0], wider[0]) == (0, 0)
    assert "acme: testing\n" in status
    assert f"  consent: given at 1970-01-02T00:00:00.000Z\n    {remark}\n" in status
    assert f"consent: given at 1970-01-02T00:00:00.000Z; {remark}\n" in explained


def test_consent_can_be_taken_back(place):
    """Forgotten here, it is missing again."""
    place.consent()

    removed = place.run("secret", "remove", "acme", "oauth2.token")

    assert removed == (0, "removed: secret oauth2.token of acme\n", f"{NONE_YET}\n")
    assert place.run("check", "--env")[0] == 78


@pytest.mark.parametrize(
    ("words", "change", "code", "message"),
    [
        (("acne",), ("", ""), 2, "no integration 'acne'; did you mean 'acme'?"),
        (
            ("acme", "--tenant", "north"),
            ("", ""),
            2,
            "integration 'acme' is of tenant 'default', not 'north'",
        ),
        (
            ("acme",),
            ("type: oauth2", "type: none}"),
            2,
            (
                "integration 'acme' asks no person: only oauth2 with the grant authorization_code "
                "or device_code does"
            ),
        ),
        (
            ("acme", "--timeout", "1h"),
            ("", ""),
            2,
            "--timeout is '1h', expected a duration up to 15m such as 10m",
        ),
        (("acme", "--timeout", "x"), ("", ""), 2, None),
    ],
    ids=["name", "tenant", "kind", "long", "span"],
)
def test_login_that_cannot_begin_is_told(place, words, change, code, message):
    """Nobody is sent anywhere."""
    if change[0]:
        place.file.write_text(SPEC.partition("  auth:")[0] + "streams: {a: {get: /a, key: id}}\n")
        place.file.write_text(place.file.read_text().replace("secrets", "# secrets"))

    done = place.run("auth", "login", *words)

    assert done[:2] == (code, "")
    if message is not None:
        assert done[2] == f"integrationd: {message}\n"


def test_login_without_a_master_key_says_how_to_have_one(place, monkeypatch):
    """It is a matter of configuration."""
    monkeypatch.delenv("INTEGRATIOND_MASTER_KEY")

    code, out, err = place.run("auth", "login", "acme")

    assert (code, out) == (78, "")
    assert err == (
        "integrationd: integration acme needs the consent of a person, and what comes of that "
        "could not be kept: the encrypted store has no master key; give it one, as 'integrationd "
        "secret set' tells\n"
    )


def test_status_has_it_for_programs(place):
    """As JSON, beside all else."""
    place.consent()

    _, out, _ = place.run("status", "--json")

    assert json.loads(out)["integrations"][0]["consent"] == {
        "given_at": "1970-01-02T00:00:00.000Z",
        "problem": "",
        "remark": "",
    }
