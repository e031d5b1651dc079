"""A provider made ready to be played: its configuration, its address and what people are told."""

from __future__ import annotations

import pytest

from integrationd.bundles.scan import Scanner, find_shipped_roots
from integrationd.bundles.shipped import shipped_dirs
from integrationd.errors import UsageError
from integrationd.spec.settings import Settings
from integrationd.spec.source import SourceFile
from integrationd.testing.options import PlayOptions
from integrationd.testing.stage import base_url_of, stage
from integrationd.testing.telling import describe_stage, lines_of
from tests.support.players import ORIGIN, play_integration, player_of

SHIPPED = [
    found.source for found in Scanner(find_shipped_roots(shipped_dirs())).scan().files.values()
]

WHERE = "    where it is called demo-library, as the variable INTEGRATIOND_SECRET_DEMO_LIBRARY__"

ASKING = """\
provider: asking
config:
  base_url: {type: string, format: uri}
  account: {type: string}
  region: {enum: [eu, us]}
  pages: {type: integer}
  strict: {type: boolean}
  size: {type: integer, default: 7}
http: {base_url: "{{ config.base_url }}/v2/{{ config.account }}", paginate: none}
streams: {things: {get: /things, key: id}}
"""
FIXED = """\
provider: fixed
http: {base_url: "https://api.example.com/v3", paginate: none}
streams: {things: {get: /things, key: id}}
"""


def staged(text, name):
    """Make one provider ready."""
    return stage([SourceFile("spec.yaml", text.encode())], name, Settings(), ORIGIN)


def test_everything_that_a_provider_asks_for_is_made_up():
    """Each required property gets a value of its type, an address that of the player."""
    integration = staged(ASKING, "asking")

    assert integration.config == {
        "base_url": ORIGIN,
        "account": "played-account",
        "region": "eu",
        "pages": 1,
        "strict": True,
        "size": 7,
    }
    assert base_url_of(integration) == "http://player.test/v2/played-account"


def test_fixed_address_is_played_under_its_own_path():
    """Where the spec names the host itself, the integration has to name the player instead."""
    integration = staged(FIXED, "fixed")
    player = play_integration(integration, PlayOptions(records=3, bad=0))

    told = describe_stage(player)

    assert (told["config"], told["http"]) == ({}, {"base_url": "http://player.test/v3"})
    assert list(lines_of(told)) == [
        "playing fixed at http://player.test/v3 until Ctrl-C",
        "  things: 3 records, 0 of them bad",
        "to read it, an integration needs:",
        "  uses: fixed",
        "  http: {base_url: http://player.test/v3}",
        "and the settings, integrationd.yaml:",
        "  egress: {allow: [127.0.0.1/32]}",
    ]


def test_people_are_told_what_to_configure():
    """The address and every secret that the player accepts, with the variable to hold it."""
    player = play_integration(
        stage(SHIPPED, "demo-library", Settings(), ORIGIN), PlayOptions(records=10, bad=2)
    )

    assert list(lines_of(describe_stage(player))) == [
        "playing demo-library at http://player.test/api/v1 until Ctrl-C",
        "  items: 10 records, 2 of them bad",
        "  patrons: 10 records, 2 of them bad",
        "to read it, an integration needs:",
        "  uses: demo-library",
        "  config: {base_url: http://player.test}",
        "  secret api_key: play-api-key",
        f"{WHERE}API_KEY",
        "  secret webhook_secret: play-webhook-secret",
        f"{WHERE}WEBHOOK_SECRET",
        "and the settings, integrationd.yaml:",
        "  egress: {allow: [127.0.0.1/32]}",
    ]


def test_integration_is_played_with_its_own_streams():
    """An integration's name plays its account: its addresses move, the rest stays."""
    sources = [
        SourceFile("spec.yaml", ASKING.encode()),
        SourceFile(
            "own.yaml",
            b"integration: mine\nuses: asking\n"
            b"config: {base_url: 'https://real.example.org/sub', account: a7, region: us,"
            b" pages: 2, strict: false}\n",
        ),
    ]

    integration = stage(sources, "mine", Settings(), ORIGIN)

    assert integration.config["base_url"] == "http://player.test/sub"
    assert base_url_of(integration) == "http://player.test/sub/v2/a7"
    assert integration.config["region"] == "us"


def test_unknown_name_is_told_with_the_nearest():
    """A name that nothing has is an error that helps."""
    with pytest.raises(UsageError) as caught:
        stage(SHIPPED, "demo-libary", Settings(), ORIGIN)

    assert str(caught.value) == (
        "nothing to play is called 'demo-libary'; did you mean 'demo-library'?"
    )


@pytest.mark.parametrize(
    ("told", "line"),
    [
        (
            {"event": "called", "method": "GET", "path": "/a?b=1", "status": 429, "body_bytes": 1},
            "GET /a?b=1: 429 Too Many Requests",
        ),
        (
            {"event": "changed", "stream": "items", "changed": ["3", "9"], "deleted": ["4"]},
            "items: changed 3, 9; deleted 4",
        ),
        (
            {"event": "posted", "endpoint": "events", "number": 4, "status": 202},
            "webhook events, event 4: answered 202",
        ),
        (
            {"event": "posted", "endpoint": "events", "number": 4, "error": "no answer"},
            "webhook events, event 4: no answer",
        ),
    ],
)
def test_what_happens_is_told_in_one_line(told, line):
    """A call, a change and an event are a line each."""
    assert list(lines_of(told)) == [line]


@pytest.mark.parametrize(
    ("key", "asked"),
    [
        ("first_of", "first_of: [{get: /a}, {get: /b}]"),
        ("steps", 'steps: [{name: s, get: /s, output: body.id}], get: "/{{ steps.s }}"'),
    ],
)
def test_stream_with_requests_that_are_not_played_is_named(key, asked):
    """The others are played."""
    text = (
        "integration: shop\nhttp: {base_url: http://player.test, paginate: none}\n"
        f"streams: {{a: {{{asked}, key: id}}, b: {{get: /c, key: id}}}}\n"
    )

    player = player_of(text)

    assert player.unplayed == {"a": f"stream 'a' cannot be played: its {key!r} is not played"}
    assert list(player.sources) == ["b"]
