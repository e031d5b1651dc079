"""What the language cannot say, in one table: whoever adds a word takes its line out here."""

from __future__ import annotations

from typing import Final

from integrationd.config.nodes import Position
from integrationd.importers.airbyte.parts import Part

NOT_YET: Final = {
    # auth
    "login_auth": "credentials of this kind for a call that logs in",
    "LegacySessionTokenAuthenticator": "a session that is tried before a login",
    "RateLimitedMultipleTokenAuthenticator": "several tokens that are used in turn",
    "auth_per_stream": "a choice of credentials for one stream alone",
    "use_profile_assertion": "a grant that the configuration chooses",
    "access_token_value": "a first access token that was got elsewhere",
    "passphrase": "a private key with a passphrase",
    # requests
    "query_properties": "a list of fields that is asked for in pieces",
    "fetch_properties_from_endpoint": "a list of fields that a call gives",
    "headers_text": "headers as one text",
    "ignore_stream_slicer_parameters_on_paginated_requests": (
        "a body, or an object in one, that the pages after the first go without"
    ),
    "address": "an address that only the configuration says, beside that of the other requests",
    # paging
    "pagination_reset": "beginning a list anew in this way",
    "page_size_reduction": "smaller pages where a provider cannot give large ones",
    "request_window_splitting": "smaller windows where a provider cannot give large ones",
    "offset_nowhere": "a place in the list that is sent nowhere",
    # incremental
    "clamping": "windows that begin with a day, a week or a month",
    "time_format": "a time in this notation",
    "span_template": "a span of time that the configuration says",
    "start_value": "a beginning that is made so",
    "end_value": "an end that is made so",
    "StateDelegatingStream": "a full list first and a feed afterwards",
    "DynamicDeclarativeStream": "streams that a call or the configuration lists",
    "ConditionalStreams": "streams that the configuration switches on",
    # for_each
    "several_parents": "values of several streams in one row",
    "list_template": "a list of values that is made so",
    # records
    "no_key": "a key for records that have none",
    "schema_normalization": "values that are made to fit a schema's types",
    "record_expander": "a nested list that becomes records in this way",
    # failures
    "RESET_PAGINATION": "beginning anew where a provider caps its result window",
    "wait_regex": "a wait that stands inside a header's text",
    "wait_template": "a wait that the configuration says",
    # limits
    "shared_limit": "one limit that several paths share",
    "matcher": "a limit for these calls alone",
    "exempt": "calls that no limit is for, beside those of a rate",
    "rate_template": "a limit that is made so",
    "file_uploader": "files that belong to records",
}


_BY_HAND: Final = {"AsyncRetriever": "deferred"}
"""What the language has a word for, which is not written here: the source reads as many files of
one job as its last answer names, and does not say whether it is one or several."""


def lose(part: Part, key: str, *, place: Position | None = None, field: str = "") -> None:
    """Tell that the language has no word for something.

    Args:
        part: Where it stands.
        key: In the table.
        place: The line, where it is not the component's own.
        field: Of the component.
    """
    where = f"{part.path}.{field}".removeprefix(".") if field else part.path
    position = place or (part.place(field) if field else part.position)
    part.report.lose(position, f"{where}: the language cannot say {NOT_YET[key]} yet")


def lose_code(part: Part) -> None:
    """Tell a component that is Python of the connector's own."""
    name = part.text("class_name").rpartition(".")[2]
    what = f"{part.kind or 'the component'} {name}".strip()
    part.report.lose(part.position, f"{part.path}: {what} is code, which is not read here")


def lose_kind(part: Part) -> None:
    """Tell a kind of component that is not translated."""
    if "class_name" in part.node.entries or part.kind.startswith("Custom"):
        lose_code(part)
    elif part.kind in NOT_YET:
        lose(part, part.kind)
    elif part.kind in _BY_HAND:
        word = _BY_HAND[part.kind]
        message = f"{part.path}: {part.kind} is not translated; write the stream with {word!r}"
        part.report.lose(part.position, message)
    else:
        what = part.kind or "a component without a type"
        part.report.lose(part.position, f"{part.path}: {what} is not known here")
