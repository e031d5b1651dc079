"""What becomes of values that come from elsewhere: parents' fields, schemas, feeds, answers."""

from pathlib import Path

import pytest
import yaml

from integrationd.importers.airbyte.provider import import_manifest

OWN = Path(__file__).parents[2] / "importers" / "own"


def streams(name):
    """Return the streams of one of our own manifests, of which nothing is lost."""
    made = import_manifest((OWN / f"{name}.yaml").read_bytes(), file=f"{name}.yaml")
    assert [str(finding) for finding in made.losses] == []
    return yaml.safe_load(made.files[f"specs/{name}.yaml"])["streams"]


def test_further_fields_of_a_parent_are_carried():
    """`extra_fields` that a transformation adds to each record come from the parent's."""
    assert streams("substreams")["with_extra_fields"]["for_each"] == {
        "stream": "boards",
        "value": "id",
        "carry": {"board_name": "name", "board_owner": "owner.id"},
        "as": "id",
    }


def test_parent_in_several_partitions_is_several_parents():
    """A card of two boards is read for each of them; a stream without children keeps its key."""
    made = streams("substreams")

    assert made["cards"]["key"] == ["var('each.board_id')", "id"]
    assert made["comments"]["key"] == "id"


def test_list_and_its_changes_are_one_stream():
    """What is asked while there is no state is the stream's request, the other one its feed."""
    made = streams("feeds")["tickets"]

    assert made["get"] == "/tickets"
    assert made["incremental"] == {
        "field": "updated",
        "into": "query.since",
        "read": "unix",
        "format": "unix",
    }
    assert made["feed"] == {
        "get": "/changes",
        "from": "records",
        "paginate": "none",
        "records": "body.data || `[]`",
        "keeps": "30d",
    }


def test_values_are_made_to_fit_the_schema():
    """`schema_normalization` is the last thing that is done to a record."""
    records = streams("templates")["typed"]["records"]

    assert records == (
        "to_array(body || `[]`)[?state != 'gone'].fit(@, "
        '`{"id": "integer", "state": "string", "created": "string", '
        '"tags": [{"name": "string"}], "inner": {"a": "string"}}`)'
    )


@pytest.mark.parametrize(
    ("action", "then"),
    [("SUCCESS", "accept"), ("IGNORE", "skip"), ("RETRY", "retry")],
)
def test_action_of_a_filter_is_what_then_says(action, then):
    """Each has a word."""
    written = (OWN / "templates.yaml").read_text()
    assert f"action: {action}" in written

    rules = streams("templates")["chosen"]["errors"]

    assert then in [rule["then"] for rule in rules]
