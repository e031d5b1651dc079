"""Paging, cursors, partitions, records and failures: each part of a stream, as it becomes ours."""

import pytest

from integrationd.config.nodes import Position, to_json
from integrationd.config.problems import Problems
from integrationd.config.yaml import FOREIGN, parse_yaml
from integrationd.importers.airbyte.provider import import_manifest
from integrationd.importers.naming import distinct, to_system, to_word
from integrationd.importers.report import Finding, Report

STREAM = """\
streams:
  - type: DeclarativeStream
    name: items
    primary_key: id
    retriever:
      requester: {url_base: "https://a.test", path: /items%s}
      record_selector: {extractor: {field_path: %s}%s}
%s
%s
"""


def stream_of(requester="", path="[]", selector="", retriever="", more=""):
    """Return what is written of one stream, from its path on; nothing may be lost."""
    retriever, more = " " * 6 + retriever, " " * 4 + more
    text = STREAM % (requester, path, selector, retriever, more)
    made = import_manifest(text.encode(), file="acme.yaml")
    assert made.losses == ()
    written = made.files["specs/acme.yaml"].partition("get: /items\n")[2]
    return "".join(f"{line[4:]}\n" for line in written.splitlines())


PAGER = (
    "paginator: {type: DefaultPaginator, page_token_option: %s, "
    "page_size_option: {inject_into: request_parameter, field_name: size}, "
    "pagination_strategy: {type: %s, page_size: 5%s}}"
)
QUERY = "{inject_into: request_parameter, field_name: at}"
SIZE = "  size:\n    into: query.size\n    value: 5\n"
EXACT = "    exact: true\n"


@pytest.mark.parametrize(
    ("option", "strategy", "rest", "paginate"),
    [
        (
            QUERY,
            "OffsetIncrement",
            ", inject_on_first_request: true",
            f"  type: offset\n  into: query.at\n{SIZE}{EXACT}",
        ),
        (
            QUERY,
            "PageIncrement",
            ", start_from_page: 1",
            f"  type: page\n  into: query.at\n  start: 1\n  send_start: false\n{SIZE}{EXACT}",
        ),
        (
            "{inject_into: body_json, field_path: [page, number]}",
            "PageIncrement",
            ", inject_on_first_request: true",
            f"  type: page\n  into: json.page.number\n  start: 0\n{SIZE}{EXACT}",
        ),
        (
            QUERY,
            "CursorPagination",
            ", cursor_value: '{{ response.next }}', stop_condition: '{{ not response.next }}'",
            f"  type: cursor\n  next: body.next\n  into: query.at\n{SIZE}",
        ),
        (
            QUERY,
            "CursorPagination",
            ", cursor_value: '{{ last_record.id }}', stop_condition: '{{ not response.more }}'",
            (
                f"""  type: cursor\n  next: "(body)[-1].id"\n  into: query.at\n{SIZE}"""
                """  stop_when: "!(body.more)"\n"""
            ),
        ),
        (
            QUERY,
            "CursorPagination",
            ", cursor_value: '{{ response.next }}', stop_condition: '{{ last_page_size < 5 }}'",
            (
                f"  type: cursor\n  next: body.next\n  into: query.at\n{SIZE}"
                '  stop_when: "length((body)) < `5`"\n'
            ),
        ),
    ],
)
def test_paginator_becomes_paginate(option, strategy, rest, paginate):
    """The walk is the same: where the token comes from, where it goes, and when it ends."""
    assert stream_of(retriever=PAGER % (option, strategy, rest)) == (
        f"paginate:\n{paginate}key: id\n"
    )


@pytest.mark.parametrize(
    ("cursor", "paginate"),
    [
        ("{{ response.next }}", "  type: next_url\n  next: body.next\n"),
        ("{{ headers['link']['next']['url'] }}", "  type: link\n"),
    ],
)
def test_url_goes_with_what_the_first_request_says(cursor, paginate):
    """The query, with the number of records in it, is sent with each URL that lacks it."""
    strategy = f', cursor_value: "{cursor}"'

    made = stream_of(retriever=PAGER % ("{type: RequestPath}", "CursorPagination", strategy))

    assert made == f"query:\n  size: 5\npaginate:\n{paginate}  with_query: true\nkey: id\n"


@pytest.mark.parametrize(
    ("path", "records"),
    [
        ("[]", ""),
        ("[data]", 'records: "body.data || `[]`"\n'),
        ("[a-b, '0']", 'records: \'body."a-b"."0" || `[]`\'\n'),
        ("['*']", 'records: "(body[*] || body.*) || `[]`"\n'),
        ("[rows, '*', node]", 'records: "(body.rows[*] || body.rows.*)[*].node || `[]`"\n'),
    ],
)
def test_place_of_the_records_is_an_expression(path, records):
    """A place that an answer lacks holds no records, as there."""
    assert stream_of(path=path) == f"paginate: none\n{records}key: id\n"


