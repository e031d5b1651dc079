"""Every kind of body and of decoder over a real socket, by the command that a person uses."""

import gzip
import io
import json
import threading
import zipfile
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from click.testing import CliRunner

from integrationd.cli.main import cli, run_command

WORKBOOK = Path(__file__).parents[1] / "unit" / "wire" / "workbook.xlsx"
SPEC = """\
integration: office
http:
  base_url: "http://127.0.0.1:%d"
  encode: {lists: indexed, objects: brackets}
  max_response: 2MB
operations:
  json: {post: /echo, json: {a: [1, null]}}
  omit: {post: /echo, json: {a: null, b: 1}, encode: {nulls: omit}}
  form: {post: /echo, form: {a: [{b: é}]}, query: {f: {g: [1]}}}
  parts: {post: /echo, multipart: {a: {b: é}}}
  xml: {post: /echo, input: {n: {type: string}}, xml: "<n>{{ input.n }}</n>"}
  soap: {post: /echo, headers: {content-type: text/xml}, xml: <n/>}
  graphql: {post: /echo, graphql: {query: "{ me }", variables: {n: 1}}}
  raw: {post: /echo, raw: {text: "a;é", content_type: text/csv}}
  safe: {get: /echo, query: {ids: "List(1,2)"}, encode: {safe: "(),"}}
  in_json: {get: /latin.json}
  in_ndjson: {get: /lines, decode: ndjson}
  in_csv: {get: /csv, decode: {type: csv, delimiter: ";", encoding: windows-1252}}
  in_xml: {get: /xml, decode: {type: xml, lists: [b]}}
  in_text: {get: /text, decode: text}
  in_gzip: {get: /csv.gz, decode: {type: csv, compression: gzip}}
  in_zip: {get: /zip, decode: {type: csv, compression: zip, member: "*.csv"}}
  in_xlsx: {get: /xlsx, decode: {type: xlsx, sheet: Ü 2}}
  in_none: {get: /none, decode: csv}
  in_page: {get: /page, decode: csv}
  in_bomb: {get: /bomb, decode: {type: text, compression: auto}}
"""


