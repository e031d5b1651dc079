"""``sync --record``: what a real server answers becomes a case that holds, without a secret."""

from __future__ import annotations

import asyncio
import json
import re
import threading
from contextlib import contextmanager
from urllib.parse import parse_qs, urlsplit

import pytest
from click.testing import CliRunner

from integrationd.cli.main import cli, run_command
from integrationd.testing.serving import bind, origin_of, serve
from integrationd.wire.messages import Answer
from tests.support.canaries import Canaries

BOOKS = [
    {
        "id": number,
        "title": f"Book {number}",
        "owner": f"owner{number}@library.eu",
        "note": "n" * 400,
    }
    for number in range(1, 26)
]


@contextmanager
def library(respond):
    """Serve on the loopback from a thread of its own; yields its address."""
    listening = bind()
    loop, stop = asyncio.new_event_loop(), threading.Event()
    end = asyncio.Event()

    async def answer(call):
        return respond(call)

    async def work():
        async with serve(listening, answer):
            stop.set()
            await end.wait()

    thread = threading.Thread(target=lambda: loop.run_until_complete(work()))
    thread.start()
    stop.wait(10)
    try:
        yield origin_of(listening)
    finally:
        loop.call_soon_threadsafe(end.set)
        thread.join(10)
        loop.close()
        listening.close()


def reply(body, *, status=200, **headers):
    """Answer with JSON, or with text as it stands."""
    data = body.encode() if isinstance(body, str) else json.dumps(body).encode()
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return Answer(
        status=status,
        headers={"content-type": "application/json", **named},
        body=data,
        url="",
    )


def called(*words):
    """Run a command; returns its exit code and what it printed."""
    runner = CliRunner()
    with runner.isolation() as (out, err, _):
        code = run_command(
            lambda: cli.main(list(map(str, words)), prog_name="integrationd", standalone_mode=False)
        )
        return code, out.getvalue().decode(), err.getvalue().decode()


class Site:
    """A configuration with one integration, and where its recording goes."""

    def __init__(self, tmp_path, monkeypatch):
        self.root, self.monkeypatch = tmp_path, monkeypatch
        self.canaries = Canaries()
        (tmp_path / "etc" / "integrations").mkdir(parents=True)
        (tmp_path / "etc" / "integrationd.yaml").write_text("egress: {allow: [127.0.0.0/8]}\n")
        self.file = tmp_path / "recorded.yaml"

    def write(self, text, *secrets):
        """Write the integration, and give it secrets."""
        (self.root / "etc" / "integrations" / "branch.yaml").write_text(text)
        for name in secrets:
            variable = f"INTEGRATIOND_SECRET_BRANCH__{name.upper()}"
            self.monkeypatch.setenv(variable, self.canaries.make(name))

    def run(self, *words):
        """Run a command on it."""
        return called("--config", self.root / "etc", "--state", self.root / "state", *words)

    def record(self, stream="books"):
        """Record a stream; returns the text of the file, in which no secret is."""
        code, out, err = self.run("sync", f"branch/{stream}", "--record", self.file)
        assert (code, err) == (
            0,
            "look through it for names and numbers of people before you share it\n",
        )
        assert re.match(rf"{self.file}: \d+ exchanges, \d+ records read\n", out)
        text = self.file.read_text()
        assert self.canaries.found_in({"file": text.encode()}) == []
        assert self.run("test", self.file)[0] == 0
        return text


@pytest.fixture
def site(tmp_path, monkeypatch):
    """Return an empty configuration."""
    return Site(tmp_path, monkeypatch)


def paged(call, size=10):
    """Answer with a page of books."""
    page = int(parse_qs(urlsplit(call.url).query).get("page", ["1"])[0])
    return reply({"total": len(BOOKS), "data": BOOKS[(page - 1) * size : page * size]})


PAGED = """\
integration: branch
config: {base_url: ORIGIN}
secrets: {api_key: {}}
http:
  base_url: "{{ config.base_url }}/api"
  auth: AUTH
  paginate: {type: page, into: query.page, total: body.total}
streams: {books: {get: /books, records: body.data, key: id}}
"""


def filled(text, origin, auth=""):
    """Put an address and a way to log in into a file."""
    return text.replace("AUTH", auth).replace("ORIGIN", origin)