def test_list_is_read_for_each_of_its_values():
    """A value goes where the source puts it, and into the records that ask for it."""
    made = stream_of(
        retriever="partition_router: {type: ListPartitionRouter, cursor_field: Kind, values: "
        "[a, b], request_option: {inject_into: request_parameter, field_name: type}}",
        more="transformations: [{type: AddFields, fields: [{path: [kind], value: "
        '"{{ stream_slice.Kind }}"}]}]',
    )

    assert made == (
        'query:\n  type: "{{ each.kind }}"\npaginate: none\n'
        "records: \"to_array(body || `[]`)[*].merge(@, {kind: var('each.kind')})\"\n"
        "key: id\nfor_each:\n  list:\n    - a\n    - b\n  as: kind\n"
    )


def test_failures_become_rules():
    """Statuses, texts and predicates hold one for another; a wait goes with what is tried again."""
    made = stream_of(
        requester=", error_handler: {type: CompositeErrorHandler, error_handlers: [{type: "
        "DefaultErrorHandler, max_retries: 3, backoff_strategies: [{type: "
        "ConstantBackoffStrategy, backoff_time_in_seconds: 30}], response_filters: [{action: "
        "IGNORE, http_codes: [404]}, {action: FAIL, error_message_contains: it's over, "
        "error_message: 'over: {{ response.why }}'}, {action: RETRY, http_codes: [400, 401], "
        "predicate: \"{{ response.code == 'slow' }}\"}]}]}"
    )

    assert (
        made.partition("errors:\n")[2]
        == (
            '  - when: "status == `404`"\n    then: skip\n'
            "  - when: \"contains(to_string(body), 'it\\\\'s over')\"\n"
            '    then: fail\n    message: "over: {{ body.why }}"\n'
            "  - when: \"contains(`[400, 401]`, status) || (body.code == 'slow')\"\n"
            "    then: retry\n    wait: 30s\n"
            '  - when: "contains(`[429, 500, 502, 503, 504]`, status)"\n'
            "    then: wait\n    wait: 30s\n"
        )
        or "it" in made
    )


CURSOR = (
    "incremental_sync: {type: DatetimeBasedCursor, cursor_field: at, start_time_option: "
    "{inject_into: request_parameter, field_name: since}, datetime_format: '%s', "
    "start_datetime: %s%s}"
)


@pytest.mark.parametrize(
    ("pattern", "start", "rest", "incremental"),
    [
        (
            "%Y-%m-%d",
            "'2020-01-01'",
            "",
            '  start: "2020-01-01"\n  format: date\n',
        ),
        (
            "%Y-%m-%dT%H:%M:%SZ",
            "\"{{ (now_utc() - duration('P30D')).strftime('%Y-%m-%dT%H:%M:%SZ') }}\"",
            ", lookback_window: P1DT2H",
            "  start: 30d\n  lookback: 26h\n  format: iso\n",
        ),
        (
            "%Y-%m-%dT%H:%M:%SZ",
            "\"{{ day_delta(-2, '%Y') }}\"",
            ", end_datetime: \"{{ config.get('until') or now_utc() }}\", step: P1D",
            '  start: 2d\n  window:\n    step: 1d\n    end: "{{ config.until }}"\n  format: iso\n',
        ),
        (
            "%s",
            "{datetime: '2020-01-01', datetime_format: '%Y-%m-%d'}",
            ", cursor_datetime_formats: ['%ms', '%Y-%m-%d'], is_data_feed: true",
            (
                '  read:\n    - unix_ms\n    - iso\n  start: "2020-01-01"\n  format: unix\n'
                "  filter: client\n  sorted: descending\n"
            ),
        ),
    ],
)
def test_cursor_becomes_incremental(pattern, start, rest, incremental):
    """Where it begins, how it is written, how far it goes back, and where it ends."""
    made = stream_of(more=CURSOR % (pattern, start, rest))

    assert made.partition("incremental:\n")[2] == (
        f"  field: at\n  into: query.since\n{incremental}"
    )


def test_end_of_an_interval_is_read_before_it_is_written_anew():
    """A bound that goes as a number into one place goes as a date into another."""
    made = stream_of(
        requester=', request_parameters: "sort=a&day={{ '
        "format_datetime(stream_slice['start_time'], '%Y-%m-%d') }}\"",
        more=CURSOR % ("%s", "'1577836800'", ""),
    )

    assert made.partition("paginate")[0] == (
        "query:\n  sort: a\n  day: \"{{ (cursor | parse_time('unix')) | format_time('date') }}\"\n"
    )


