"""Manifests of the low-code language as providers: whole files, and the whole report."""

import textwrap

import pytest

from integrationd.bundles.checking import check_paths
from integrationd.bundles.shipped import shipped_dirs
from integrationd.importers.airbyte.parts import ManifestError
from integrationd.importers.airbyte.provider import import_manifest

HEAD = """\
# Made of acme.yaml, a manifest of Airbyte's low-code language; no schedule is said yet.
# Check it, say 'schedule' in the integration, and keep what you change here.
"""


def imported(text):
    """Import a manifest."""
    return import_manifest(textwrap.dedent(text).encode(), file="acme.yaml")


def provider(text):
    """Return the file that came of it, without its first two lines; it has no errors."""
    made = imported(text)
    assert list(made.files) == ["specs/acme.yaml"]
    head, _, rest = made.files["specs/acme.yaml"].partition("provider: ")
    assert head == HEAD
    return f"provider: {rest}"


def report(text):
    """Return the report."""
    return [str(finding) for finding in imported(text).findings]


SHOP = """\
version: 6.0.0
definitions:
  requester:
    type: HttpRequester
    url_base: "https://{{ config['shop'] }}.test/api/"
    authenticator:
      type: BearerAuthenticator
      api_token: "Key {{ config['credentials']['apiKey'] }}"
  orders:
    type: DeclarativeStream
    name: Orders
    primary_key: [id]
    $parameters:
      path: orders
    retriever:
      requester:
        $ref: "#/definitions/requester"
        path: "/{{ parameters.path }}"
        request_parameters: {state: any, limit_to: "{{ config.get('limit') }}"}
      record_selector:
        extractor: {field_path: [data, orders]}
        record_filter: {condition: "{{ record.total > 0 }}"}
      paginator:
        type: DefaultPaginator
        page_token_option: {inject_into: request_parameter, field_name: page}
        page_size_option: {inject_into: request_parameter, field_name: size}
        pagination_strategy:
          {type: PageIncrement, page_size: 50, start_from_page: 1, inject_on_first_request: true}
    incremental_sync:
      type: DatetimeBasedCursor
      cursor_field: updated
      datetime_format: "%Y-%m-%dT%H:%M:%SZ"
      start_datetime: "{{ config['since'] }}"
      end_datetime: "{{ now_utc().strftime('%Y-%m-%dT%H:%M:%SZ') }}"
      step: P7D
      cursor_granularity: PT1S
      lookback_window: PT1H
      start_time_option: {inject_into: request_parameter, field_name: from}
      end_time_option: {inject_into: request_parameter, field_name: to}
  lines:
    type: DeclarativeStream
    name: orderLines
    primary_key: [[order, id], [id]]
    retriever:
      requester:
        $ref: "#/definitions/requester"
        path: "orders/{{ stream_partition.order_id }}/lines"
      record_selector: {extractor: {field_path: []}}
      partition_router:
        type: SubstreamPartitionRouter
        parent_stream_configs:
          - {parent_key: id, partition_field: order_id, stream: {$ref: "#/definitions/orders"}}
    transformations:
      - {type: AddFields, fields: [{path: [order_no], value: "{{ stream_partition.order_id }}"}]}
      - {type: AddFields, fields: [{path: [sum], value: "{{ record.price.amount }}"}]}
      - {type: RemoveFields, field_pointers: [[price], [notes]]}
streams: ["#/definitions/orders", "#/definitions/lines"]
check: {type: CheckStream, stream_names: [Orders]}
spec:
  type: Spec
  documentation_url: https://docs.acme.test/
  connection_specification:
    title: Acme Source Spec
    type: object
    required: [shop, since]
    properties:
      shop: {type: string, title: Shop, order: 0}
      since: {type: string, format: date-time, description: "From <b>when</b> on"}
      limit: {type: integer}
      unused: {type: string}
      credentials:
        type: object
        properties:
          apiKey: {type: string, airbyte_secret: true, title: API key}
"""

