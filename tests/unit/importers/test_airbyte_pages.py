"""Parameters of the first page alone, and of all others."""

import pytest
import yaml

from integrationd.importers.airbyte.provider import import_manifest

PAGED = (
    "{type: DefaultPaginator, page_token_option: {inject_into: request_parameter, "
    "field_name: scroll}, pagination_strategy: {type: %s}}"
)
CURSOR = PAGED % 'CursorPagination, cursor_value: "{{ response.next }}"'
NUMBERS = PAGED % "PageIncrement, page_size: 3, inject_on_first_request: true"


def imported(requester="", retriever="", paginator=CURSOR):
    """Import a manifest of one stream; returns the stream and what was lost."""
    text = f"""\
streams:
  - type: DeclarativeStream
    name: items
    primary_key: id
    retriever:
      requester: {{url_base: "https://a.test", path: /items{requester}}}
      record_selector: {{extractor: {{field_path: []}}}}
      paginator: {paginator}
{retriever}"""
    made = import_manifest(text.encode(), file="acme.yaml")
    losses = [loss.message for loss in made.losses]
    return yaml.safe_load(made.files["specs/acme.yaml"])["streams"].get("items"), losses


@pytest.mark.parametrize(
    ("said", "written"),
    [
        ("'a' if not next_page_token", "{{ 'a' if page.first else none }}"),
        ("'a' if next_page_token", "{{ 'a' if not page.first else none }}"),
        ("'a' if not next_page_token else 'b'", "{{ 'a' if page.first else 'b' }}"),
        ("'a' if next_page_token['next_page_token']", "{{ 'a' if not page.first else none }}"),
        ("'a' if next_page_token is none", "{{ 'a' if page.first else none }}"),
        ("'a' if next_page_token == none", "{{ 'a' if page.first else none }}"),
        ("'a' if next_page_token != none", "{{ 'a' if not page.first else none }}"),
        ("'a' if not next_page_token else ''", "{{ 'a' if page.first else none }}"),
        ("not next_page_token", "{{ 'True' if page.first else 'False' }}"),
        ("'a' if next_page_token is defined", "a"),
    ],
)
def test_condition_on_the_token_is_one_on_the_page(said, written):
    """The token is null for the first page, and so is always defined."""
    stream, losses = imported(f', request_parameters: {{x: "{{{{ {said} }}}}"}}')

    assert losses == []
    assert stream["query"] == {"x": written}


def test_first_page_that_has_a_token_is_like_the_others():
    """With inject_on_first_request the variable is an object from the beginning."""
    condition = ", request_parameters: {x: \"{{ 'a' if next_page_token else 'b' }}\"}"

    stream, losses = imported(condition, paginator=NUMBERS)

    assert losses == []
    assert stream["query"] == {"x": "a"}


def test_token_inside_a_text_is_told():
    """It goes where paging puts it, and nowhere else."""
    _, losses = imported(", request_parameters: {x: \"a{{ next_page_token['next_page_token'] }}\"}")

    (told,) = losses
    assert told.endswith("request_parameters.x: the token of the next page beside something else")


ONCE = "      ignore_stream_slicer_parameters_on_paginated_requests: true\n"
ROUTER = (
    "      partition_router: {type: ListPartitionRouter, values: [a], cursor_field: kind, "
    "request_option: {inject_into: %s}}\n"
)
SINCE = """\
    incremental_sync:
      type: DatetimeBasedCursor
      cursor_field: at
      datetime_format: "%s"
      start_datetime: "0"
      start_time_option: {inject_into: request_parameter, field_name: since}
"""


def test_values_of_a_partition_may_go_with_the_first_page_alone():
    """Without the switch they go with each."""
    router = ROUTER % "request_parameter, field_name: kind"

    once, lost = imported(retriever=router + ONCE)
    always, _ = imported(retriever=router)

    assert lost == []
    assert once["query"] == {"kind": "{{ each.kind if page.first else omit }}"}
    assert always["query"] == {"kind": "{{ each.kind }}"}


def test_ends_of_an_interval_may_go_with_the_first_page_alone():
    """`into` would send them with each page."""
    end = (
        "      step: P1D\n      cursor_granularity: PT1S\n"
        "      end_time_option: {inject_into: request_parameter, field_name: until}\n"
    )

    once, lost = imported(retriever=ONCE + SINCE)
    both, also = imported(retriever=ONCE + SINCE + end)

    assert (lost, also) == ([], [])
    assert once["query"] == {"since": "{{ cursor if page.first else omit }}"}
    assert "into" not in once["incremental"]
    assert both["query"] == {
        "since": "{{ window.start if page.first else omit }}",
        "until": "{{ window.end if page.first else omit }}",
    }
    assert "into" not in both["incremental"]["window"]


def test_body_that_would_be_empty_afterwards_is_told():
    """The source sends none then, and an empty object is sent here."""
    _, losses = imported(", http_method: POST", ROUTER % "body_json, field_name: kind" + ONCE)

    (told,) = losses
    assert "cannot say a body, or an object in one, that the pages after the first" in told
