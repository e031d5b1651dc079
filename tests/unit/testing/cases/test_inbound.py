"""Inbound calls of cases: an endpoint that verifies too little is found out."""

from dataclasses import dataclass, replace

import pytest

from integrationd.engine.world import World
from integrationd.errors import SignatureError
from integrationd.spec.build import build_bundle
from integrationd.spec.read import read_file
from integrationd.spec.settings import Settings
from integrationd.spec.source import SourceFile
from integrationd.store.sqlstore import SqlStore
from integrationd.testing.cases.book import run_virtually
from integrationd.testing.cases.clock import NOW, CaseClock, Steady
from integrationd.testing.cases.inbound import run_webhook
from integrationd.testing.cases.stand_in import Ear, MadeUpSecrets, OpenVault, ScriptedProvider
from tests.support.casebook import BOOK, LIBRARY


@dataclass(frozen=True)
class Lax:
    """Verifies one thing alone."""

    looks_at: str
    covers_body: bool = True

    def addresses(self, call, variables):
        """Need nothing."""
        return ()

    def verify(self, call, variables, now, fetched):
        """Look at the body, at a header or at the key."""
        good = {
            "body": call.body.startswith(b"{"),
            "header": "x-sign" in call.headers,
            "key": variables["secrets"]["api_key"].reveal() == "k",
        }
        if self.looks_at in good and not good[self.looks_at]:
            raise SignatureError(f"another {self.looks_at}")


def faults_of(verifier):
    """Run an inbound call against an endpoint that verifies so."""
    cases = (
        "cases: library\nwebhooks: [{name: a, endpoint: events, headers: {x-sign: s}, body: {}}]\n"
    )
    texts = {
        "library": LIBRARY,
        "book": BOOK,
        "cases": cases,
        "account": "integration: branch\n"
        "uses: library\nconfig: {base_url: https://a.test}\nsecrets: {api_key: {}}\n",
    }
    reads = [read_file(SourceFile(f"{name}.yaml", text.encode())) for name, text in texts.items()]
    bundle = build_bundle(reads, Settings())
    integration = bundle.integrations["branch"]
    endpoint = replace(integration.webhooks["events"], verify=verifier)
    integration = replace(integration, webhooks={"events": endpoint})
    (case,) = bundle.cases[0].body.webhooks
    found = []

    async def work():
        async with SqlStore.in_memory() as store:
            world = World(
                store=store,
                http=ScriptedProvider(lambda *_: None),
                secrets=MadeUpSecrets({"api_key": "k"}),
                vault=OpenVault(),
                clock=CaseClock(NOW, 0.0),
                randomness=Steady(),
                signals=Ear(),
                holder="a:b",
            )
            found.extend(await run_webhook(world, integration, case))

    run_virtually(work)
    return found


@pytest.mark.parametrize(
    ("looks_at", "told"),
    [
        ("body", ["the call without headers and parameters", "the call under another key"]),
        ("header", ["the call with another body", "the call under another key"]),
        ("key", ["the call with another body", "the call without headers and parameters"]),
    ],
)
def test_each_forgery_that_is_accepted_is_told(looks_at, told):
    """Another body, no headers, another key."""
    assert faults_of(Lax(looks_at)) == [
        f"{what} is accepted all the same, expected to be refused" for what in told
    ]


def test_body_that_is_not_signed_is_not_forged():
    """A sender that shows a token alone signs no body, and no other one is held against it."""
    told = faults_of(Lax("key", covers_body=False))

    assert told == faults_of(Lax("key"))[1:]
