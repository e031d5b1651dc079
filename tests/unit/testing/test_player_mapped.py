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
