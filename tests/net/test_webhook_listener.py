"""Webhooks over real sockets: each answer with its exact words, and what is stored of it."""

import logging

import pytest

from integrationd.errors import StoreBusyError, StoreError
from integrationd.signals import EventAccepted
from tests.support.inboxes import PATH, Inbox, opened, signature
from tests.support.rawhttp import head, post, problem_of

UNAVAILABLE = "Service Unavailable"
BODY = b'{"id": "e1", "type": "paid"}'


async def test_signed_call_is_stored_and_answered():
    """The answer names the event that was stored, and nobody is told anything else."""
    async with opened() as on:
        reply = await on.send(post(PATH, BODY, signature(BODY)))

    (event,) = on.inbox.events
    assert reply.status == 200
    assert reply.headers["content-type"] == "application/json; charset=utf-8"
    assert reply.headers["server"] == "integrationd"
    assert reply.json == {"id": event.id, "duplicate": False}
    assert (event.dedup, event.event, event.body) == ("e1", "paid", BODY)
    assert [signal.event_id for signal in on.ear.heard] == [event.id]


@pytest.mark.parametrize(
    "body",
    [
        pytest.param(b'{ "id":1,\r\n"id" : 2 }', id="spaces and repeated keys"),
        pytest.param(b"\xef\xbb\xbf{}", id="byte order mark"),
        pytest.param(bytes(range(256)), id="every byte"),
        pytest.param(b"", id="nothing"),
    ],
)
async def test_signature_is_verified_over_the_bytes_as_they_came(body):
    """No byte is changed between the socket, the check and the store."""
    async with opened() as on:
        reply = await on.send(post(PATH, body, signature(body)))

    assert reply.status == 200
    assert [event.body for event in on.inbox.events] == [body]


async def test_chunked_body_is_put_together():
    """A sender that does not know its length is read as well, over the same limit."""
    chunks = b"".join(b"%x\r\n%s\r\n" % (1, bytes([byte])) for byte in BODY) + b"0\r\n\r\n"
    start = head("POST", PATH, "Transfer-Encoding: chunked", signature(BODY))
    async with opened() as on:
        reply = await on.send(start + chunks)

    assert (reply.status, [event.body for event in on.inbox.events]) == (200, [BODY])


UNFIT = (
    "no signature in header.x-signature fits the body; "
    "another key, or the body was changed on its way"
)
MISSING = "header.x-signature is missing, expected a signature"
FORGED = {
    "other key": (signature(BODY, "other"), UNFIT),
    "other body": (signature(BODY + b" "), UNFIT),
    "none": ("X-Other: 1", MISSING),
    "empty": ("X-Signature:", MISSING),
    "no prefix": (
        "X-Signature: 00",
        "header.x-signature holds no signature that begins with 'sha256='",
    ),
}


@pytest.mark.parametrize(("header", "reason"), FORGED.values(), ids=FORGED)
async def test_call_that_is_not_from_the_sender_is_refused(header, reason):
    """401 with the same words for each; which check failed is for our own log."""
    async with opened() as on:
        reply = await on.send(post(PATH, BODY, header))

    assert reply.problem == problem_of(401, "Unauthorized", "the signature does not match")
    assert "retry-after" not in reply.headers
    assert on.refused == [(401, reason)]
    assert on.inbox.events == []


@pytest.mark.parametrize(
    "request_bytes",
    [
        pytest.param(post("/hooks/unknown", BODY, signature(BODY)), id="unknown token"),
        pytest.param(post("/hooks/", BODY, signature(BODY)), id="no token"),
        pytest.param(post("/hooks/abc/", BODY, signature(BODY)), id="slash behind"),
        pytest.param(post("/hooks/ABC", BODY, signature(BODY)), id="other case"),
        pytest.param(head("GET", PATH), id="GET"),
        pytest.param(head("OPTIONS", PATH), id="OPTIONS"),
        pytest.param(head("HEAD", "/hooks/unknown"), id="HEAD"),
        pytest.param(post(PATH, BODY, signature(BODY), method="PUT"), id="PUT"),
        pytest.param(head("GET", "/hooks/unknown"), id="GET of an unknown token"),
        pytest.param(head("GET", "/"), id="root"),
        pytest.param(head("GET", "/api/v1/status"), id="route of the control socket"),
    ],
)
async def test_whoever_does_not_know_the_path_finds_nothing(request_bytes):
    """Unknown tokens and other methods look the same: a path cannot be found by trying."""
    async with opened() as on:
        reply = await on.send(request_bytes)

    assert reply.status == 404
    if not request_bytes.startswith(b"HEAD"):
        assert reply.problem == problem_of(404, "Not Found", "there is nothing here")
    assert reply.headers["server"] == "integrationd"
    assert (on.inbox.events, on.ear.heard) == ([], [])


