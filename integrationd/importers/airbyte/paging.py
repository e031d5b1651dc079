"""Paginators to ``paginate``."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final, TypeAlias

from integrationd.importers.airbyte import unsaid
from integrationd.importers.airbyte.partitions import send
from integrationd.importers.airbyte.parts import Part
from integrationd.importers.airbyte.places import read_place
from integrationd.importers.airbyte.requests import Asked
from integrationd.importers.airbyte.scope import Scope
from integrationd.importers.airbyte.terms import Name, UnsayableError
from integrationd.importers.airbyte.writing import write_template

Paging: TypeAlias = dict[str, Any] | str

_NEXT_LINK: Final = Name(("headers", "link", "next", "url"))


def read_paging(part: Part | None, scope: Scope, records: str, asked: Asked) -> Paging:
    """Return what ``paginate`` says; ``none`` where it cannot be said, which is told.

    Args:
        part: The paginator.
        scope: The variables of the stream.
        records: Our expression for the records of a page.
        asked: The request of the first page; what the pages have in common is added to it.
    """
    if part is None or part.kind == "NoPagination":
        return "none"
    strategy = part.child("pagination_strategy")
    if part.kind != "DefaultPaginator" or strategy is None:
        unsaid.lose_kind(part)
        return "none"
    reader = _READERS.get(strategy.kind)
    if reader is None:
        unsaid.lose_kind(strategy)
        return "none"
    return reader(_Walk(part, strategy, scope, records, asked))


def has_first_token(part: Part | None) -> bool:
    """Tell whether a paginator has a token for the first page as well."""
    strategy = None if part is None else part.child("pagination_strategy")
    return strategy is not None and strategy.is_true("inject_on_first_request")


class _Walk:
    """What the three kinds of strategies have in common."""

    def __init__(
        self, part: Part, strategy: Part, scope: Scope, records: str, asked: Asked
    ) -> None:
        self.part = part
        self.strategy = strategy
        self.scope = scope
        self.records = records
        self._asked = asked

    @property
    def token(self) -> Part | None:
        """Return the option that says where the token goes."""
        return self.part.child("page_token_option")

    def into(self) -> str | None:
        """Return where the token goes."""
        option = self.token
        return self._asked.token_place if option is None else read_place(option, self.scope)

    def follows_link(self) -> bool:
        """Tell whether the token is the next URL of the ``Link`` header."""
        try:
            term = self.scope.term(self.strategy, self.strategy.text("cursor_value"))
        except UnsayableError:
            return False
        return term == _NEXT_LINK

    def page_size(self) -> int | str | None:
        """Return how many records are asked for: a number, or a template of ours."""
        said = self.strategy.value("page_size")
        if isinstance(said, str):
            try:
                said = write_template(self.scope.term(self.strategy, said))
            except UnsayableError as why:
                where = f"{self.strategy.path}.page_size"
                self.part.report.lose(self.strategy.place("page_size"), f"{where}: {why}")
                return None
        if isinstance(said, str):
            return int(said) if said.isdigit() else said
        return said if isinstance(said, int) and said > 0 else None

    def first(self) -> dict[str, Any]:
        """Return whether the first request says where it begins."""
        if self.token is None and isinstance(self._asked.token_start, int):
            return {"start": self._asked.token_start}
        is_said = self.strategy.is_true("inject_on_first_request")
        return {} if is_said else {"send_start": False}

    def start(self) -> dict[str, Any]:
        """Return what the first request has in place of a token."""
        said = None if self.token is not None else self._asked.token_start
        return {} if said in (None, "") else {"start": said}

    def size(self, *, is_counted: bool = False) -> dict[str, Any]:
        """Return ``size``, where the request says it, or where the last page is known by it."""
        value, place = self.page_size(), self.size_place()
        if isinstance(value, str):
            self.send_size()
            if is_counted:
                message = (
                    f"{self.strategy.path}.page_size: the configuration says it, so that the last "
                    "page is known by the empty one behind it"
                )
                self.part.report.note(self.strategy.place("page_size"), message)
            return {}
        if value is None or (place is None and not is_counted):
            return {}
        made: dict[str, Any] = (
            {"value": value} if place is None else {"into": place, "value": value}
        )
        return {"size": {**made, "exact": True} if is_counted else made}

    def send_size(self) -> None:
        """Say the number of records in every request."""
        value, place = self.page_size(), self.size_place()
        if value is not None and place is not None:
            send(self._asked.said, place, value)

    def size_place(self) -> str | None:
        """Return where the number of records goes."""
        option = self.part.child("page_size_option")
        return None if option is None else read_place(option, self.scope)


def _read_page(walk: _Walk) -> Paging:
    into = walk.into()
    start = walk.strategy.value("start_from_page")
    if into is None:
        return _say_nowhere(walk)
    made: dict[str, Any] = {"type": "page", "into": into}
    made["start"] = start if isinstance(start, int) else 0
    return {**made, **walk.first(), **walk.size(is_counted=True)}


def _read_offset(walk: _Walk) -> Paging:
    into = walk.into()
    if into is None:
        return _say_nowhere(walk)
    return {"type": "offset", "into": into, **walk.first(), **walk.size(is_counted=True)}


def _say_nowhere(walk: _Walk) -> Paging:
    """Ask once where the source would ask for the same page until it is a short one."""
    walk.send_size()
    message = f"{walk.part.path}: the place in the list is sent nowhere; one page is read"
    walk.part.report.note(walk.part.position, message)
    return "none"


def _read_cursor(walk: _Walk) -> Paging:
    strategy, scope = walk.strategy, walk.scope
    last = f"({walk.records})[-1]"
    is_url = walk.token is not None and walk.token.kind == "RequestPath"
    if is_url:
        walk.send_size()
    if is_url and walk.follows_link():
        return {"type": "link", "with_query": True}
    stop = scope.expression(strategy, "stop_condition", record=last, records=walk.records)
    value = scope.expression(strategy, "cursor_value", record=last, records=walk.records)
    if value is None or (strategy.has("stop_condition") and stop is None):
        return "none"
    is_implied = stop in (None, "`false`", "'False'", f"!({value})", f"{value} == `null`")
    ends: dict[str, Any] = {} if is_implied else {"stop_when": stop}
    if is_url:
        return {"type": "next_url", "next": value, "with_query": True, **ends}
    into = walk.into()
    if into is None:
        unsaid.lose(walk.part, "offset_nowhere")
        return "none"
    return {"type": "cursor", "next": value, "into": into, **walk.start(), **walk.size(), **ends}


_READERS: Final[Mapping[str, Callable[[_Walk], Paging]]] = {
    "PageIncrement": _read_page,
    "OffsetIncrement": _read_offset,
    "CursorPagination": _read_cursor,
}
"""By the kind of the strategy."""
