"""Lists that discover: names of streams, and the integration with all of them."""

import re
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from integrationd.model.objects import Found
from integrationd.spec.discovered import NAME_MAX, expand, list_objects, safe_name
from integrationd.spec.names import WORD_NAME
from tests.support.worlds import bundle_of

SPEC = """\
integration: crm
config: {prefix: x}
http: {base_url: "https://api.test", paginate: none}
streams:
  tables:
    get: /tables
    key: id
    schedule: 1d
    discover:
      name: "{{ object.name }}"
      max: 3
      stream:
        get: "/tables/{{ object.id }}"
        records: "body[].merge(@, {table: var('object.id')})"
        key: id
        schedule: 1h
%s
  users: {get: /users, key: id}
operations:
  find: {get: /find}
"""


def integration(more=""):
    """Compile the integration."""
    return bundle_of(crm=SPEC % more).integrations["crm"]


def names(listing):
    """Return the streams by their objects' keys; those that are gone in brackets."""
    return {one.key: one.stream if one.listed else f"({one.stream})" for one in listing.found}


def look(*living, known=(), more=""):
    """Hold records against what is known."""
    rows = [(key, {"id": key, "name": name}) for key, name in living]
    return list_objects(integration(more), "tables", rows, known)


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("Contacts", "contacts"),
        ("Account__c", "account__c"),
        ("Open Deals (2)!", "open_deals_2"),
        ("Schüler & Café", "schuler_cafe"),
        ("2024", "tables_2024"),
        ("_private_", "private"),
        ("顧客", "tables_10220a3a"),
        ("x" * 100, "x" * 63),
    ],
)
def test_name_becomes_one_that_a_stream_can_have(text, name):
    """Letters lose their accents, other signs become underscores; one without any gets a digest."""
    assert safe_name(text, "tables", "7") == name


@given(text=st.text(), key=st.text(), prefix=st.from_regex(WORD_NAME.pattern, fullmatch=True))
def test_any_text_makes_a_name(text, key, prefix):
    """Whatever a provider calls its tables."""
    assert re.fullmatch(WORD_NAME.pattern, safe_name(text, prefix, key))


def test_first_of_two_has_the_name():
    """The other ones get a number, also beside what the files call so."""
    listing = look(("1", "Leads"), ("2", "leads!"), ("3", "users"))

    assert names(listing) == {"1": "leads", "2": "leads_2", "3": "users_2"}
    assert names(look(("1", "find"), ("2", "tables"))) == {"1": "find_2", "2": "tables_2"}


def test_object_keeps_its_stream_under_another_name():
    """It is known by its key; a new one of the old name is another stream."""
    before = look(("2", "Leads"))
    after = look(("1", "Leads"), ("2", "Prospects"), known=before.found)

    assert names(after) == {"2": "leads", "1": "leads_2"}
    assert after.found[0].data == {"id": "2", "name": "Prospects"}


def test_object_that_is_gone_keeps_its_name_and_comes_back_to_it():
    """What it was is known; nobody else gets its name."""
    before = look(("1", "Leads"), ("2", "Deals"))
    gone = look(("2", "Deals"), ("3", "Leads"), known=before.found)
    back = look(("1", "Leads"), ("2", "Deals"), known=gone.found)

    assert names(gone) == {"1": "(leads)", "2": "deals", "3": "leads_2"}
    assert gone.found[0].data == {"id": "1", "name": "Leads"}
    assert names(back) == {"1": "leads", "2": "deals", "3": "(leads_2)"}


def test_names_of_another_list_are_taken():
    """All streams of an integration have names of their own."""
    other = Found(of="views", key="1", stream="leads", data=None)

    assert names(look(("1", "Leads"), known=[other])) == {"1": "leads_2"}


def test_no_more_streams_than_allowed():
    """Those that have one keep it; what is left is counted, and told with what to do."""
    before = look(("5", "Five"))
    listing = look(
        ("1", "One"), ("2", "Two"), ("3", "Three"), ("4", "Four"), ("5", "Five"), known=before.found
    )

    assert names(listing) == {"5": "five", "1": "one", "2": "two"}
    assert "; ".join(listing.remarks) == (
        "2 more objects are listed than 'discover.max' allows; they have no stream; leave out "
        "some with 'where', or raise it"
    )


def test_object_whose_name_a_file_takes_is_told():
    """It keeps its name, is not read and not counted; one that is gone needs no word."""
    known = look(("1", "Leads"), ("2", "Deals")).found
    taken = "  leads: {get: /leads, key: id}\n  deals: {get: /deals, key: id}"
    listing = look(("1", "Leads"), ("3", "Other"), known=known, more=taken)

    assert listing.remarks == (
        (
            "object 1 has the stream 'leads', a name that a file gives to something of its own by "
            "now, so the object is not read; call that otherwise"
        ),
    )
    assert names(listing) == {"1": "leads", "2": "(deals)", "3": "other"}
    assert listing.streams == {"other"}