def zipped(**files):
    """Pack files."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(name.replace("_", "."), content)
    return packed.getvalue()


ANSWERS = {
    "/latin.json": (200, "application/json; charset=iso-8859-1", '{"a": "é"}'.encode("latin-1")),
    "/lines": (200, "application/x-ndjson", b'{"a": 1}\n{"a": 2}\n'),
    "/csv": (200, "text/csv", "a;b\n1;“é”\n".encode("cp1252")),
    "/xml": (200, "application/xml", b'<?xml version="1.0"?><x:a xmlns:x="u"><b c="1"/></x:a>'),
    "/text": (200, "text/plain; charset=latin-1", "é".encode("latin-1")),
    "/csv.gz": (200, "application/gzip", gzip.compress(b"a\n1\n", mtime=0)),
    "/zip": (200, "application/zip", zipped(a_csv="a\n1\n", read_me="x", b_csv="a\n2\n")),
    "/xlsx": (200, "application/octet-stream", WORKBOOK.read_bytes()),
    "/none": (204, "text/plain", b""),
    "/page": (200, "text/html", b"<!doctype html><title>Sign in</title>"),
    "/bomb": (200, "text/plain", gzip.compress(b"0" * 20_000_000, mtime=0)),
}


class Office(BaseHTTPRequestHandler):
    """Says what it was sent, or what stands in the table."""

    def log_message(self, *_):
        """Say nothing."""

    def do_GET(self):
        """Answer from the table."""
        path = self.path.partition("?")[0]
        self._answer(*(ANSWERS[path] if path in ANSWERS else self._echo()))

    def do_POST(self):
        """Answer with what came."""
        self._answer(*self._echo())

    def _echo(self):
        body = self.rfile.read(int(self.headers.get("content-length", 0))).decode()
        kind = self.headers.get("content-type", "")
        seen = [self.path, kind.partition("; boundary")[0], body.partition("\r\n\r\n")[2] or body]
        return 200, "application/json", json.dumps(seen).encode()

    def _answer(self, status, kind, data):
        self.send_response(status)
        self.send_header("content-type", kind)
        if status != 204:
            self.send_header("content-length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)


@pytest.fixture(scope="module")
def call(tmp_path_factory):
    """Serve, and return what calls one operation: its exit code, output and error."""
    home = tmp_path_factory.mktemp("office")
    with ThreadingHTTPServer(("127.0.0.1", 0), Office) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        (home / "etc" / "integrations").mkdir(parents=True)
        (home / "etc" / "integrationd.yaml").write_text("egress: {allow: [127.0.0.0/8]}\n")
        (home / "etc" / "integrations" / "office.yaml").write_text(SPEC % server.server_port)
        places = ["--config", str(home / "etc"), "--state", str(home / "state")]

        def run(*words):
            with CliRunner().isolation() as (out, err, _):
                code = run_command(
                    lambda: cli.main([*places, "call", "office", *words], standalone_mode=False)
                )
                return code, out.getvalue().decode(), err.getvalue().decode()

        yield run
        server.shutdown()
        thread.join()


FORM = "application/x-www-form-urlencoded"


@pytest.mark.parametrize(
    ("words", "seen"),
    [
        (["json"], ["/echo", "application/json", '{"a":[1,null]}']),
        (["omit"], ["/echo", "application/json", '{"b":1}']),
        (["form"], ["/echo?f%5Bg%5D%5B0%5D=1", FORM, "a%5B0%5D%5Bb%5D=%C3%A9"]),
        (["xml", "n=<&"], ["/echo", "application/xml; charset=utf-8", "<n>&lt;&amp;</n>"]),
        (["soap"], ["/echo", "text/xml", "<n/>"]),
        (["graphql"], ["/echo", "application/json", '{"query":"{ me }","variables":{"n":1}}']),
        (["raw"], ["/echo", "text/csv", "a;é"]),
        (["safe"], ["/echo?ids=List(1,2)", "", ""]),
    ],
)
def test_body_arrives_as_it_is_said(call, words, seen):
    """With its content type; and the query beside it."""
    code, out, err = call(*words)

    assert (code, err) == (0, f"office/{words[0]}: done\n")
    assert json.loads(out) == seen


def test_parts_arrive_one_by_one(call):
    """Each behind its boundary."""
    _, out, _ = call("parts")
    path, kind, body = json.loads(out)

    assert (path, kind) == ("/echo", "multipart/form-data")
    assert body.startswith("é\r\n--part-")


@pytest.mark.parametrize(
    ("name", "body"),
    [
        ("in_json", {"a": "é"}),
        ("in_ndjson", [{"a": 1}, {"a": 2}]),
        ("in_csv", [{"a": "1", "b": "“é”"}]),
        ("in_xml", {"a": {"b": [{"@c": "1"}]}}),
        ("in_text", "é"),
        ("in_gzip", [{"a": "1"}]),
        ("in_zip", [{"a": "1"}, {"a": "2"}]),
        ("in_xlsx", [{"only": 1}]),
        ("in_none", None),
    ],
)
def test_answer_is_read_as_it_is_said(call, name, body):
    """Whatever its format, what comes out is JSON."""
    code, out, _ = call(name)

    assert code == 0
    assert json.loads(out) == body


@pytest.mark.parametrize(
    ("name", "message"),
    [
        (
            "in_page",
            (
                "the answer of /page is an HTML page titled 'Sign in', expected CSV; is base_url "
                "right?"
            ),
        ),
        (
            "in_bomb",
            (
                "the answer of /bomb cannot be unpacked: it unpacks to more than 2MB; raise "
                "http.max_response"
            ),
        ),
    ],
)
def test_answer_that_cannot_be_read_fails_the_call(call, name, message):
    """And says why."""
    code, _, err = call(name)

    assert code == 1
    assert message in err


@pytest.mark.parametrize("name", ["xml", "raw", "graphql", "parts", "form"])
def test_dry_run_shows_the_body(call, name):
    """As it would be sent, and nothing is."""
    code, out, _ = call(name, *(["n=<&"] if name == "xml" else []), "--dry-run")
    shown = {"xml": "<n>&lt;&amp;</n>", "raw": "a;é", "graphql": '"query":"{ me }"'}

    assert code == 0
    assert shown.get(name, "%C3%A9" if name == "form" else 'name="a[b]"') in out