SHOP_PROVIDER = """\
provider: acme
title: Acme
docs: https://docs.acme.test/

config:
  shop:
    type: string
    description: Shop
  since:
    type: string
    format: date-time
    description: From when on
  limit:
    type:
      - integer
      - "null"
    default: null

secrets:
  api_key:
    description: API key

http:
  base_url: "https://{{ config.shop }}.test/api"
  auth:
    type: bearer
    token: "Key {{ secrets.api_key }}"

probe:
  get: /orders
  query:
    state: any
    limit_to: "{{ config.limit }}"

streams:
  # streams[0], line 10
  orders:
    get: /orders
    query:
      state: any
      limit_to: "{{ config.limit }}"
    paginate:
      type: page
      into: query.page
      start: 1
      size:
        into: query.size
        value: 50
        exact: true
    records: "body.data.orders || `[]`"
    key: id
    where: "total > `0`"
    incremental:
      field: updated
      into: query.from
      start: "{{ config.since }}"
      window:
        step: 1w
        into: query.to
        granularity: 1s
      lookback: 1h
      format: iso

  # streams[1], line 41
  order_lines:
    get: "/orders/{{ each.order_id }}/lines"
    paginate: none
    records: "to_array(body || `[]`)[*].merge(@, {sum: price.amount})REMOVED"
    key:
      - order.id
      - id
    for_each:
      stream: orders
      value: id
      as: order_id
      carry:
        order_no: id
""".replace("REMOVED", ".from_items(items(@)[?!contains(['price', 'notes'], [0])])")


def test_manifest_becomes_a_provider():
    """References, parameters, default kinds, paging, windows, parents, fields: all in one file."""
    assert provider(SHOP) == SHOP_PROVIDER


def test_what_nothing_uses_is_a_note():
    """A value that no request needs is declared nowhere, so that nobody is asked for it."""
    told = "spec: nothing here uses config.unused, so that nobody is asked for it"

    assert report(SHOP) == [f"acme.yaml:60:3: note: {told}"]


def test_translation_is_loadable(tmp_path):
    """``check`` finds nothing wrong."""
    path = tmp_path / "specs" / "acme.yaml"
    path.parent.mkdir()
    path.write_text(imported(SHOP).files["specs/acme.yaml"])

    assert check_paths(tmp_path, shipped=shipped_dirs()).problems == ()


def test_translation_is_the_same_each_time():
    """Nothing hangs on the order of a set or on the hour."""
    assert imported(SHOP) == imported(SHOP)


def one_stream(more="", *, retriever="", requester=""):
    """Return a manifest of one stream."""
    return f"""\
streams:
  - type: DeclarativeStream
    name: items
    primary_key: id
    retriever:
      type: SimpleRetriever
      requester: {{type: HttpRequester, url_base: "https://a.test", path: /items{requester}}}
      record_selector: {{type: RecordSelector, extractor: {{type: DpathExtractor, field_path: []}}}}
{textwrap.indent(textwrap.dedent(retriever), " " * 6)}
{textwrap.indent(textwrap.dedent(more), " " * 4)}
"""


def test_unknown_and_misplaced_names_are_notes():
    """Airbyte passes over them too, so nothing is lost; where one belongs is told."""
    text = one_stream("primry_key: id", requester=", request_params: {a: 1}, page_size: 3")

    requester = "streams[0].retriever.requester"
    ignored = "Airbyte does nothing with it"
    homes = "CursorPagination, OffsetIncrement, PageIncrement"
    assert report(text) == [
        (
            f"acme.yaml:7:82: note: {requester} has 'request_params', which is no field of "
            f"HttpRequester; {ignored}; was 'request_parameters' meant?"
        ),
        (
            f"acme.yaml:7:106: note: {requester} has 'page_size', which is no field of "
            f"HttpRequester; {ignored}; it is one of {homes}"
        ),
        (
            "acme.yaml:10:5: note: streams[0] has 'primry_key', which is no field of "
            f"DeclarativeStream; {ignored}; was 'primary_key' meant?"
        ),
    ]


