"""Lists inside records that give the records."""

import pytest

from integrationd.config.nodes import Position, to_json
from integrationd.config.problems import Problems
from integrationd.config.yaml import parse_yaml
from integrationd.importers.airbyte.provider import import_manifest
from integrationd.transform.expression import Expression


def imported(more=""):
    """Import a stream of the items in `lines.data` of each of `orders`."""
    text = f"""\
streams:
  - type: DeclarativeStream
    name: items
    primary_key: id
    retriever:
      requester: {{url_base: "https://a.test", path: /items}}
      record_selector:
        extractor:
          field_path: [orders]
          record_expander: {{expand_records_from_field: [lines, data]{more}}}
"""
    return import_manifest(text.encode(), file="acme.yaml")


def test_list_inside_each_record_gives_the_records():
    """The items of all of them, one after the other; a record without the list gives none."""
    made = imported()
    root = parse_yaml(made.files["specs/acme.yaml"].encode(), file="a", problems=Problems())
    assert root is not None
    written = to_json(root)["streams"]["items"]["records"]
    records = Expression.parse(written, Position("a", 1, 1))
    orders = [{"lines": {"data": [{"id": 1}, {"id": 2}]}}, {}, {"lines": {"data": [{"id": 3}]}}]

    assert records.search({"body": {"orders": orders}}) == [{"id": 1}, {"id": 2}, {"id": 3}]
    assert records.search({"body": {"orders": orders[0]}}) == [{"id": 1}, {"id": 2}]
    assert records.search({"body": {}}) == []
    assert made.losses == ()


@pytest.mark.parametrize(
    "more",
    [
        ", remain_original_record: true",
        ", on_no_records: emit_parent",
        ", parent_fields_to_copy: [{source_field_path: [id], target_field: order}]",
    ],
)
def test_list_inside_each_record_with_more_is_told(more):
    """What goes with the items stands outside of them."""
    (told,) = imported(more).losses

    assert told.message.endswith("cannot say a nested list that becomes records in this way yet")
