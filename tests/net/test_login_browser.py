"""``auth login --open``: a browser is started when it can come back."""

import sys
import webbrowser

from integrationd.cli.logging_in import Login, Manner
from integrationd.ports.consent import LoginWish

DONE = {
    "event": "finished",
    "integration": "crm",
    "status": "done",
    "error": "",
    "kind": "",
    "scopes": None,
    "missing_scopes": [],
    "remark": "",
}
BROWSER = "import sys, urllib.request as u; print(u.urlopen(sys.argv[1]).status)"
"""Comes back at once, and does not return before it has an answer."""


class Provider:
    """One where consent was given before: its page leads back without a question."""

    def __init__(self):
        self.answers = []

    async def login(self, wish):
        """Begin a login, or end it."""
        if wish.answer is not None:
            self.answers.append(wish.answer.reveal())
            yield DONE
            return
        redirect = f"http://127.0.0.1:{wish.port}/callback"
        opened = {"address": f"{redirect}?state=s&code=c", "redirect": redirect}
        yield {"event": "open", "integration": "crm", **opened, "expires_in_s": 900}


async def test_browser_that_comes_back_at_once_is_heard(monkeypatch, tmp_path):
    """It is started behind the listener, and holds nothing up."""
    program = tmp_path / "browser.py"
    program.write_text(BROWSER)
    monkeypatch.setattr(webbrowser, "_tryorder", None)  # so that it looks at BROWSER once more
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    monkeypatch.setenv("BROWSER", f"{sys.executable} {program} %s")
    provider = Provider()
    manner = Manner(as_json=False, listens=True, opens=True, patience_s=20)

    assert await Login(provider, LoginWish(integration="crm"), manner).perform()

    (answer,) = provider.answers
    assert answer.endswith("/callback?state=s&code=c")
