"""A stream made ready: which records a page has, what is asked first, what may be called."""

from datetime import timedelta

import pytest

from integrationd.engine.plans import base_call, bounds_of, first_request
from integrationd.engine.policies import http_policy
from integrationd.errors import PageShapeError, RefusedError
from integrationd.model.secret import Secret
from integrationd.ports.outside import HttpPolicy
from integrationd.spec.settings import Defaults, Settings, SizeLimits
from tests.support.fakes import START
from tests.support.worlds import plan_of

SPEC = """\
integration: shop
config: {host: "API.test", proxy: "http://proxy.test:3128"}
http:
  base_url: "https://{{ config.host }}/v1"
%s
streams:
  orders: {get: /orders, key: id, paginate: {type: none}%s}
"""
VARIABLES = {"config": {"host": "API.test", "proxy": "http://proxy.test:3128"}, "secrets": {}}


def plan_with(stream="", http=""):
    """Compile the one stream."""
    return plan_of(SPEC % (http, stream), "orders")


@pytest.mark.parametrize(
    ("records", "body", "found"),
    [
        pytest.param("", [{"id": 1}], [{"id": 1}], id="body is a list"),
        pytest.param(", records: body.data", {"data": []}, [], id="empty list"),
        pytest.param(", records: body.data", {"data": {"id": 1}}, [{"id": 1}], id="one object"),
        pytest.param(", records: 'body.data || `[]`'", {}, [], id="absence is normal"),
        pytest.param("", None, [], id="no body"),
        pytest.param(", records: body.data", None, [], id="no body to look into"),
    ],
)
def test_records_of_a_page_are_found(records, body, found):
    """A list is the records, and an object that was pointed at is one record."""
    assert plan_with(records).records_of({"body": body}) == found


def test_records_are_found_with_what_the_stream_knows():
    """The configuration and the values that it is read for each of go into the records."""
    each = ", for_each: {list: [north], as: site}"
    laid = "body[*].merge(@, {site: var('each.site'), from: var('config.host')})"
    plan = plan_with(f'{each}, records: "{laid}"')

    found = plan.records_of({"body": [{"id": 1}]}, {**VARIABLES, "each": {"site": "north"}})

    assert found == [{"id": 1, "site": "north", "from": "API.test"}]


@pytest.mark.parametrize(
    ("records", "body", "message"),
    [
        ("", {"id": 1}, "records: body found an object, expected a list"),
        (
            ", records: body.data",
            {"data": None},
            (
                "records: body.data found nothing, expected a list; "
                "write 'body.data || `[]`' where that is normal"
            ),
        ),
        (", records: body.data", {"data": "x"}, "records: body.data found text, expected a list"),
        (", records: body.data", {"data": 1}, "records: body.data found a number, expected a list"),
        (
            ", records: body.data",
            {"data": False},
            "records: body.data found true or false, expected a list",
        ),
        (
            ", records: body.data",
            {"data": 1.5},
            "records: body.data found a number, expected a list",
        ),
    ],
)
def test_page_without_a_list_fails(records, body, message):
    """What was found is said in words, and how to write it where nothing is normal."""
    with pytest.raises(PageShapeError) as caught:
        plan_with(records).records_of({"body": body})

    assert str(caught.value) == message


def test_first_request_of_a_full_reading_has_no_bound():
    """The cursor's place is left out while there is none, and filled where there is one."""
    plan = plan_with(", incremental: {field: at, into: query.since, type: number}")
    base = base_call(plan.http, VARIABLES)

    full = first_request(plan, base, VARIABLES, bounds_of(plan, None, START))
    later = first_request(plan, base, VARIABLES, bounds_of(plan, 17, START))

    assert (full.url, full.query) == ("https://API.test/v1/orders", ())
    assert later.query == (("since", "17"),)


def test_bound_in_a_json_body_is_rendered_as_its_spec_says():
    """``json:`` of the cursor says how the bound is written where it stands in a body."""
    incremental = '{field: at, into: json.filter, type: number, json: {gte: "{{ cursor }}"}}'
    stream = f", incremental: {incremental}".replace("get", "post")
    plan = plan_of(
        (SPEC % ("", stream)).replace("get: /orders", "post: /orders, json: {a: 1}"), "orders"
    )

    request = first_request(
        plan, base_call(plan.http, VARIABLES), VARIABLES, bounds_of(plan, 17, START)
    )

    assert request.body.value == {"a": 1, "filter": {"gte": 17}}


def test_policy_takes_the_defaults_of_the_settings():
    """Only the host of the base URL may be called, in lower case."""
    plan = plan_with()

    policy = http_policy(plan.integration, base_call(plan.http, VARIABLES), Settings(), VARIABLES)

    assert policy == HttpPolicy(
        hosts=frozenset({"api.test"}),
        connect_timeout=timedelta(seconds=10),
        read_timeout=timedelta(seconds=30),
        total_timeout=timedelta(seconds=30),
        response_max_bytes=16_000_000,
    )


def test_policy_takes_what_the_integration_says():
    """Its own words win over the settings, and no part waits longer than the whole."""
    plan = plan_with(
        http="""\
  timeout: 4s
  hosts: [Files.test, "*.cdn.test"]
  proxy: "{{ config.proxy }}"
  max_response: 2MB
  limits: {concurrency: 2}
  tls: {ca: /etc/ssl/own.pem}
"""
    )
    settings = Settings(
        defaults=Defaults(timeout=timedelta(seconds=9)), limits=SizeLimits(response=5)
    )

    policy = http_policy(plan.integration, base_call(plan.http, VARIABLES), settings, VARIABLES)

    assert policy == HttpPolicy(
        hosts=frozenset({"api.test", "files.test", "*.cdn.test"}),
        connect_timeout=timedelta(seconds=4),
        read_timeout=timedelta(seconds=4),
        total_timeout=timedelta(seconds=4),
        response_max_bytes=2_000_000,
        ca_file="/etc/ssl/own.pem",
        proxy="http://proxy.test:3128",
        concurrency=2,
    )


@pytest.mark.parametrize("host", ["", "["], ids=["none", "broken"])
def test_base_url_without_a_host_is_refused(host):
    """A configured host that is empty or broken is said before anything is called."""
    plan = plan_with()
    variables = {**VARIABLES, "config": {"host": host}}

    with pytest.raises(RefusedError) as caught:
        http_policy(plan.integration, base_call(plan.http, variables), Settings(), variables)

    assert str(caught.value) == (
        "http.base_url has no host, expected an address such as https://example.org"
    )


def test_secret_proxy_is_handed_on_in_the_clear():
    """The transport gets the proxy's address with its password, and nobody else sees it."""
    plan = plan_with(http='  proxy: "{{ config.proxy }}"')
    variables = {**VARIABLES, "config": {"host": "api.test", "proxy": Secret("http://u:p@p.test")}}

    policy = http_policy(plan.integration, base_call(plan.http, variables), Settings(), variables)

    assert policy.proxy == "http://u:p@p.test"
