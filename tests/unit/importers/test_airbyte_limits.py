"""Budgets of manifests: rates of all calls, of some paths, and what they cost."""

import pytest

from integrationd.config.nodes import to_json
from integrationd.config.problems import Problems
from integrationd.config.yaml import parse_yaml
from integrationd.importers.airbyte.provider import import_manifest

STREAM = """\
streams:
  - type: DeclarativeStream
    name: items
    primary_key: id
    retriever:
      requester: {url_base: "https://a.test", path: /items}
      record_selector: {extractor: {field_path: []}}
"""


@pytest.mark.parametrize(
    ("policies", "rate", "losses"),
    [
        (
            "{type: FixedWindowCallRatePolicy, period: PT1M, call_limit: 9, matchers: []}",
            "9/min",
            0,
        ),
        (
            (
                "{type: MovingWindowCallRatePolicy, rates: [{limit: 5, interval: PT10S}], "
                "matchers: [{url_path_pattern: '.*'}]}"
            ),
            "5/10s",
            0,
        ),
        (
            (
                "{type: MovingWindowCallRatePolicy, rates: [{limit: 5, interval: PT1S}], matchers: "
                "[{params: {a: b}}]}"
            ),
            "",
            1,
        ),
    ],
)
def test_budget_for_every_call_is_a_rate(policies, rate, losses):
    """One that is for some paths alone is told."""
    text = STREAM + f"api_budget: {{policies: [{policies}]}}\n"

    made = import_manifest(text.encode(), file="acme.yaml")

    assert len(made.losses) == losses
    assert (f"  limits:\n    rate: {rate}\n" in made.files["specs/acme.yaml"]) == bool(rate)


MOVING = "{type: MovingWindowCallRatePolicy, rates: [%s], matchers: [%s]}"


@pytest.mark.parametrize(
    ("pattern", "shape"),
    [
        ("/items", "/items"),
        ("^/v1/items$", "/items"),
        ("/v1/items$", "/items"),
        ("^/v1/other/[^/]+/lines$", "/other/*/lines"),
        (r"^/v1/a\\.b/.*", "/a.b/**"),
        ("/v1/files/.*$", "/files/**"),
        # Not all that it fits can be said by one of ours.
        ("^/items$", None),
        ("/item", None),
        ("/v1/.*", None),
        ("^/v1/(a|b)$", None),
    ],
)
def test_limit_of_a_path_fits_what_is_asked(pattern, shape):
    """A pattern is one below the address; one that fits more of what is asked is told."""
    policy = MOVING % ("{limit: 5, interval: PT1S}", f'{{url_path_pattern: "{pattern}"}}')
    made = budgeted(f"policies: [{policy}]")

    root = parse_yaml(made.files["specs/acme.yaml"].encode(), file="a", problems=Problems())
    assert root is not None
    said = to_json(root)["http"].get("limits")
    assert said == (None if shape is None else {"paths": {shape: {"rate": "5/s"}}})
    assert len(made.losses) == (shape is None)


def budgeted(budget):
    """Import a stream of `https://a.test/v1/items` with a budget."""
    text = STREAM.replace("https://a.test", "https://a.test/v1") + f"api_budget: {{{budget}}}\n"
    return import_manifest(text.encode(), file="acme.yaml")


def test_budget_of_several_policies_becomes_limits():
    """Rates, a method's path with its cost, and the headers that tell what is left."""
    rates = "{limit: 9, interval: PT1S}, {limit: 99, interval: PT1H}"
    paths = MOVING % ("{limit: 5, interval: PT1M}", "{url_path_pattern: '/items$', method: GET}")
    costs = MOVING % (rates, "{url_path_pattern: '^/v1/sum$', weight: 7}, {}")
    made = budgeted(
        f"policies: [{paths}, {costs}], ratelimit_reset_header: X-Reset, "
        "ratelimit_remaining_header: Left"
    )

    assert made.losses == ()
    assert [finding.message for finding in made.findings] == [
        "api_budget: what limits.paths names counts for limits.rate as well"
    ]
    assert (
        "  limits:\n"
        "    rate:\n"
        "      - 9/s\n"
        "      - 99/h\n"
        "    paths:\n"
        "      get /items:\n"
        "        rate: 5/min\n"
        "      /sum:\n"
        "        cost: 7\n"
        "    learn:\n"
        "      remaining: headers.left\n"
        "      reset:\n"
        '        value: headers."x-reset"\n'
        "        format: unix\n"
    ) in made.files["specs/acme.yaml"].replace("'", "")


@pytest.mark.parametrize(
    ("policies", "reason"),
    [
        (
            MOVING
            % ("{limit: 5, interval: PT1S}", "{url_path_pattern: /a}, {url_path_pattern: /b}"),
            "one limit that several paths share",
        ),
        (
            "{type: UnlimitedCallRatePolicy, matchers: [{url_path_pattern: /a}]}, "
            + MOVING % ("{limit: 5, interval: PT1S}", ""),
            "calls that no limit is for, beside those of a rate",
        ),
        (
            MOVING % ("{limit: 5, interval: \"{{ config['x'] }}\"}", ""),
            "a limit that is made so",
        ),
    ],
)
def test_limits_that_cannot_be_said_are_told(policies, reason):
    """Each says why."""
    made = budgeted(f"policies: [{policies}]")

    (told,) = made.losses
    assert told.message.endswith(f": the language cannot say {reason} yet")