def test_span_that_the_configuration_says_is_told_and_has_its_default():
    """The windows are those of somebody who says nothing."""
    more = CURSOR % (
        "%Y-%m-%d",
        "'2020-01-01'",
        ", step: \"P{{ config.get('days', 30) }}D\"",
    )
    text = STREAM % ("", "[]", "", "", f"    {more}")

    made = import_manifest(text.encode(), file="acme.yaml")

    assert [found.message for found in made.losses] == [
        (
            "streams[0].incremental_sync.step: the language cannot say a span of time that the "
            "configuration says yet"
        )
    ]
    assert "      window:\n        step: 30d\n" in made.files["specs/acme.yaml"]


RESET = "pagination_reset: {action: %s, limits: {number_of_records: 500}}"


def test_list_that_is_capped_begins_anew_at_its_cursor():
    """What the source takes for granted is said: older records come first."""
    cursor = CURSOR % ("%Y-%m-%d", "'2020-01-01'", "")

    made = stream_of(more=cursor, retriever=RESET % "SPLIT_USING_CURSOR")

    assert made.endswith("  format: date\n  sorted: true\n  reset_after: 500\n")


@pytest.mark.parametrize(
    ("action", "more"),
    [
        ("RESET", CURSOR % ("%Y-%m-%d", "'2020-01-01'", "")),
        ("SPLIT_USING_CURSOR", CURSOR % ("%Y-%m-%d", "'2020-01-01'", ", is_data_feed: true")),
        ("SPLIT_USING_CURSOR", ""),
    ],
)
def test_other_ways_to_begin_anew_are_told(action, more):
    """Without a cursor that rises there is no place to begin at."""
    text = STREAM % ("", "[]", "", f"      {RESET % action}", f"    {more}")

    made = import_manifest(text.encode(), file="acme.yaml")

    (told,) = made.losses
    assert told.message == (
        "streams[0].retriever.pagination_reset: the language cannot say beginning a list anew in "
        "this way yet"
    )
    assert "reset_after" not in made.files["specs/acme.yaml"]


def test_time_is_kept_within_bounds():
    """A beginning that must not be too early is the later of two."""
    start = (
        "{datetime: \"{{ config['since'] }}\", datetime_format: '%Y-%m-%d', "
        "min_datetime: '2013-01-01'}"
    )
    made = stream_of(more=CURSOR % ("%Y-%m-%d", start, ""))

    assert "  start: \"{{ [config.since, '2013-01-01'] | max }}\"\n" in made


def test_foreign_yaml_is_read_as_its_readers_do():
    """YAML 1.1 counts: words for true and false, dates as text, and the last of equal names."""
    problems = Problems()
    text = b"a: no\nb: 2020-01-01\nc: 1\nc: 2\nd: &x {e: 1}\nf: {<<: *x, g: 012}\n"

    root = parse_yaml(text, file="m.yaml", problems=problems, bounds=FOREIGN)

    assert root is not None
    assert to_json(root) == {
        "a": False,
        "b": "2020-01-01",
        "c": 2,
        "d": {"e": 1},
        "f": {"<<": {"e": 1}, "g": "012"},
    }
    assert [problem.code for problem in problems.found] == ["E104"]


def test_merged_and_overridden_fields_are_one_component():
    """A merge key and a reference lie under what is written beside them."""
    text = (
        "base: &b {url_base: 'https://a.test', http_method: POST}\n"
        "streams:\n  - name: items\n    primary_key: id\n    retriever:\n"
        "      requester: {<<: *b, path: items, request_body_json: {a: '{{ config.x }}'}}\n"
        "      record_selector: {extractor: {field_path: []}}\n"
    ).replace("  - name", "  - type: DeclarativeStream\n    name")

    made = import_manifest(text.encode(), file="acme.yaml")

    assert made.losses == ()
    assert (
        '    post: /items\n    json:\n      a: "{{ config.x }}"\n'
        in (made.files["specs/acme.yaml"])
    )


@pytest.mark.parametrize(
    ("text", "word"),
    [
        ("adGroups", "ad_groups"),
        ("Ad groups", "ad_groups"),
        ("HTTPServer", "http_server"),
        ("2fa", "value_2fa"),
        ("çé", "value"),
        ("x" * 90, "x" * 60),
    ],
)
def test_names_are_by_our_rules(text, word):
    """Small letters, digits and one stroke between them, and no longer than may be."""
    assert to_word(text) == word
    assert to_system(text, "value") == word.replace("_", "-")


def test_name_that_is_taken_gets_a_number():
    """The next one that is free."""
    assert distinct("a", ["a", "a_2"]) == "a_3"


def test_line_is_told_once_for_each_reason():
    """What is written once and used in many places is told for the first of them."""
    report, place = Report(), Position("m.yaml", 1, 1)
    for stream in range(3):
        report.lose(place, f"streams[{stream}]: no word")
    report.note(place, "streams[0]: no word")

    assert report.lines() == (
        Finding(place, "streams[0]: no word", is_loss=False),
        Finding(place, "streams[0]: no word (and in 2 more places)"),
    )
