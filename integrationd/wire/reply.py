"""An answer read and judged: by its status, and by what the spec says of failures."""

from __future__ import annotations

from collections.abc import Generator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from integrationd.errors import PageShapeError
from integrationd.model.json import Json
from integrationd.wire import decoding
from integrationd.wire.decode.decoder import Decoder
from integrationd.wire.decode.json import JsonDecoder
from integrationd.wire.judge import Outcome, Verdict, judge
from integrationd.wire.messages import Answer, Request
from integrationd.wire.pieces import STEP_BYTES
from integrationd.wire.rules import ErrorRule, find_rule

TEXT_MAX: Final = 64_000
"""Characters of a failure's body that rules see where it is not JSON."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ReplyShape:
    """How the answers of one call are read."""

    decoder: Decoder = JsonDecoder()  # noqa: RUF009 - frozen
    errors: tuple[ErrorRule, ...] = ()
    """The first that holds decides; the call's own come before those of all calls."""
    reads_failures: bool = False
    """Whether the body of a failure is wanted also where no rule needs it."""


PLAIN: Final = ReplyShape()
"""JSON, judged by its status."""


@dataclass(frozen=True, slots=True)
class Judged:
    """What an answer means, and what it holds."""

    outcome: Outcome
    reply: Mapping[str, Json] = field(repr=False)
    """``{status, headers, body}``; of a failure only as far as a rule needs it."""


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
    wanted = shape.errors or shape.reads_failures
    if wanted and (broken or outcome.verdict is not Verdict.ACCEPTED):
        body = _read_failure(answer)
    reply = decoding.build_reply(answer, body)
    rule = find_rule(shape.errors, reply)
    if rule is not None:
        return Judged(rule.judge(reply, outcome, now), reply)
    if broken is not None:
        raise broken
    return Judged(outcome, reply)


def _read_failure(answer: Answer) -> Json:
    """Return what a failure says: JSON where it is that, else its text."""
    if len(answer.body) <= STEP_BYTES:
        try:
            return decoding.decode_bytes(answer.body)
        except PageShapeError:
            pass
    return answer.body[: TEXT_MAX * 4].decode(errors="replace")[:TEXT_MAX]
