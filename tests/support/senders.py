"""How senders sign, as an administrator writes it: the data of the tests of verification."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from integrationd.config.decode import Kinds, Site, decode
from integrationd.config.problems import Problems
from integrationd.config.yaml import parse_yaml
from integrationd.model.secret import Secret
from integrationd.wire.alternatives import VERIFY_KINDS
from integrationd.wire.messages import Call

VECTORS = Path(__file__).parents[3] / "shared" / "data" / "webhook-vectors.json"
SENDERS_FILE = Path(__file__).with_name("senders.yaml")


def _read_senders():
    problems = Problems()
    text = SENDERS_FILE.read_bytes()
    node = parse_yaml(text, file="senders.yaml", problems=problems)
    found = {
        name: decode(entry, object, Site(problems, f"senders.{name}").noted(Kinds(VERIFY_KINDS)))
        for name, entry in node.entries.items()
    }
    assert [str(problem) for problem in problems.found] == []
    return found


SENDERS = _read_senders()
"""The verifiers of ``senders.yaml`` by the names that they have there."""
OF_VECTORS = {
    "github-docs": "github",
    "github-octokit-1": "github",
    "github-octokit-2": "github",
    "stripe-dotnet": "stripe",
    "slack-docs": "slack",
    "square-1": "square",
    "razorpay-python": "razorpay",
    "twilio-form": "twilio",
    "twilio-form-duplicates": "twilio",
    "twilio-form-array": "twilio",
    "twilio-https-port-stripped": "twilio",
    "svix-1": "svix",
    "webhook-1": "standard-webhooks",
    "webhook-2": "standard-webhooks",
    "cloudinary-java-sha1": "cloudinary-sha1",
    "cloudinary-java-sha256": "cloudinary-sha256",
    "shopify-node": "shopify",
    "mailgun-json": "mailgun",
    "vonage-sms-md5hash": "vonage-md5hash",
    "vonage-sms-md5": "vonage-md5",
    "sendgrid-single": "sendgrid",
    "sns-v1": "sns",
    "paypal-python": "paypal",
    "rfc9421-b21": "http-signature-bare",
    "rfc9421-b23": "http-signature",
    "plain-hex": "plain",
    "plain-sha256-prefix": "plain-prefix",
}
"""Which of them a published vector is held against."""


def decode_verifier(text):
    """Decode the YAML of a verifier; return it with what was told."""
    problems = Problems()
    node = parse_yaml(text.encode(), file="specs/acme.yaml", problems=problems)
    site = Site(problems, "webhooks.events.verify").noted(Kinds(VERIFY_KINDS))
    made = decode(node, object, site)
    return made, [str(problem) for problem in problems.found]


def verifier_of(text):
    """Decode what is known to be right."""
    verifier, told = decode_verifier(text)
    assert told == []
    return verifier


def load_vectors():
    """Read the published vectors; where they are not there, one that is skipped says so."""
    if not VECTORS.exists():
        return [pytest.param(None, marks=pytest.mark.skip(reason=f"{VECTORS} is not there"))]
    found = json.loads(VECTORS.read_text(encoding="utf-8"))
    return [pytest.param(item, id=item["id"]) for item in found if item["id"] in OF_VECTORS]


def call_of(vector, **changes):
    """Build the inbound call of a vector; its fields may be others."""
    given = {**vector, **changes}
    url = given["url"]
    path, _, query = url.partition("://")[2].partition("?")
    pairs = [part.partition("=")[::2] for part in query.split("&") if part]
    return Call(
        method=given["method"],
        url=url,
        path="/" + path.partition("/")[2],
        query=tuple(pairs),
        headers={name.lower(): value for name, value in given["headers"].items()},
        body=given["body"] if isinstance(given["body"], bytes) else given["body"].encode(),
    )


def variables_of(vector, key=None):
    """Build what templates see: the vector's secret or public key, and what it is configured by."""
    text = key or vector.get("secret") or vector.get("public_key") or ""
    return {
        "config": {"public_key": vector.get("public_key", ""), **vector.get("params", {})},
        "secrets": {"key": Secret(text)} if text else {},
    }