@pytest.mark.parametrize("size", [1000, 1001], ids=["largest", "one more"])
@pytest.mark.parametrize("chunked", [False, True], ids=["length", "chunked"])
async def test_body_has_a_limit(size, chunked):
    """The largest body is taken and one byte more is 413, whether its length was said or not."""
    body = b"x" * size
    if chunked:
        start = head("POST", PATH, "Transfer-Encoding: chunked", signature(body))
        request = start + b"%x\r\n%s\r\n0\r\n\r\n" % (size, body)
    else:
        request = post(PATH, body, signature(body))
    async with opened() as on:
        reply = await on.send(request)

    if size == 1000:
        assert reply.status == 200
    else:
        told = "the body is larger than this endpoint takes"
        assert reply.problem == problem_of(413, "Request Entity Too Large", told)
        assert on.refused == [(413, told)]
        assert on.inbox.events == []


async def test_length_that_is_too_large_is_refused_unread():
    """The answer comes before the body does."""
    async with opened() as on:
        reply = await on.send(head("POST", PATH, "Content-Length: 99999999", signature(BODY)))

    assert reply.status == 413


async def test_endpoint_may_take_larger_bodies_than_the_settings_say():
    """``max_body`` of the endpoint wins."""
    body = b"x" * 2000
    async with opened(endpoint="    max_body: 2KB") as on:
        taken = await on.send(post(PATH, body, signature(body)))
        refused = await on.send(post(PATH, body + b"x", signature(body + b"x")))

    assert (taken.status, refused.status) == (200, 413)


@pytest.mark.parametrize("encoding", ["gzip", "GZIP", "br", "deflate", "identity, gzip", "x"])
async def test_compressed_body_is_not_taken(encoding):
    """A small body that unpacks to a large one never gets that far."""
    async with opened() as on:
        header = f"Content-Encoding: {encoding}"
        reply = await on.send(post(PATH, BODY, signature(BODY), header))

    told = "a compressed body is not taken"
    assert reply.problem == problem_of(415, "Unsupported Media Type", told)
    assert on.refused == [(415, told)]


async def test_identity_is_no_compression():
    """A header that says nothing changes nothing."""
    async with opened() as on:
        reply = await on.send(post(PATH, BODY, signature(BODY), "Content-Encoding: Identity"))

    assert reply.status == 200


async def test_slow_body_times_out():
    """A sender that dribbles is told to try again; what it sent is not stored."""
    request = post(PATH, BODY, signature(BODY))
    async with opened() as on:
        reply = await on.send(request[:-5], pause_s=0.3)

    told = "the call took too long to arrive or to be stored"
    assert reply.problem == problem_of(503, UNAVAILABLE, told)
    assert reply.headers["retry-after"] == "30"
    assert on.refused == [(503, told)]
    assert on.inbox.events == []


async def test_slow_store_times_out():
    """An event that is not stored in time is not answered 2xx."""
    async with opened(inbox=Inbox(takes_s=5)) as on:
        reply = await on.send(post(PATH, BODY, signature(BODY)))

    assert reply.status == 503
    assert on.ear.of(EventAccepted) == []


async def test_daemon_that_stops_takes_nothing_more():
    """503 with Retry-After at a known path, 404 elsewhere as ever."""
    async with opened() as on:
        on.hooks.closed = True
        known = await on.send(post(PATH, BODY, signature(BODY)))
        unknown = await on.send(post("/hooks/unknown", BODY))

    assert known.problem == problem_of(503, UNAVAILABLE, "the daemon is stopping")
    assert known.headers["retry-after"] == "30"
    assert unknown.status == 404
    assert on.refused == [(503, "the daemon is stopping")]
    assert on.inbox.events == []


async def test_endpoint_without_its_secret_is_closed():
    """503 says nothing of the secret; our own log names it."""
    async with opened(other="x") as on:
        reply = await on.send(post(PATH, BODY, signature(BODY)))

    assert reply.problem == problem_of(503, UNAVAILABLE, "the endpoint is closed")
    assert reply.headers["retry-after"] == "30"
    assert on.refused == [(503, "integration sender needs secret 'signing'")]


@pytest.mark.parametrize(
    ("error", "told"),
    [
        (StoreBusyError("2000 transactions wait"), "too much waits to be stored"),
        (StoreError("/data/x.db: the disk is full"), "the event cannot be stored"),
    ],
    ids=["busy", "full"],
)
async def test_store_that_refuses_is_told_without_its_details(error, told):
    """The sender comes again; what is wrong with our disk is not its business."""
    async with opened(inbox=Inbox(error=error)) as on:
        reply = await on.send(post(PATH, BODY, signature(BODY)))

    assert reply.problem == problem_of(503, UNAVAILABLE, told)
    assert reply.headers["retry-after"] == "30"
    assert on.refused == [(503, str(error))]


async def test_fault_of_our_own_is_503_and_logged(caplog):
    """Never 2xx or 4xx: the sender must come again, and we must see what broke."""
    async with opened(inbox=Inbox(error=KeyError("canary"))) as on:
        reply = await on.send(post(PATH, BODY, signature(BODY)))

    assert reply.problem == problem_of(503, UNAVAILABLE, "the event cannot be stored")
    assert reply.headers["retry-after"] == "30"
    assert on.refused == [(503, "a fault")]
    (record,) = caplog.records
    assert (record.name, record.levelno) == ("integrationd.web.hooks", logging.ERROR)
    assert record.getMessage() == "webhook sender/events"
    assert isinstance(record.exc_info[1], KeyError)