@pytest.mark.parametrize(
    ("text", "told"),
    [
        pytest.param(
            one_stream(retriever="decoder: {type: CustomDecoder, class_name: a.b.Odd}"),
            "acme.yaml:9:16: unsaid: streams[0].retriever.decoder: CustomDecoder Odd is code, "
            "which is not read here",
            id="code",
        ),
        pytest.param(
            one_stream(
                retriever="paginator: {type: DefaultPaginator, pagination_strategy: "
                "{type: CursorPagination, cursor_value: '{{ response.next }}'}}"
            ),
            "acme.yaml:9:18: unsaid: streams[0].retriever.paginator: the language cannot say a "
            "place in the list that is sent nowhere yet",
            id="no word yet",
        ),
        pytest.param(
            one_stream(requester=', request_headers: {x: "{{ response.a }}"}'),
            "acme.yaml:7:103: unsaid: streams[0].retriever.requester.request_headers.x: a request "
            "cannot use what an answer holds (body)",
            id="template",
        ),
        pytest.param(
            one_stream("transformations: [{type: FlattenFields}]"),
            "acme.yaml:10:23: unsaid: streams[0].transformations[0]: FlattenFields is not known "
            "here",
            id="kind",
        ),
    ],
)
def test_what_cannot_be_said_is_told_with_its_place(text, told):
    """One line each; the stream itself is written all the same."""
    made = imported(text)

    assert [str(finding) for finding in made.losses] == [told]
    assert made.streams == ("items",)


def test_what_is_lost_stands_beside_the_stream():
    """Who reads the file sees what it does not do."""
    text = one_stream(retriever="decoder: {type: CustomDecoder, class_name: a.b.Odd}")

    assert provider(text).partition("streams:\n")[2] == (
        "  # streams[0], line 2\n"
        "  # unsaid, line 9: streams[0].retriever.decoder: CustomDecoder Odd is code, which is not "
        "read here\n"
        "  items:\n"
        "    get: /items\n"
        "    paginate: none\n"
        "    key: id\n"
    )


def test_stream_that_our_reader_refuses_is_left_out_with_its_children():
    """The file is loadable whatever happens; the reason is our reader's."""
    paging = (
        "paginator: {type: DefaultPaginator, page_token_option: {inject_into: request_parameter, "
        "field_name: page}, pagination_strategy: {type: PageIncrement, "
        "inject_on_first_request: true}}"
    )
    text = one_stream(retriever=paging, requester=", request_parameters: {page: 1}") + (
        "  - type: DeclarativeStream\n"
        "    name: parts\n"
        "    primary_key: id\n"
        "    retriever:\n"
        "      requester: {url_base: 'https://a.test', path: '/{{ stream_slice.id }}'}\n"
        "      record_selector: {extractor: {field_path: []}}\n"
        "      partition_router: {type: SubstreamPartitionRouter, parent_stream_configs: "
        "[{parent_key: id, partition_field: id, stream: '#/streams/0'}]}\n"
    )

    made = imported(text)

    twice = "query.page is set twice, by streams.items.query and by paginate"
    why = f"the stream 'items' is left out: {twice}; give one of them another place"
    assert made.streams == ()
    assert [str(finding) for finding in made.findings] == [
        f"acme.yaml:2:5: unsaid: streams[0]: {why}",
        "acme.yaml:11:5: unsaid: streams[1]: the stream 'parts' is left out: it needs 'items'",
    ]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("- a", "acme.yaml: no manifest, expected an object with 'streams'"),
        ("a: 1", "acme.yaml: no manifest, expected an object with 'streams'"),
        ('streams: ["#/a"]', "acme.yaml:1:11: the reference '#/a' leads nowhere"),
        (
            'a: "#/b"\nb: "#/a"\nstreams: ["#/a"]',
            "acme.yaml:2:4: the reference leads back to itself",
        ),
    ],
)
def test_file_that_is_no_manifest_is_refused(text, message):
    """The first thing that is wrong is told with its place."""
    with pytest.raises(ManifestError) as caught:
        imported(text)

    assert str(caught.value) == message
