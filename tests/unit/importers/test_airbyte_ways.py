"""Streams that say otherwise than the others who asks."""

import yaml

from integrationd.importers.airbyte.provider import import_manifest

BEARER = "{type: BearerAuthenticator, api_token: \"{{ config['token'] }}\"}"
OTHER = "{type: BearerAuthenticator, api_token: \"{{ config['other'] }}\"}"
CHOICE = (
    "{type: SelectiveAuthenticator, authenticator_selection_path: [%s], authenticators: "
    "{open: {type: NoAuth}, closed: {type: BearerAuthenticator, api_token: "
    "\"{{ config['token'] }}\"}}}"
)


def imported(*several, check=""):
    """Import a manifest with a stream for each authenticator."""
    text = f"check: {{stream_names: [{check}]}}\nstreams:\n"
    for number, authenticator in enumerate(several):
        text += f"""\
  - type: DeclarativeStream
    name: s{number}
    primary_key: id
    retriever:
      requester: {{url_base: "https://a.test", path: /s{number}, authenticator: {authenticator}}}
      record_selector: {{extractor: {{field_path: []}}}}
"""
    made = import_manifest(text.encode(), file="acme.yaml")
    return yaml.safe_load(made.files["specs/acme.yaml"]), [loss.message for loss in made.losses]


def test_streams_that_differ_have_a_way_of_their_own():
    """What most say is the usual one; the same twice is one way."""
    made, losses = imported(BEARER, OTHER, "{type: NoAuth}", BEARER, OTHER, BEARER)

    assert losses == []
    assert made["http"]["auth"] == {"type": "bearer", "token": "{{ secrets.token }}"}
    assert made["http"]["auths"] == {
        "bearer": {"type": "bearer", "token": "{{ secrets.other }}"},
        "nobody": {"type": "none"},
    }
    assert [stream.get("auth") for stream in made["streams"].values()] == [
        *(None, "bearer", "nobody", None, "bearer", None)
    ]


def test_ways_of_one_kind_are_told_apart_by_a_number():
    """Three tokens are one usual way and two others."""
    third = OTHER.replace("other", "third")

    made, losses = imported(BEARER, BEARER, OTHER, third)

    assert losses == []
    assert list(made["http"]["auths"]) == ["bearer", "bearer_2"]
    assert made["streams"]["s3"]["auth"] == "bearer_2"


def test_all_the_same_need_no_name():
    """Nothing is said of ways where there is one."""
    made, losses = imported(BEARER, BEARER)

    assert (losses, "auths" in made["http"]) == ([], False)


def test_probe_asks_as_its_stream_does():
    """Otherwise it would find out whether other credentials hold."""
    made, _ = imported(BEARER, BEARER, OTHER, check="s2")

    assert made["probe"] == {"auth": "bearer", "get": "/s2"}


def test_choice_is_the_usual_way_even_where_most_have_another():
    """It can stand in no other place."""
    made, losses = imported(BEARER, BEARER, CHOICE % "kind")

    assert losses == []
    assert made["http"]["auth"]["type"] == "choice"
    assert made["streams"]["s0"]["auth"] == "bearer"
    assert "auth" not in made["streams"]["s2"]


def test_second_choice_is_told():
    """The stream asks as the others do, and the report says so."""
    made, losses = imported(CHOICE % "kind", CHOICE % "kind", CHOICE % "sort")

    assert losses == [
        "streams[2]: the language cannot say a choice of credentials for one stream alone yet"
    ]
    assert "auth" not in made["streams"]["s2"]


def test_feed_with_credentials_of_its_own_is_told():
    """A list and its changes are one stream, and one asks."""
    text = f"""\
streams:
  - type: StateDelegatingStream
    name: s
    full_refresh_stream:
      name: s
      primary_key: id
      retriever:
        requester: {{url_base: "https://a.test", path: /s, authenticator: {BEARER}}}
        record_selector: {{extractor: {{field_path: []}}}}
    incremental_stream:
      name: s
      primary_key: id
      incremental_sync:
        type: DatetimeBasedCursor
        cursor_field: at
        datetime_format: "%s"
        start_datetime: "0"
        start_time_option: {{inject_into: request_parameter, field_name: since}}
      retriever:
        requester: {{url_base: "https://a.test", path: /s/changes, authenticator: OWN}}
        record_selector: {{extractor: {{field_path: []}}}}
"""
    same, other = (
        import_manifest(text.replace("OWN", own).encode(), file="acme.yaml")
        for own in (BEARER, OTHER)
    )

    assert same.losses == ()
    assert [loss.message for loss in other.losses] == [
        "streams[0]: the language cannot say a full list first and a feed afterwards yet"
    ]
