"""Played records go through their mapping: cleaned, translated and valid."""

import pytest

from integrationd.engine.plans import build_plan
from integrationd.errors import UsageError
from integrationd.testing.options import PlayOptions
from integrationd.transform.shape import Shaped
from tests.support.players import player_of, walk

LIBRARY = """\
integration: library
http: {base_url: http://player.test/v1}
streams:
  patrons: {get: /patrons, records: body.data, key: id, paginate: none, mapping: library.patron}
"""


def read(mapping, **files):
    """Play 40 patrons, five of them bad, and shape them as the engine does."""
    options = PlayOptions(records=40, bad=5)
    player, shaped = player_of(LIBRARY, options, mapping=mapping, **files), Shaped()
    records = [record for page in walk(player, "patrons") for record in page]
    build_plan(player.integration, "patrons").shaper.shape(records, {"config": {}}, shaped)
    return shaped


def test_played_values_are_fit_for_their_cleaners():
    """Whatever the fields are called, an address is one: nothing but the bad ones is lost."""
    shaped = read(
        "mapping: library.patron\nentity: patron\nrequired: [a, b, c, d]\nfields:\n"
        "  a: {path: first_contact, clean: [email]}\n"
        "  b: {path: second_contact, clean: [trim, {phone: DE}]}\n"
        "  c: {path: favourite, clean: [isbn, empty]}\n"
        "  d: {path: remark, clean: [html, spaces, {max_length: 30}]}\n"
    )

    assert (len(shaped.upserts), len(shaped.aside)) == (35, 5)
    assert (shaped.tally.cleaned, shaped.tally.dropped) == (0, 0)


def test_played_records_suit_their_schema():
    """Choices, types, formats and bounds of the entity are kept, so that nothing is set aside."""
    entity = """\
entity: patron
schema:
  required: [number, name]
  properties:
    number: {type: string, maxLength: 8}
    name: {type: string, minLength: 30}
    status: {enum: [active, "5", null]}
    kind: {const: person}
    born: {type: string, format: date}
    seen: {type: [string, "null"], format: date-time}
    mail: {type: string, format: email}
    page: {$ref: "#/$defs/page"}
    fines: {type: integer, minimum: 5, maximum: 9}
    ratio: {type: number, maximum: 1}
    child: {type: boolean}
    tags: {type: array}
    note: {type: "null"}
    more: {type: object}
  $defs: {page: {type: string, format: uri}}
"""
    declared = entity.partition("  properties:\n")[2].partition("  $defs")[0].splitlines()
    names = [line.partition(":")[0].strip() for line in declared]
    fields = "".join(f"  {name}: x.{name}\n" for name in names)

    shaped = read(
        f"mapping: library.patron\nentity: patron\nrequired: [number]\nfields:\n{fields}",
        entity=entity,
    )

    assert (len(shaped.upserts), len(shaped.aside)) == (35, 5)
    assert {item.code for item in shaped.aside} == {"required"}


def test_a_schema_that_cannot_be_suited_is_told():
    """A pattern is not guessed: who plays is told which field came out unfit."""
    entity = "entity: patron\nschema: {properties: {code: {pattern: '^[A-Z]{9}$'}}}\n"
    mapping = "mapping: library.patron\nentity: patron\nfields: {code: code}\n"

    with pytest.raises(UsageError) as caught:
        read(mapping, entity=entity)

    assert str(caught.value) == (
        "stream 'patrons' cannot be played: field 'code': expected text that matches '^[A-Z]{9}$'"
    )


LINES = """\
integration: shop
http: {base_url: http://player.test/v1}
streams:
  lines:
    get: /orders
    records: body.orders
    explode: {path: lines, as: line, keep: {order_id: id}%s}
    key: [order_id, line.id]
    paginate: none
"""


def test_records_are_listed_inside_of_what_they_are_taken_from():
    """A played order has its line where the spec looks for it."""
    player = player_of(LINES % "", PlayOptions(records=3))

    orders = [record for page in walk(player, "lines") for record in page]

    explode = player.integration.streams["lines"].explode
    assert explode.apply(orders, {}) == [entry.data for entry in player.sources["lines"].entries]
    assert all(len(order["lines"]) == 1 for order in orders)


def test_positions_are_not_played():
    """It is told, as a record that is played stands alone in its list."""
    with pytest.raises(UsageError) as caught:
        player_of(LINES % ", position: at", PlayOptions(records=3))

    assert str(caught.value) == (
        "stream 'lines' cannot be played: 'explode' has 'position', which played records do not "
        "have"
    )


ENROLMENT = """\
mapping: library.patron
entity: loan
lookups: {item: {entity: loan, external_id: item_id, required: true}}
fields: {item: var('lookups.item.id'), name: name}
required: [item]
"""


def test_records_name_what_is_looked_up():
    """Whether it is stored is not for a provider to know; that it is named is."""
    player = player_of(LIBRARY, PlayOptions(records=3, bad=0), mapping=ENROLMENT)

    patrons = [record for page in walk(player, "patrons") for record in page]

    assert all(patron["item_id"] for patron in patrons)
