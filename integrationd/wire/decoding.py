"""Answers to JSON, exactly: every digit is kept, and what is not JSON is said in words."""

from __future__ import annotations

from collections.abc import Generator, Mapping
from typing import Final
from urllib.parse import urlsplit

import msgspec

from integrationd.errors import PageShapeError
from integrationd.model.json import Json
from integrationd.wire import html, pieces
from integrationd.wire.loosely import explain_refusal, read_loosely
from integrationd.wire.messages import Answer
from integrationd.wire.pieces import STEP_BYTES

_BOM: Final = b"\xef\xbb\xbf"
_DECODER: Final = msgspec.json.Decoder()


def decode_bytes(body: bytes) -> Json:
    """Decode a JSON text.

    Whole numbers keep every digit up to some thousand of them. NaN, a text that is not valid
    Unicode, and nesting that would exhaust the stack are refused, so that whatever comes out can
    be stored and sent again. Of a repeated key the last one stands.

    Raises:
        PageShapeError: It is not JSON; the message has the reason, never a piece of the body.

    Source:
        RFC 8259; its section 8.1 allows to ignore a byte order mark, which some servers send.
    """
    try:
        return _DECODER.decode(body.removeprefix(_BOM))
    except UnicodeDecodeError as wrong:
        raise PageShapeError(f"not UTF-8: {wrong.reason} (byte {wrong.start})") from None
    except RecursionError:
        raise PageShapeError("nested too deep") from None
    except msgspec.DecodeError as wrong:
        # Of half a surrogate pair it says that the input ends there.
        told = explain_refusal(body.removeprefix(_BOM))
        raise PageShapeError(told or _reason(str(wrong))) from None


def decode_loosely(body: bytes) -> Json:
    """Decode a JSON text that :func:`decode_bytes` refused, for what is sound in it.

    Raises:
        PageShapeError: It is not JSON.
    """
    return read_loosely(body.removeprefix(_BOM))


def decode_in_steps(answer: Answer) -> Generator[None, None, Json]:
    """Decode the body of an answer, with a pause now and then where it is large.

    An empty one, as 204 has, is None.

    Raises:
        PageShapeError: It is not JSON, with a hint where the content type says what it is.
    """
    if len(answer.body) <= STEP_BYTES:
        return _decode_whole(answer)
    try:
        return (yield from pieces.decode_in_steps(answer.body.removeprefix(_BOM)))
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return _decode_whole(answer)  # finds the same, and tells its place in the whole


def _decode_whole(answer: Answer) -> Json:
    if not answer.body.strip():
        return None
    try:
        return decode_bytes(answer.body)
    except PageShapeError as wrong:
        refuse_page(answer, "JSON")
        message = f"{name_answer(answer)} is not JSON: {wrong}{hint(answer)}"
        raise PageShapeError(message, status=answer.status) from None


def refuse_page(answer: Answer, expected: str) -> None:
    """Refuse a page for people where data was expected: a login, or words about maintenance.

    Raises:
        PageShapeError: It is one; the message has its title, which people know it by.
    """
    page = html.describe_page(answer.body)
    if page is not None:
        message = f"{name_answer(answer)} is {page}, expected {expected}; is base_url right?"
        raise PageShapeError(message, status=answer.status)


def build_reply(answer: Answer, body: Json) -> Mapping[str, Json]:
    """Build ``{status, headers, body}``, the root of every expression over a response."""
    return {"status": answer.status, "headers": dict(answer.headers), "body": body}


def name_answer(answer: Answer) -> str:
    """Name an answer in a message: by its path, as a query may hold a token."""
    return f"the answer of {urlsplit(answer.url).path or '/'}"


def hint(answer: Answer) -> str:
    """Say what a body looks like that is not JSON, to end a message; empty where that is open."""
    kind = answer.headers.get("content-type", "").split(";")[0].strip().lower()
    if kind == "text/html" or answer.body.lstrip()[:1] == b"<":
        what = "HTML" if kind == "text/html" else "HTML or XML"
        return f"; it looks like {what}, is base_url right?"
    return ""


def _reason(message: str) -> str:
    # "JSON is malformed: invalid character (byte 0)": only the second half is news.
    reason = message.removeprefix("JSON is malformed: ")
    return reason[:1].lower() + reason[1:]
