"""Played records go through their mapping: cleaned, translated and valid."""

from integrationd.engine.plans import build_plan
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