WAYS = {
    "bearer": '{type: bearer, token: "{{ secrets.api_key }}"}',
    "basic": '{type: basic, username: ana, password: "{{ secrets.api_key }}"}',
    "header": '{type: api_key, into: header.x-key, value: "{{ secrets.api_key }}"}',
    "query": '{type: api_key, into: query.key, value: "{{ secrets.api_key }}"}',
    "signed": (
        '{type: signed, algorithm: sha256, key: "{{ secrets.api_key }}", sign: "{{ url }}", into: '
        "query.sig}"
    ),
}


@pytest.mark.parametrize("way", ["bearer", "basic", "header", "query"])
def test_a_reading_is_kept_and_holds(site, way):
    """Whatever the credentials, and though the server repeats them everywhere."""

    def respond(call):
        sent = json.dumps([call.url, dict(call.headers)])
        key = call.headers.get("authorization", call.headers.get("x-key", "-"))
        return reply(
            {**json.loads(paged(call).body), "token": "never seen before", "echo": sent},
            set_cookie="session=never seen before",
            x_echo=key,
        )

    with library(respond) as origin:
        site.write(filled(PAGED, origin, WAYS[way]), "api_key")
        text = site.record()

    assert "never seen before" not in text
    assert origin not in text
    assert text.count("title: Book") == 10  # nine of three pages, and the first that is expected
    assert "library.eu" not in text
    assert "n" * 201 not in text


def test_the_file_is_read_as_it_was_written(site):
    """Its whole text, so that a change of its form is seen."""
    with library(lambda call: reply({"total": 1, "data": [{"id": 7, "title": "Tides"}]})) as origin:
        site.write(filled(PAGED, origin, WAYS["bearer"]), "api_key")
        text = site.record()

    assert re.sub(r"\d{4}-\d\d-\d\d(T\d\d:\d\d:\d\dZ)?", "NOW", text) == (
        "# Recorded from a real account and scrubbed: secrets, tokens, cookies, e-mail addresses "
        "and hosts of\n"
        "# the configuration are made up, most items of lists are left out, and long texts cut. "
        "Names and\n"
        "# numbers of people may still stand here: look through it before you give it away.\n"
        "cases: branch\n"
        "config:\n"
        "  base_url: https://branch.test\n"
        "streams:\n"
        "  - name: recorded on NOW\n"
        "    stream: books\n"
        '    now: "NOW"\n'
        "    exchanges:\n"
        "      - request:\n"
        "          method: GET\n"
        "          path: /api/books\n"
        "          query:\n"
        '            page: "1"\n'
        "        response:\n"
        "          body:\n"
        "            total: 1\n"
        "            data:\n"
        "              - id: 7\n"
        "                title: Tides\n"
        "    expect:\n"
        "      records: 1\n"
        "      first:\n"
        '        external_id: "7"\n'
        "        id: 7\n"
        "        title: Tides\n"
        "      cursor: null\n"
    )


def test_nothing_is_stored_and_nothing_overwritten(site):
    """The store stays as it was, and a file that is there too."""
    with library(paged) as origin:
        site.write(filled(PAGED, origin, WAYS["bearer"]), "api_key")
        first = site.record()
        again = site.run("sync", "branch/books", "--record", site.file)
        records = site.run("records", "branch/books", "--json")

    assert again == (
        2,
        "",
        f"integrationd: {site.file} is there already; name another file, nothing is overwritten\n",
    )
    assert site.file.read_text() == first
    assert records[1] == ""


NEXT = """\
integration: branch
config: {base_url: ORIGIN}
secrets: {api_key: {}}
http:
  base_url: "{{ config.base_url }}"
  auth: {type: bearer, token: "{{ secrets.api_key }}"}
  paginate: {type: next_url, next: body.next}
streams: {books: {get: /books, records: body.data, key: id}}
"""


def test_addresses_of_next_pages_still_lead_on(site):
    """Their host is another one, and what signs them is made up, in answers and requests alike."""
    signed = site.canaries.make("signature", special=False)

    def respond(call):
        if "cursor" in call.url:
            return reply({"data": BOOKS[10:12], "next": None})
        url = f"{origin}/books?cursor=2&sig={signed}"
        return reply({"data": BOOKS[:10], "next": url})

    with library(respond) as origin:
        site.write(filled(NEXT, origin), "api_key")
        text = site.record()

    assert 'next: "https://branch.test/books?cursor=2&sig=made-up"' in text


