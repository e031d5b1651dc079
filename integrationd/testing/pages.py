"""The other side of paging: which records a call asks for, and what the answer says of the rest."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from http import HTTPStatus
from typing import Any, ClassVar, Final
from urllib.parse import quote, urlencode

from integrationd.errors import ExpressionError, UsageError
from integrationd.model.json import Json
from integrationd.model.secret import reveal
from integrationd.testing.options import PlayOptions
from integrationd.testing.replies import ReplyBuilder, build_reply
from integrationd.testing.routes import Asked
from integrationd.transform.cursors import Scale
from integrationd.transform.expression import Expression
from integrationd.transform.inverse import Mark, UnsolvableError, merge, premise, solve
from integrationd.wire.paginate.cursor import CursorPaging
from integrationd.wire.paginate.keyset import KeysetPaging, Order
from integrationd.wire.paginate.link import LinkPaging
from integrationd.wire.paginate.next_url import NextUrlPaging
from integrationd.wire.paginate.none import NoPaging
from integrationd.wire.paginate.offset import OffsetPaging
from integrationd.wire.paginate.page import PageNumberPaging
from integrationd.wire.paginate.paginator import Paginator
from integrationd.wire.tokens import Counting, PageSize, is_true

URL_PARAMETER: Final = "starting-at"
"""Where the player's own next-URLs carry the position."""
_POSITION: Final = "at-"


class BadCallError(Exception):
    """The call asks for something that is not there: 400, with the text as the reason."""

    status: ClassVar[HTTPStatus] = HTTPStatus.BAD_REQUEST


class NoSuchError(BadCallError):
    """The call is about something that is not there: 404."""

    status: ClassVar[HTTPStatus] = HTTPStatus.NOT_FOUND


class GoneError(BadCallError):
    """The call asks from where on nobody knows any more: 410."""

    status: ClassVar[HTTPStatus] = HTTPStatus.GONE


@dataclass(frozen=True, slots=True, kw_only=True)
class Listing:
    """What a call asks a page of."""

    stream: str
    asked: Asked
    records: list[Json]
    """All that the call's filter lets through."""
    find_records: Expression | None
    """Finds the list in an answer."""
    options: PlayOptions
    origin: str
    """What absolute next-URLs begin with."""
    credentials: frozenset[str] = frozenset()
    """Query parameters that next-URLs leave out."""
    variables: Mapping[str, Json] = field(default_factory=dict)
    """What the expressions may use."""

    def page(self, start: int, size: int) -> tuple[ReplyBuilder, int]:
        """Return an answer with the records from ``start`` on, and where the next page starts."""
        reply = ReplyBuilder(self.stream, variables=self.variables)
        records = self.records[start : start + size]
        if self.find_records is None:
            reply.tree = {"body": records}
        else:
            reply.wish(self.find_records, records)
        return reply, start + size

    def size(self, size: PageSize | None) -> int:
        """Return how many records a page holds."""
        if size is None:
            return self.options.page_size
        text = None if size.into is None else self.asked.take(size.into)
        if text is None:
            return size.value if size.exact else self.options.page_size
        if not text.isascii() or not text.isdigit() or int(text) < 1:
            raise BadCallError(f"the page size is {text!r}, expected a whole number from 1 on")
        return int(text) if size.exact else min(int(text), self.options.page_size_max)


def answer_page(paginator: Paginator, listing: Listing) -> ReplyBuilder:
    """Answer as the provider that a paginator was written for.

    Raises:
        BadCallError: What the call asks for is not there.
        UsageError: An expression of the paginator cannot be turned round.
    """
    match paginator:
        case NoPaging():
            return listing.page(0, max(len(listing.records), 1))[0]
        case PageNumberPaging():
            return _answer_number(paginator, listing)
        case OffsetPaging():
            return _answer_offset(paginator, listing)
        case CursorPaging():
            return _answer_cursor(paginator, listing)
        case KeysetPaging():
            return _answer_keyset(paginator, listing)
        case NextUrlPaging() | LinkPaging():
            return _answer_url(paginator, listing)
        case _:
            raise UsageError(f"paging of type {paginator.kind!r} cannot be played")