def test_object_without_a_name_has_no_stream():
    """An empty name leaves it out; one that cannot be made is told."""
    rows = [("1", {"name": ""}), ("2", {"name": None}), ("3", {}), ("4", {"name": "Four"})]
    listing = list_objects(integration(), "tables", rows, [])

    assert names(listing) == {"4": "four"}
    assert listing.remarks == (
        "object 3: 'object.name' has no value; supply it, or add | default(…)",
    )


def test_what_is_said_of_no_object_is_told():
    """Once something was found; before, nothing is known."""
    more = "      streams: {leeds: {schedule: 5m}, leads: {schedule: 5m}}"

    assert look(more=more).remarks == ()
    assert look(("1", "Leads"), more=more).remarks == (
        "'discover.streams' names what no object is called: leeds",
    )


def test_each_object_has_a_stream():
    """With an entity of its own; one of which more is said has that laid over."""
    more = "      streams: {leads: {enabled: false}, deals: {schedule: 5m, key: [id, table]}}"
    listing = look(("1", "Leads"), ("2", "Deals"), ("3", "Other"), more=more)
    found = expand(integration(more), {"tables": listing})

    assert list(found.streams) == ["tables", "users", "leads", "deals", "other"]
    assert [found.streams[name].enabled for name in ("leads", "deals", "other")] == [
        False,
        True,
        True,
    ]
    assert str(found.streams["deals"].schedule) == "5m"
    assert found.fingerprints["deals"].identity == '{"entity": "crm.deals", "key": ["id", "table"]}'
    assert (found.entity_of("other"), found.objects["other"].key) == ("crm.other", "3")


def test_object_that_is_gone_has_a_stream_that_is_not_read():
    """Its records can be looked at."""
    listing = look(known=look(("1", "Leads")).found)

    assert not expand(integration(), {"tables": listing}).streams["leads"].enabled


def test_name_that_a_file_takes_later_is_the_files():
    """What was discovered under it steps back."""
    listing = look(("1", "Leads"))
    text = SPEC.replace("  users: {get: /users, key: id}", "  leads: {get: /leads, key: id}") % ""
    found = expand(bundle_of(crm=text).integrations["crm"], {"tables": listing})

    assert (list(found.streams), found.objects) == (["tables", "leads"], {})


def test_only_what_is_used_of_an_object_counts():
    """A list tells how many rows there are, which changes nothing of what is asked."""
    listing = look(("1", "Leads"))

    def prints(**data):
        found = replace(listing.found[0], data={"id": "1", "name": "Leads", **data})
        listed = replace(listing, found=(found,))
        return expand(integration(), {"tables": listed}).fingerprints["leads"]

    assert prints(rows=5) == prints(rows=6)
    assert prints(id="2").reading != prints().reading
    assert prints(id="2").shape != prints().shape
    assert prints(id="2").identity == prints().identity


def test_list_is_not_read_anew_for_what_is_made_of_it():
    """What its streams say has nothing to do with its own records."""
    other = integration("      streams: {leads: {enabled: false}}")

    assert integration().fingerprints["tables"] == other.fingerprints["tables"]


def test_mapping_with_an_entity_is_shared():
    """All streams that are made with it have the same entity."""
    text = SPEC.replace("schedule: 1h", "mapping: row") % ""
    row = "mapping: row\nentity: thing\nfields: {id: id}\n"
    found = expand(
        bundle_of(crm=text, row=row).integrations["crm"], {"tables": look(("1", "Leads"))}
    )

    assert found.entity_of("leads") == "thing"


def test_integration_says_more_over_its_provider():
    """Objects by key, as everything else."""
    provider = SPEC.replace("integration: crm", "provider: crm").replace(
        "config: {prefix: x}", "config: {prefix: {type: string}}"
    )
    own = """\
integration: main
uses: crm
config: {prefix: z}
streams: {tables: {schedule: 2d, discover: {max: 9, streams: {leads: {enabled: false}}}}}
"""
    compiled = bundle_of(crm=provider % "", main=own).integrations["main"]
    rule = compiled.streams["tables"].discover

    assert (rule.max, rule.stream.enabled, rule.special["leads"].enabled) == (9, True, False)
    assert str(compiled.streams["tables"].schedule) == "2d"


def test_long_names_that_collide_stay_short_enough():
    """The number takes the place of the last signs."""
    listing = look(("1", "x" * 80), ("2", "x" * 90))

    assert names(listing) == {"1": "x" * NAME_MAX, "2": f"{'x' * (NAME_MAX - 2)}_2"}