def test_a_page_that_must_be_full_keeps_what_paging_hangs_on(site):
    """Of items that cannot be left out the fields that are not needed are."""
    offset = NEXT.replace(
        "{type: next_url, next: body.next}",
        "{type: offset, into: query.from, size: {value: 10, into: query.n}}",
    )

    def respond(call):
        start = int(parse_qs(urlsplit(call.url).query).get("from", ["0"])[0])
        return reply({"data": BOOKS[start : start + 10]})

    with library(respond) as origin:
        site.write(filled(offset, origin), "api_key")
        text = site.record()

    assert text.count("- id: ") == 25
    assert text.count("title: Book") == 10
    assert "records: 25" in text


def test_a_long_list_ends_as_if_the_connection_broke(site):
    """Ten exchanges are enough for people to read; the case says how it ends."""
    with library(lambda call: paged(call, size=1)) as origin:
        site.write(filled(PAGED, origin, WAYS["bearer"]), "api_key")
        text = site.record()

    assert text.count("- request:") == 10
    assert "fault: unreached" in text
    assert "outcome: failed" in text


def test_children_are_kept_with_their_parents(site):
    """So that the case begins where nothing is known."""
    children = PAGED.replace("streams: {books: {", "streams:\n  books: {").replace(
        "id}}\n", "id}\n"
    )
    children += (
        "  copies: {for_each: {stream: books, value: id, as: book}, paginate: none, key: id, get: "
        '"/books/{{ each.book }}/copies"}\n'
    )

    def respond(call):
        found = re.search(r"/books/(\d+)/copies", call.url)
        if found is None:
            return reply({"total": 2, "data": BOOKS[:2]})
        return reply([{"id": int(found[1]) * 10}])

    with library(respond) as origin:
        site.write(filled(children, origin, WAYS["bearer"]), "api_key")
        text = site.record("copies")

    assert [line.strip() for line in text.splitlines() if "path:" in line] == [
        "path: /api/books",
        "path: /api/books/1/copies",
        "path: /api/books/2/copies",
    ]


def test_tokens_are_had_beside_the_case(site):
    """The request for one and its answer are not in it, and no token is."""
    granted = site.canaries.make("granted")
    auth = (
        "{type: oauth2, grant: client_credentials, token_url: ORIGIN/token, client_id: me, "
        'client_secret: "{{ secrets.api_key }}"}'
    )

    def respond(call):
        if call.url.endswith("/token"):
            return reply({"access_token": granted, "expires_in": 3600})
        return reply({**json.loads(paged(call).body), "you": call.headers["authorization"]})

    with library(respond) as origin:
        site.write(filled(PAGED, origin, auth), "api_key")
        text = site.record()

    assert "/token" not in text


def test_text_is_kept_as_it_stands(site):
    """A list in CSV, with the secret in one of its cells."""
    csv = PAGED.replace(
        "get: /books, records: body.data", "get: /books, decode: csv, paginate: none"
    )

    def respond(call):
        secret = call.headers["authorization"].removeprefix("Bearer ")
        return Answer(
            status=200,
            headers={"content-type": "text/csv"},
            body=f"id,title\n1,Tides\n2,{secret[:8]}\n".encode(),
            url="",
        )

    with library(respond) as origin:
        site.write(filled(csv, origin, WAYS["bearer"]), "api_key")
        text = site.record()

    assert "1,Tides" in text


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (
            ["sync", "branch", "--record", "x.yaml"],
            "'branch' names no stream, expected one with --record: branch/STREAM",
        ),
        (
            ["sync", "branch/books", "--full", "--record", "x.yaml"],
            "--record reads everything anew; leave --full and --confirm out",
        ),
    ],
)
def test_wrong_usage_is_told(site, words, told):
    """Before anything is asked."""
    site.write(filled(PAGED, "http://127.0.0.1:9", WAYS["bearer"]), "api_key")

    assert site.run(*words) == (2, "", f"integrationd: {told}\n")


def test_an_account_that_does_not_answer_leaves_no_file(site):
    """It says why nothing is written."""
    site.write(filled(PAGED, "http://127.0.0.1:9", WAYS["bearer"]))

    code, out, err = site.run("sync", "branch/books", "--record", site.file)

    assert (code, out) == (1, "")
    assert err.startswith(
        "integrationd: nothing was answered, so nothing is written: integration branch needs"
    )
    assert not site.file.exists()