def is_first(paginator: Paginator, asked: Asked) -> bool:
    """Tell whether a call asks for the first page."""
    match paginator:
        case PageNumberPaging() | OffsetPaging():
            return asked.take(paginator.into) in (None, str(paginator.start))
        case CursorPaging() | KeysetPaging():
            text = asked.take(paginator.into)
            return text is None or _is_start(paginator, text)
        case NextUrlPaging() | LinkPaging():
            return all(name != URL_PARAMETER for name, _ in asked.call.query)
        case _:
            return True


def _wish_end(
    paginator: Counting | CursorPaging | NextUrlPaging, reply: ReplyBuilder, *, is_last: bool
) -> None:
    _wish_stop(paginator.stop_when, reply, is_last=is_last)
    reply.wish(paginator.has_more, not is_last)


def _wish_stop(condition: Expression | None, reply: ReplyBuilder, *, is_last: bool) -> None:
    """Say that this is the last page, where a page with records can: some end with an empty one."""
    if condition is None:
        return
    if not is_last:
        reply.wish_where_free(condition, Mark.FALSE)
    elif not reply.try_wish(condition, Mark.TRUE):
        reply.try_wish(condition, Mark.FREE)


def _answer_number(paginator: PageNumberPaging, listing: Listing) -> ReplyBuilder:
    size = listing.size(paginator.size)
    number = _read_number(listing.asked.take(paginator.into), paginator.start, "page")
    reply, following = listing.page((number - paginator.start) * size, size)
    count = len(listing.records)
    reply.wish(paginator.total_, count)
    reply.wish(paginator.total_pages, -(-count // size))
    _wish_end(paginator, reply, is_last=following >= count)
    return reply


def _answer_offset(paginator: OffsetPaging, listing: Listing) -> ReplyBuilder:
    size = listing.size(paginator.size)
    offset = _read_number(listing.asked.take(paginator.into), paginator.start, "offset")
    reply, following = listing.page(offset - paginator.start, size)
    count = len(listing.records)
    reply.wish(paginator.total_, count)
    _wish_end(paginator, reply, is_last=following >= count)
    return reply


def _read_number(text: str | None, start: int, what: str) -> int:
    if text is None:
        return start
    if not text.isascii() or not text.isdigit() or int(text) < start:
        raise BadCallError(f"the {what} is {text!r}, expected a whole number from {start} on")
    return int(text)


def _answer_cursor(paginator: CursorPaging, listing: Listing) -> ReplyBuilder:
    start = _find_start(paginator, listing, listing.asked.take(paginator.into))
    reply, following = listing.page(start, listing.size(paginator.size))
    is_last = following >= len(listing.records)
    _wish_end(paginator, reply, is_last=is_last)
    if is_last:
        # Where the token is the last record's own, only an empty page or stop_when can end it.
        reply.try_wish(paginator.next, Mark.FALSE)
        return reply
    if reads_records(paginator.next, listing):
        _wish_own_token(paginator.next, reply)
    else:
        reply.wish(paginator.next, f"{_POSITION}{following}")
    for part in paginator.also:
        if not reads_records(part.next, listing):
            reply.wish(part.next, f"{_POSITION}{following}")
    return reply


def _answer_keyset(paginator: KeysetPaging, listing: Listing) -> ReplyBuilder:
    falling = paginator.order is Order.DESCENDING

    def parse(value: Json) -> Any:  # noqa: ANN401 - one of several that compare
        return Scale(type=paginator.compare).parse(value)

    def value_of(record: Json) -> Any:  # noqa: ANN401
        return parse(paginator.field.search(record, {}))

    try:
        records = sorted(listing.records, key=value_of, reverse=falling)
    except ValueError as wrong:
        raise UsageError(
            f"stream {listing.stream!r} cannot be played: {paginator.field.text!r}: {wrong}"
        ) from None
    text = listing.asked.take(paginator.into)
    if text is not None and not _is_start(paginator, text):
        try:
            bound = parse(text)
        except ValueError as wrong:
            raise BadCallError(f"{paginator.into} is {text!r}, {wrong}") from None
        records = [
            record
            for record in records
            if (paginator.inclusive and value_of(record) == bound)
            or (value_of(record) < bound if falling else value_of(record) > bound)
        ]
    listing = replace(listing, records=records)
    reply, following = listing.page(0, listing.size(paginator.size))
    is_last = following >= len(records)
    _wish_end(paginator, reply, is_last=is_last)
    return reply


def _is_start(paginator: CursorPaging | KeysetPaging, text: str) -> bool:
    return paginator.start is not None and text == str(paginator.start)


def _find_start(paginator: CursorPaging, listing: Listing, token: str | None) -> int:
    if token is None or _is_start(paginator, token):
        return 0
    if token.startswith(_POSITION) and token.removeprefix(_POSITION).isdigit():
        return int(token.removeprefix(_POSITION))
    # First where the token stands in plain sight: making an answer for each record takes long.
    order = sorted(range(len(listing.records)), key=lambda i: not _shows(listing.records[i], token))
    for index in order:
        if str(_own_token(paginator.next, listing, listing.records[index])) == token:
            return index + 1
    raise BadCallError(f"the cursor {token!r} is of no record")


def _shows(record: Json, text: str) -> bool:
    values = record.values() if isinstance(record, dict) else ()
    return any(isinstance(value, str | int) and str(value) == text for value in values)


def reads_records(expression: Expression, listing: Listing) -> bool:
    """Tell whether an expression reads its token out of the records themselves."""
    bare = _reply_with(listing, [{"integrationd-probe": True}])
    try:
        tree = merge(bare, solve(expression.text, f"{_POSITION}1"))
    except UnsolvableError:
        return True
    before, after = (_found(listing, build_reply(one)) for one in (bare, tree))
    return bool(before != after)


def _found(listing: Listing, reply: Mapping[str, Json]) -> Json:
    found = listing.find_records
    try:
        return reply["body"] if found is None else found.search(dict(reply), listing.variables)
    except ExpressionError:
        return None


def _own_token(expression: Expression, listing: Listing, record: Json) -> Json:
    reply = ReplyBuilder(
        listing.stream, _reply_with(listing, [record]), variables=listing.variables
    )
    _wish_own_token(expression, reply)
    return expression.search(reply.build(), {})


def _wish_own_token(expression: Expression, reply: ReplyBuilder) -> None:
    """Make true what stands before the token, as in ``has_more && data[-1].id``."""
    try:
        reply.tree = merge(reply.tree, premise(expression.text))
        found = expression.search(build_reply(reply.tree), {})
    except (UnsolvableError, ExpressionError):
        found = None
    if not is_true(found):
        raise UsageError(
            f"stream {reply.stream!r} cannot be played: {expression.text!r} finds no token"
        )


def _reply_with(listing: Listing, records: list[Json]) -> Json:
    expression = listing.find_records
    return {"body": records} if expression is None else solve(expression.text, records)


def _answer_url(paginator: NextUrlPaging | LinkPaging, listing: Listing) -> ReplyBuilder:
    call = listing.asked.call
    found = next((reveal(text) for name, text in call.query if name == URL_PARAMETER), "0")
    start = _read_number(found, 0, URL_PARAMETER)
    reply, following = listing.page(start, listing.options.page_size)
    is_last = following >= len(listing.records)
    kept = [
        (name, reveal(value))
        for name, value in call.query
        if name not in listing.credentials and name != URL_PARAMETER
    ]
    host = "" if listing.options.relative_urls else listing.origin
    query = urlencode([*kept, (URL_PARAMETER, str(following))], quote_via=quote)
    url = f"{host}{quote(call.path)}?{query}"
    if isinstance(paginator, NextUrlPaging):
        reply.wish(paginator.next, Mark.FALSE if is_last else url)
        _wish_end(paginator, reply, is_last=is_last)
        return reply
    if not is_last:
        reply.add_header("link", f'<{url}>; rel="{paginator.rel}"')
    _wish_stop(paginator.stop_when, reply, is_last=is_last)
    return reply
