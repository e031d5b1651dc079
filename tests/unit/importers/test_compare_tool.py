"""The tool that compares requests with airbyte-cdk's, as far as it goes without it."""

import json
import re
from datetime import UTC, datetime
from pathlib import Path

import pytest

from tests.importers.compare.answers import Cast
from tests.importers.compare.asked import Asked, Epoch, compare, show
from tests.importers.compare.configs import begin, build_config
from tests.importers.manifests import measure

OWN = sorted((Path(__file__).parents[2] / "importers" / "own").glob("*.yaml"))
EPOCH = Epoch(datetime(2026, 3, 1, 12, 0, tzinfo=UTC), datetime(2026, 3, 1, 12, 1, tzinfo=UTC))
URL = "https://api.test/things"


def asked(query="", body=b"", method="GET", **headers):
    """Return a request."""
    named = tuple((name.replace("_", "-"), value) for name, value in headers.items())
    return Asked(method, f"{URL}{query}", named, body)


def stream(strategy, option, **more):
    """Return a resolved manifest of one stream."""
    paginator = {
        "type": "DefaultPaginator",
        "pagination_strategy": strategy,
        "page_token_option": option,
    }
    requester = {"type": "HttpRequester", "url_base": "https://api.test", "path": "/things"}
    selector = {"extractor": {"type": "DpathExtractor", "field_path": ["data"]}}
    said = {
        "type": "DeclarativeStream",
        "name": "things",
        "primary_key": "id",
        "retriever": {
            "type": "SimpleRetriever",
            "requester": requester,
            "record_selector": selector,
            "paginator": paginator,
        },
        **more,
    }
    return {"streams": [said]}


@pytest.mark.parametrize("path", OWN, ids=lambda path: path.stem)
def test_our_own_manifests_are_imported_whole(path):
    """Nothing is left unsaid, and `check` finds nothing."""
    outcome = measure(path)

    assert outcome.imported is not None
    assert [str(finding) for finding in outcome.imported.losses] == []
    assert outcome.errors == ()


def test_requests_that_mean_the_same_are_the_same():
    """The order of parameters, the way they are encoded and what a client adds do not count."""
    one = asked("?a=1&b=x%20y", user_agent="one", accept="*/*", x_key="k")
    other = asked("?b=x+y&a=1", user_agent="other", X_Key="k")

    assert show(one, EPOCH) == show(other, EPOCH)


@pytest.mark.parametrize(
    "other",
    [asked("?a=2"), asked("?a=1&a=1"), asked("?a=1", x_key="k"), asked("?a=1", method="POST")],
    ids=["value", "twice", "header", "method"],
)
def test_requests_that_differ_are_told(other):
    """Each side's own stand in the difference."""
    difference = compare([asked("?a=1")], [other], EPOCH)

    assert not difference.is_none
    assert (len(difference.theirs), len(difference.ours), difference.same) == (1, 1, 0)


def test_request_that_they_make_again_is_no_difference():
    """They read a child again where a parent gives a record twice; ours that are more do count."""
    assert compare([asked(), asked()], [asked()], EPOCH).is_none
    assert compare([asked(), asked()], [asked()], EPOCH).again == 1
    assert not compare([asked()], [asked(), asked()], EPOCH).is_none


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("2026-03-01T12:00:07Z", "2026-03-01T12:00:52Z", True),
        ("2026-02-01T12:00:07Z", "2026-02-01T12:00:52Z", True),
        ("2026-02-01T12:00:07Z", "2026-02-02T12:00:07Z", False),
        ("2026-03-01T00:00:00Z", "2026-03-01T00:00:01Z", False),
        ("1772366407", "1772366452", True),
        ("1772366407000", "1772366407", False),
        ("2026-03-01T12:00:07Z", "2026-03-01T12:00:07.000Z", False),
    ],
)
def test_present_time_is_the_same_for_both(one, other, same):
    """Both run one after the other; what is no present time is compared to the second."""
    left, right = show(asked(f"?t={one}"), EPOCH), show(asked(f"?t={other}"), EPOCH)

    assert (left == right) is same


def test_configuration_fits_its_specification():
    """Constants, choices, patterns, dates and numbers are as the specification wants them."""
    made = build_config(
        {
            "required": ["start_date", "kind", "key"],
            "properties": {
                "start_date": {"type": "string", "pattern": r"^\d{4}-\d\d-\d\dT00:00:00Z$"},
                "end_date": {"type": "string", "format": "date"},
                "kind": {
                    "oneOf": [
                        {
                            "properties": {
                                "type": {"const": "a"},
                                "n": {"minimum": 9, "type": "integer"},
                            }
                        }
                    ]
                },
                "key": {"type": "string"},
                "site": {"type": ["null", "string"], "enum": ["eu"]},
                "on": {"type": "boolean"},
            },
        },
        "",
    )

    assert made == {
        "start_date": f"{begin():%Y-%m-%dT%H:%M:%SZ}",
        "kind": {"type": "a", "n": 9},
        "key": "key-1",
        "site": "eu",
        "on": True,
    }


def test_list_has_a_full_page_and_a_last_one():
    """A page holds as many as the paginator says, the next one record; behind it is nothing."""
    option = {"type": "RequestOption", "inject_into": "request_parameter", "field_name": "page"}
    strategy = {"type": "PageIncrement", "page_size": 3, "start_from_page": 1}
    cast = Cast(stream(strategy, option), {})

    counts = []
    for query in ("", "?page=2", "?page=3"):
        status, _, body = cast.answer(asked(query), "things")
        counts.append((status, len(json.loads(body)["data"])))

    assert counts == [(200, 3), (200, 1), (200, 0)]


@pytest.mark.parametrize(
    ("value", "stop", "first", "last"),
    [
        ("{{ response.next }}", None, "tok2", None),
        ("{{ response.page + 1 }}", "{{ response.page >= response.pages }}", 1, None),
        ("{{ response.paging.next }}", "{{ not response.paging.more }}", "tok2", None),
    ],
)
def test_answers_suit_the_templates_of_a_paginator(value, stop, first, last):
    """The first page has what leads on, the last one has not."""
    option = {"type": "RequestOption", "inject_into": "request_parameter", "field_name": "after"}
    strategy = {"type": "CursorPagination", "cursor_value": value, "stop_condition": stop}
    cast = Cast(stream(strategy, option), {})
    path = re.findall(r"response\.([a-z.]+)", value)[0].split(".")

    found = []
    for query in ("", "?after=tok2"):
        here = json.loads(cast.answer(asked(query), "things")[2])
        for step in path:
            here = here.get(step)
        found.append(here)

    assert found == [first, last]


def test_call_of_no_stream_gets_a_token():
    """Whoever logs in is let in, by whatever names the manifest has for it."""
    manifest = stream({"type": "PageIncrement"}, {})
    manifest["auth"] = {"type": "OAuthAuthenticator", "access_token_name": "key"}

    _, _, body = Cast(manifest, {}).answer(Asked("POST", "https://login.test/", (), b""), "things")

    assert json.loads(body)["key"] == "access-1"
