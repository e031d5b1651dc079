"""An answer read and judged: by its status, and by what the spec says of failures."""

from __future__ import annotations

from collections.abc import Generator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from integrationd.errors import PageShapeError
from integrationd.model.json import Json
from integrationd.model.unstorable import show
from integrationd.wire import charsets, decoding, pieces
from integrationd.wire.decode.decoder import Decoder
from integrationd.wire.decode.json import JsonDecoder
from integrationd.wire.judge import Outcome, Verdict, judge
from integrationd.wire.messages import Answer, Request
from integrationd.wire.pieces import STEP_BYTES
from integrationd.wire.rules import ErrorRule, Then, find_rule

TEXT_MAX: Final = 64_000
"""Characters of a failure's body that rules see where it is not JSON."""

_NO_CONTENT: Final = 204


@dataclass(frozen=True, slots=True, kw_only=True)
class ReplyShape:
    """How the answers of one call are read."""

    decoder: Decoder = JsonDecoder()  # noqa: RUF009 - frozen
    errors: tuple[ErrorRule, ...] = ()
    """The first that holds decides; the call's own come before those of all calls."""
    reads_failures: bool = False
    """Whether the body of a failure is wanted also where no rule needs it."""
    keeps_rest: bool = False
    """Whether a body that holds values that nothing can store is wanted for the rest of it."""


PLAIN: Final = ReplyShape()
"""JSON, judged by its status."""


@dataclass(frozen=True, slots=True)
class Judged:
    """What an answer means, and what it holds."""

    outcome: Outcome
    reply: Mapping[str, Json] = field(repr=False)
    """``{status, headers, body}``; of a failure only as far as a rule needs it."""
    loose: bool = False
    """Whether nothing can store some of the values; see :mod:`integrationd.model.unstorable`."""
    blank: bool = False
    """Whether a success had no body at all, and did not say so by its status."""


def judge_in_steps(
    answer: Answer, request: Request, shape: ReplyShape, now: datetime
) -> Generator[None, None, Judged]:
    """Read and judge an answer, with a pause now and then where its body is large.

    Raises:
        PageShapeError: A success has no body of the kind that the spec says, and no rule is about
            such an answer.
    """
    outcome = judge(answer, request, now)
    broken: PageShapeError | None = None
    body: Json = None
    if outcome.verdict is Verdict.ACCEPTED:
        try:
            body = yield from shape.decoder.decode(answer)
        except PageShapeError as wrong:
            broken = wrong
            if shape.keeps_rest:
                with suppress(PageShapeError):
                    return _judge_loosely(answer, outcome, shape, now)
    wanted = shape.errors or shape.reads_failures
    if wanted and (broken or outcome.verdict is not Verdict.ACCEPTED):
        body = _read_failure(answer, shape.decoder)
    reply = decoding.build_reply(answer, body)
    rule = find_rule(shape.errors, reply)
    if rule is not None:
        if rule.then is Then.ACCEPT:
            reply = yield from _read_accepted(answer, shape.decoder)
        return Judged(rule.judge(reply, outcome, now), reply)
    if broken is not None:
        raise broken
    blank = body is None and answer.status != _NO_CONTENT and not answer.body.strip()
    return Judged(outcome, reply, blank=blank)


def _read_accepted(answer: Answer, decoder: Decoder) -> Generator[None, None, Mapping[str, Json]]:
    """Return the whole of an answer that counts although its status says that it is a failure."""
    return decoding.build_reply(answer, (yield from decoder.decode(answer)))


def _judge_loosely(answer: Answer, outcome: Outcome, shape: ReplyShape, now: datetime) -> Judged:
    """Judge a success that holds values that nothing can store; rules see them as text."""
    body = shape.decoder.decode_loosely(answer)
    if shape.errors:
        try:
            shown = decoding.build_reply(answer, show(body))
        except RecursionError:
            raise PageShapeError("nested too deep") from None
        rule = find_rule(shape.errors, shown)
        if rule is not None:
            return Judged(rule.judge(shown, outcome, now), shown)
    return Judged(outcome, decoding.build_reply(answer, body), loose=True)


def _read_failure(answer: Answer, decoder: Decoder) -> Json:
    """Return what a failure says: JSON or XML where it is that, else its text."""
    if len(answer.body) <= STEP_BYTES:
        with suppress(PageShapeError):
            return decoding.decode_bytes(answer.body)
    if decoder.reads_failures and len(answer.body) <= TEXT_MAX:
        with suppress(PageShapeError):
            return pieces.finish(decoder.decode(answer))
    name = charsets.of_content_type(answer) or "utf-8"
    return answer.body[: TEXT_MAX * 4].decode(name, errors="replace")[:TEXT_MAX]
