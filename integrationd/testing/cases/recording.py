"""Exchanges with a real provider, kept while they go by, and the case that is made of them."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final
from urllib.parse import parse_qsl, urlsplit

from integrationd.config.printing import print_yaml
from integrationd.errors import PageShapeError, RefusedError, UnavailableError, UnreachedError
from integrationd.model.json import Json
from integrationd.model.records import StoredRecord
from integrationd.ports.outside import Http, HttpOpener, HttpPolicy
from integrationd.spec.exchanges import Fault
from integrationd.testing.cases.outcomes import Read
from integrationd.testing.cases.scrubbing import Scrubber, find_numbers
from integrationd.transform.expression import Expression
from integrationd.wire import decoding
from integrationd.wire.encoding import EncodedRequest, encode
from integrationd.wire.messages import Answer, Request

_WORD: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_-]*")
EXCHANGES_MAX: Final = 10
"""Of one recording; a case is read by people. A longer list ends as if the connection broke."""
_ASIDE_MAX: Final = 3
"""Records set aside that a case names; of more it says how many."""
BODY_BYTES_MAX: Final = 200_000
"""Of an answer that is no JSON and cannot be cut."""
_HEAD: Final = """\
# Recorded from a real account and scrubbed: secrets, tokens, cookies, e-mail addresses and hosts of
# the configuration are made up, most items of lists are left out, and long texts cut. Names and
# numbers of people may still stand here: look through it before you give it away.
"""


@dataclass(frozen=True, slots=True)
class Taped:
    """One exchange as it went by."""

    asked: EncodedRequest
    got: Answer | Fault


@dataclass(slots=True)
class Tape:
    """Opens as the real one does, and keeps what goes by."""

    opener: HttpOpener
    exchanges: list[Taped] = field(default_factory=list)
    is_full: bool = False
    """Whether there was more than it keeps."""
    ignored: frozenset[str] = frozenset()
    """Addresses where tokens are had: whoever runs the case answers these requests itself."""

    @asynccontextmanager
    async def open(self, policy: HttpPolicy) -> AsyncIterator[Http]:
        """Open a client."""
        async with self.opener.open(policy) as http:
            yield _TapedHttp(self, http)


@dataclass(frozen=True, slots=True)
class _TapedHttp:
    tape: Tape
    http: Http

    async def send(self, request: Request) -> Answer:
        asked = encode(request)
        if asked.url.partition("?")[0] in self.tape.ignored:
            return await self.http.send(request)
        if len(self.tape.exchanges) >= EXCHANGES_MAX:
            self.tape.is_full = True
            enough = RefusedError(f"{EXCHANGES_MAX} exchanges are recorded, which is enough")
            enough.stops = True
            raise enough
        try:
            answer = await self.http.send(request)
        except UnavailableError as failed:
            fault = Fault.UNREACHED if isinstance(failed, UnreachedError) else Fault.BROKEN
            self.tape.exchanges.append(Taped(asked, fault))
            raise
        self.tape.exchanges.append(Taped(asked, answer))
        return answer


@dataclass(frozen=True, slots=True, kw_only=True)
class Recorded:
    """What is known of a recording, beside its exchanges."""

    spec: str
    stream: str
    config: Mapping[str, Json]
    """What a case has to say of the configuration, scrubbed."""
    input: Mapping[str, Json]
    at: datetime
    retries: int
    """How often a request is tried again: how often a break must stand there to end it."""


def build_case(
    recorded: Recorded,
    tape: Tape,
    scrubber: Scrubber,
    *,
    few: bool,
    expect: Mapping[str, Json],
) -> dict[str, Json]:
    """Build a file of cases with one case.

    Args:
        recorded: What it is about.
        tape: What went by.
        scrubber: Makes it fit to be shown.
        few: Whether only the usual headers of answers are kept.
        expect: What the case expects.
    """
    exchanges = [_exchange(taped, scrubber, few=few) for taped in tape.exchanges]
    if tape.is_full:
        broken = {"fault": Fault.UNREACHED.value}
        exchanges.append({"response": broken, "times": recorded.retries + 1})
    case: dict[str, Json] = {
        "name": f"recorded on {recorded.at.date().isoformat()}",
        "stream": recorded.stream,
        "now": recorded.at.replace(microsecond=0).isoformat().replace("+00:00", "Z"),
        "input": scrubber.json(dict(recorded.input)),
        "exchanges": exchanges,
        "expect": dict(expect),
    }
    if not recorded.input:
        del case["input"]
    whole: dict[str, Json] = {"cases": recorded.spec, "config": dict(recorded.config)}
    if not recorded.config:
        del whole["config"]
    return {**whole, "streams": [case]}


def print_case(case: Mapping[str, Json]) -> str:
    """Print a file of cases, with what a person should know of it above."""
    return f"{_HEAD}{print_yaml(dict(case))}"


def expect_read(read: Read, scrubbed: Sequence[StoredRecord]) -> dict[str, Json]:
    """Return what a case expects so that it holds: what came of running it."""
    found: dict[str, Json] = {}
    if read.outcome != "done":
        found = {"outcome": read.outcome, "kind": read.kind, "error": read.error}
    found["records"] = len(scrubbed)
    if scrubbed and isinstance(scrubbed[0].data, dict):
        found["first"] = {"external_id": scrubbed[0].external_id, **scrubbed[0].data}
    if len(read.aside) > _ASIDE_MAX:
        found["quarantined"] = len(read.aside)
    elif read.aside:
        found["quarantined"] = [
            {"field": one.field, "code": one.code, "reason": one.reason} for one in read.aside
        ]
    return {**found, "cursor": read.cursor.cursor}


def numbers_of(tape: Tape) -> dict[int, int]:
    """Return the totals that its answers may say, and what they are once lists are cut."""
    bodies = []
    for taped in tape.exchanges:
        if isinstance(taped.got, Answer):
            with suppress(PageShapeError):
                bodies.append(decoding.decode_bytes(taped.got.body))
    return find_numbers(bodies)


def names_in(value: object) -> frozenset[str]:
    """Return the words of every expression inside a value: the fields that it may read."""
    if isinstance(value, Expression):
        return frozenset(_WORD.findall(value.text))
    if isinstance(value, Mapping):
        value = tuple(value.values())
    if isinstance(value, tuple | list):
        return frozenset().union(*map(names_in, value))
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        named = (getattr(value, item.name) for item in dataclasses.fields(value))
        return frozenset().union(*map(names_in, named))
    return frozenset()


def _exchange(taped: Taped, scrubber: Scrubber, *, few: bool) -> dict[str, Json]:
    parts = urlsplit(taped.asked.url)
    request: dict[str, Json] = {
        "method": taped.asked.method,
        "path": scrubber.text(parts.path or "/"),
    }
    query = scrubber.query(parts.query)
    if query:
        request["query"] = query
    request.update(_body_of(taped.asked, scrubber))
    if isinstance(taped.got, Fault):
        return {"request": request, "response": {"fault": taped.got.value}}
    response: dict[str, Json] = {}
    if taped.got.status != 200:  # noqa: PLR2004 - what needs not be said
        response["status"] = taped.got.status
    headers = scrubber.headers(taped.got.headers, few=few)
    body = _answer_of(taped.got, scrubber)
    is_json = headers.get("content-type", "").startswith("application/json")
    if isinstance(body, dict | list) and is_json:
        del headers["content-type"]
    if headers:
        response["headers"] = headers
    if body is not None:
        response["body"] = body
    return {"request": request, "response": response}


def _body_of(asked: EncodedRequest, scrubber: Scrubber) -> dict[str, Json]:
    """Return the body of a request where it is one that can be compared."""
    if not asked.body:
        return {}
    kind = asked.headers.get("content-type", "")
    if kind.startswith("application/x-www-form-urlencoded"):
        pairs = parse_qsl(asked.body.decode("utf-8", "replace"), keep_blank_values=True)
        form = {name: scrubber.text(value) for name, value in pairs}
        return {"form": form} if len(form) == len(pairs) else {}
    if kind.startswith("application/json"):
        uncut = Scrubber(scrubber.secrets, scrubber.origins, people=scrubber.people)
        return {"json": uncut.json(decoding.decode_bytes(asked.body))}
    return {}


def _answer_of(answer: Answer, scrubber: Scrubber) -> Json:
    """Return the body of an answer: JSON where it is that, else its text."""
    if not answer.body:
        return None
    try:
        found = decoding.decode_bytes(answer.body)
    except PageShapeError:
        if len(answer.body) > BODY_BYTES_MAX:
            raise RefusedError(
                f"an answer of {len(answer.body)} bytes that is no JSON is too large for a case"
            ) from None
        try:
            return scrubber.text(answer.body.decode())
        except UnicodeDecodeError:
            raise RefusedError("an answer that is no text cannot be recorded") from None
    scrubbed = scrubber.json(found)
    # A text alone would be sent as it stands.
    return scrubbed if isinstance(scrubbed, dict | list) else scrubber.text(answer.body.decode())
