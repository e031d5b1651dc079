"""Operations and the probe of a played provider: answered as their outputs expect, and seen."""

from __future__ import annotations

import json

import pytest

from integrationd.engine.plans import base_call
from integrationd.model.secret import Secret
from integrationd.wire.call import build_request
from tests.support.players import ask, player_of, walk

SHOP = """\
integration: shop
secrets: {token: {}}
http:
  base_url: http://player.test/v1
  auth: {type: bearer, token: "{{ secrets.token }}"}
probe: {get: /me}
streams:
  orders:
    get: /orders
    records: body.data
    key: id
    paginate: none
    mapping: order
operations:
  read_order:
    {get: "/orders/{{ input.id }}", input: {id: {type: string}}, output: {name: body.name}}
  add_order:
    post: /orders
    input: {name: {type: string}, note: {type: [string, "null"], default: null}}
    json: {name: "{{ input.name }}", note: "{{ input.note }}"}
    output: {id: body.id}
  rename: {patch: "/orders/{{ input.id }}", input: {id: {type: string}, name: {type: string}},
    json: {name: "{{ input.name }}"}}
  drop: {delete: "/orders/{{ input.id }}", input: {id: {type: string}}}
  price:
    get: /prices
    input: {of: {type: string}, currency: {type: [string, "null"], default: null}}
    query: {of: "{{ input.of }}", currency: "{{ input.currency }}"}
    output: {of: body.price.of, amount: body.price.amount}
"""
ORDER = "mapping: order\nentity: order\nfields: {name: name}\n"


def call(player, name, /, **given):
    """Call an operation of a player; returns its status and what the output finds."""
    operation = player.integration.operations[name]
    given = {key: given.get(key) for key in operation.input.schemas}
    variables = {**player.variables, "input": given}
    base = base_call(player.integration.http, player.variables)
    answer = ask(player, build_request(operation, base=base, variables=variables))
    body = json.loads(answer.body) if answer.body else None
    reply = {"status": answer.status, "headers": dict(answer.headers), "body": body}
    found = None if operation.output is None else operation.output.read(reply, variables)
    return int(answer.status), found


def names(player):
    """Return the names of the orders as a reading finds them."""
    return {record["id"]: record["name"] for page in walk(player, "orders") for record in page}


@pytest.fixture
def player():
    """Play the shop."""
    return player_of(SHOP, mapping=ORDER)


def test_everything_is_played(player):
    """Five operations, the probe and the stream."""
    assert player.unplayed == {}
    assert [scene.name for scene in player.scenes] == [
        "orders",
        *("operation read_order", "operation add_order", "operation rename", "operation drop"),
        *("operation price", "probe"),
    ]


def test_record_is_read_by_its_id(player):
    """What one call gives is what the list has; an unknown one is refused."""
    listed = names(player)

    assert call(player, "read_order", id="7") == (200, {"name": listed[7]})
    assert call(player, "read_order", id="700") == (404, {"name": None})


def test_what_is_written_is_read_afterwards(player):
    """A new record comes into the list, another name stands in it, a dropped record leaves it."""
    before = names(player)

    status, made = call(player, "add_order", name="Ann")
    call(player, "rename", id="3", name="Bea")
    call(player, "drop", id="4")

    after = names(player)
    assert (status, made) == (200, {"id": 26})
    assert after == {**{key: name for key, name in before.items() if key != 4}, 3: "Bea", 26: "Ann"}


def test_what_is_about_no_record_is_made_up(player):
    """An output finds what was given by its name, and else something; inputs may be missing."""
    assert call(player, "price", of="tea") == (200, {"of": "tea", "amount": "played-amount"})
    assert call(player, "price", of="tea", currency="eur")[0] == 200


def test_probe_is_held_to_the_credentials(player):
    """As every other call."""
    base = base_call(player.integration.http, player.variables)
    request = build_request(player.integration.probe, base=base, variables=player.variables)

    assert ask(player, request).status == 200
    player.secrets = {"token": Secret("other").reveal()}
    assert player.variables["secrets"]["token"].reveal() == "other"
