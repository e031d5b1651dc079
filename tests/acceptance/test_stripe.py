"""Stripe's customers, read from localstripe with the shipped spec alone."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest

pytestmark = [pytest.mark.acceptance, pytest.mark.needs("localstripe")]

SECRET_KEY = "sk_test_integrationd"
FORM = "application/x-www-form-urlencoded"


@pytest.fixture
def stripe(open_api: Any) -> Iterator[Any]:
    """Provide the program, started for this test."""
    launcher = Path(__file__).with_name("localstripe_launcher.py")
    process = subprocess.Popen([sys.executable, launcher], stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    try:
        port = int(process.stdout.readline())
        yield open_api(f"http://127.0.0.1:{port}", {"authorization": f"Bearer {SECRET_KEY}"})
    finally:
        process.kill()
        process.wait()
        process.stdout.close()


def customers(api: Any) -> dict[str, Any]:
    """Return what the program says, in the shape of our mapping; asked for one page of its own."""
    listed = api.call("GET", "/v1/customers?limit=100")
    found = listed["data"]
    while listed["has_more"]:
        listed = api.call("GET", f"/v1/customers?limit=100&starting_after={found[-1]['id']}")
        found += listed["data"]
    return {customer["id"]: _mapped(customer) for customer in found}


def _mapped(customer: dict[str, Any]) -> dict[str, Any]:
    created = datetime.fromtimestamp(customer["created"], tz=UTC)
    names = ("name", "email", "phone", "description", "currency", "delinquent", "metadata")
    return {
        **{name: customer[name] for name in names},
        # localstripe says account_balance, as Stripe did before 2019.
        "balance_minor": customer.get("balance"),
        "created_at": created.isoformat().replace("+00:00", "Z"),
    }


def test_customers_equal_what_the_program_says(installation, stripe):
    """500 customers arrive in 5 pages; 20 changed ones are all that the next run writes."""
    for number in range(500):
        fields = {
            "name": f"Şahin {number}",
            "email": f"c{number}@example.org",
            "phone": f"+1555{number:07d}",
            "description": f"{number:05d}",
            "metadata[number]": f"{number:05d}",
        }
        stripe.call("POST", "/v1/customers", urlencode(fields).encode(), FORM)
    installation.env["INTEGRATIOND_SECRET_PAYMENTS__API_KEY"] = SECRET_KEY
    installation.write(
        "integrations/payments.yaml",
        f"integration: payments\nuses: stripe\nconfig: {{base_url: '{stripe.base_url}'}}\n",
    )

    first = installation.sync("payments/customers")
    rows = installation.rows("payments/customers")

    assert (first["added"], first["pages"], first["requests"]) == (500, 5, 5)
    assert rows == customers(stripe)
    assert len(rows) == 500

    for customer_id in sorted(rows)[:20]:
        change = {"email": f"{customer_id}@example.net"}
        stripe.call("POST", f"/v1/customers/{customer_id}", urlencode(change).encode(), FORM)
    second = installation.sync("payments/customers")

    names = ("added", "changed", "unchanged", "deleted", "quarantined")
    assert [second[name] for name in names] == [0, 20, 480, 0, 0]
    assert installation.rows("payments/customers") == customers(stripe)


def test_customer_is_created_by_an_operation(installation, stripe):
    """The probe is done, the form arrives letter by letter, and the program has the customer."""
    installation.env["INTEGRATIOND_SECRET_PAYMENTS__API_KEY"] = SECRET_KEY
    installation.write(
        "integrations/payments.yaml",
        f"integration: payments\nuses: stripe\nconfig: {{base_url: '{stripe.base_url}'}}\n",
    )

    probed = installation.run("check", "--connect", "payments")
    made = installation.run(
        "call", "payments", "create_customer", "name=Şahin & Söhne", "email=a+b@example.org"
    )

    assert (probed.returncode, made.returncode) == (0, 0), probed.stderr + made.stderr
    output = json.loads(made.stdout)
    assert (output["name"], output["email"]) == ("Şahin & Söhne", "a+b@example.org")
    assert stripe.call("GET", f"/v1/customers/{output['id']}")["name"] == "Şahin & Söhne"
