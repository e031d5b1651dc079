"""Command lines of curl: words, options, secrets, and what is told of each."""

import re

import pytest

from integrationd.config.nodes import to_json
from integrationd.config.problems import Problems
from integrationd.config.yaml import parse_yaml
from integrationd.importers.curl.provider import import_curl
from integrationd.importers.curl.words import CommandError, split_command
from tests.importers.documents import check_files

CANARY = "hunter2canary"


def words(text):
    """Return the words of a command line."""
    return [word.text for word in split_command(text, file="c").words]


def made(text):
    """Import a command line; nothing of it may hold the canary, and it has to be loadable."""
    imported = import_curl(text.encode(), file="c.sh")
    everything = "\n".join([*imported.files.values(), *map(str, imported.findings)])
    assert CANARY not in everything
    assert check_files(imported.files) == ()
    return imported


def spec(text):
    """Return the provider's file as a value."""
    (file,) = made(text).files.values()
    return to_json(parse_yaml(file.encode(), file="x", problems=Problems()))


def losses(text):
    """Return what could not be said."""
    return [str(each) for each in made(text).losses]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param("curl a  b\tc", ["curl", "a", "b", "c"], id="blanks"),
        pytest.param("curl 'a b'\"c d\"e", ["curl", "a bc de"], id="quotes-in-one-word"),
        pytest.param("curl ''", ["curl", ""], id="empty"),
        pytest.param(r'curl "a\"b\\c\d\$e"', ["curl", 'a"b\\c\\d$e'], id="in-double-quotes"),
        pytest.param(r"curl a\ b\'", ["curl", "a b'"], id="backslashes"),
        pytest.param("curl a \\\n  b \\\r\n c", ["curl", "a", "b", "c"], id="line-ends"),
        pytest.param(r"curl $'a\'b\n\x41\u00e9\101'", ["curl", "a'b\nAéA"], id="ansi"),
        pytest.param("# first\ncurl a # b", ["curl", "a"], id="comments"),
        pytest.param("curl a#b <id> c", ["curl", "a#b", "<id>", "c"], id="no-comments"),
        pytest.param('curl ^"a^\\^"b^" ^\r\n  -H ^"c^&d^"', ["curl", 'a"b', "-H", "c&d"], id="cmd"),
        pytest.param('curl ^"a^&b^" -s', ["curl", "a&b", "-s"], id="cmd-of-one-line"),
        pytest.param("curl -d 'a=^\"' b", ["curl", "-d", 'a=^"', "b"], id="caret-in-quotes"),
        pytest.param("curl -d 'a ^\"' b", ["curl", "-d", 'a ^"', "b"], id="caret-word-in-quotes"),
        pytest.param('curl -d "a ^" b', ["curl", "-d", "a ^", "b"], id="caret-at-the-end"),
        pytest.param("curl a | jq .", ["curl", "a"], id="pipe"),
        pytest.param("curl a > out", ["curl", "a"], id="redirection"),
    ],
)
def test_words_are_those_of_the_shell(text, expected):
    """Quotes of each kind, continued lines, and Windows' way."""
    assert words(text) == expected


def test_what_the_shell_would_do_besides_is_told():
    """Nothing is run and nothing is looked up."""
    text = 'curl https://a.test/x -H "X-A: $(cat f)" -H "X-B: $B" | jq .'

    told = [str(each) for each in made(text).findings if "the user" not in each.message]
    assert [line for line in told if "unsaid" in line] == [
        "c.sh:1:32: unsaid: a command inside the command is not run; put its value there",
        "c.sh:1:55: unsaid: what follows the command is not done",
    ]
    assert "c.sh:1:45: note: the shell's variable 'B' is not looked up" in told


@pytest.mark.parametrize(
    ("command", "auth", "secrets"),
    [
        pytest.param(
            f"-u me:{CANARY}",
            {
                "type": "basic",
                "username": "{{ secrets.username }}",
                "password": "{{ secrets.password }}",
            },
            ["username", "password"],
            id="user",
        ),
        pytest.param(
            f"--digest -u me:{CANARY}",
            {
                "type": "digest",
                "username": "{{ secrets.username }}",
                "password": "{{ secrets.password }}",
            },
            ["username", "password"],
            id="digest",
        ),
        pytest.param(
            f"-u{CANARY}:",
            {"type": "basic", "username": "{{ secrets.username }}", "password": ""},
            ["username"],
            id="key-as-user",
        ),
        pytest.param(
            f"-H 'Authorization: Bearer {CANARY}'",
            {"type": "bearer", "token": "{{ secrets.token }}"},
            ["token"],
            id="bearer",
        ),
        pytest.param(
            "-H 'authorization: Basic bWU6aHVudGVyMmNhbmFyeQ=='",
            {
                "type": "basic",
                "username": "{{ secrets.username }}",
                "password": "{{ secrets.password }}",
            },
            ["username", "password"],
            id="basic-header",
        ),
        pytest.param(
            f"-H 'Authorization: SSWS {CANARY}'",
            {
                "type": "api_key",
                "into": "header.authorization",
                "value": "{{ secrets.key }}",
                "prefix": "SSWS ",
            },
            ["key"],
            id="another-word",
        ),
        pytest.param(
            f"-H 'X-API-Key: {CANARY}'",
            {"type": "api_key", "into": "header.x-api-key", "value": "{{ secrets.x_api_key }}"},
            ["x_api_key"],
            id="header",
        ),
        pytest.param(
            f"-G -d access_token={CANARY}",
            {
                "type": "api_key",
                "into": "query.access_token",
                "value": "{{ secrets.access_token }}",
            },
            ["access_token"],
            id="parameter",
        ),
        pytest.param(
            f"--aws-sigv4 aws:amz:eu-west-1:s3 -u AKIAX:{CANARY}",
            {
                "type": "sigv4",
                "service": "s3",
                "region": "eu-west-1",
                "access_key": "{{ secrets.access_key }}",
                "secret_key": "{{ secrets.secret_key }}",
            },
            ["access_key", "secret_key"],
            id="sigv4",
        ),
    ],
)
def test_credentials_become_references(command, auth, secrets):
    """Each secret has a name, and none its value."""
    found = spec(f"curl https://a.test/orders {command}")

    assert (found["http"]["auth"], list(found["secrets"])) == (auth, secrets)


@pytest.mark.parametrize(
    "command",
    [
        f"-H 'Cookie: sid={CANARY}; a=b'",
        f"-b 'sid={CANARY}'",
        f"-H 'X-A: 1' -H 'X-Auth-Token: {CANARY}' -H 'X-Signature: {CANARY}'",
        f"-d 'user=me&password={CANARY}'",
        f"--json '{{\"user\": \"me\", \"login\": {{\"secret\": \"{CANARY}\"}}}}'",
        f"--json '[{{\"apiKey\": \"{CANARY}\"}}]'",
        f"-F token={CANARY}",
        f"-d '<login><password>{CANARY}</password></login>' -H 'content-type: text/xml'",
        f"-d '{{\"password\": \"{CANARY}\",}}' -H 'content-type: application/json'",
        f"-x http://me:{CANARY}@proxy.test:3128",
        f"-x proxy.test -U me:{CANARY}",
        f"-u me:{CANARY} --unknown={CANARY} -%{CANARY}",
        f"--tlspassword {CANARY} --pass {CANARY} --proxy-pass {CANARY}",
        f"-E cert.pem:{CANARY}",
        f"-K {CANARY} -T {CANARY} -d @{CANARY} -H @{CANARY} -b {CANARY}",
        f"-H 'Authorization: {CANARY}'",
        f"-H 'no colon {CANARY}' -H '{CANARY};'",
        f"-m {CANARY} --retry {CANARY}",
        f"| sh -c {CANARY}",
    ],
)  # fmt: skip
def test_no_secret_reaches_a_file_or_the_report(command):
    """Wherever it stands, in options that are not known too; told is the name to set."""
    made(f"curl https://a.test/login {command}")


@pytest.mark.parametrize(
    "value",
    [
        "sk_live_51H8abcdefABCDEF",
        "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2ln",
        "9f86d081884c7d659a2feaa0c55ad015",
        "ghp_16C7e42F292c6912E7710c838347Ae178B4a",
        "AKIAIOSFODNN7EXAMPLE",
    ],
)
def test_values_that_look_like_secrets_are_hidden(value):
    """In the query, in a path, in any header and in bodies of any kind."""
    command = (
        f"curl 'https://a.test/hooks/{value}/x?v={value}' -H 'X-Odd: {value}' "
        f"-H 'content-type: text/plain' -d 'say {value} now'"
    )
    imported = import_curl(command.encode(), file="c.sh")

    everything = "\n".join([*imported.files.values(), *map(str, imported.findings)])
    assert value not in everything
    assert check_files(imported.files) == ()


@pytest.mark.parametrize(
    "value", ["2024-01-01T00:00:00Z", "application/json", "en-US", "active-customers-of-2024"]
)
def test_plain_values_are_kept(value):
    """Words, dates and kinds of content are no secrets."""
    assert value in str(spec(f"curl 'https://a.test/x' -H 'X-Plain: {value}'"))


def test_ids_in_the_path_are_inputs():
    """Of an operation; in a list they are supplied by the configuration."""
    one = spec("curl https://a.test/v1/customers/cus_9s6XKzkNRiz8i3/cards/17")
    several = spec("curl https://a.test/api/2/shops/17/orders?limit=5")

    assert one["operations"]["get_cards"] == {
        "input": {"customer_id": {"type": "string"}, "card_id": {"type": "string"}},
        "get": "/v1/customers/{{ input.customer_id }}/cards/{{ input.card_id }}",
    }
    assert several["config"] == {"shop_id": {"type": "string"}}
    assert several["streams"]["orders"]["get"] == "/api/2/shops/{{ config.shop_id }}/orders"


@pytest.mark.parametrize("segment", ["{id}", ":id", "<id>", "$id", "${id}"])
def test_what_is_to_be_filled_in_is_an_input(segment):
    """Vendors write it in several ways."""
    found = spec(f"curl -X DELETE https://a.test/items/{segment}")

    assert found["operations"]["delete_items"] == {
        "input": {"id": {"type": "string"}},
        "delete": "/items/{{ input.id }}",
    }


def test_list_is_a_stream_with_its_pages():
    """By the number or the offset in its query; a list without either is told."""
    found = spec("curl 'https://a.test/orders?offset=0&limit=50&state=open'")["streams"]["orders"]

    assert found == {
        "get": "/orders",
        "query": {"state": "open"},
        "paginate": {
            "type": "offset",
            "into": "query.offset",
            "start": 0,
            "size": {"into": "query.limit", "value": 50},
        },
        "records": "[body, body.data, body.items, body.results, body.orders]"
        "[?type(@) == 'array'] | [0]",
        "key": "id",
    }


@pytest.mark.parametrize(
    ("option", "told"),
    [
        (
            "-k",
            "--insecure: certificates are always checked; say 'http.tls.ca' for one of your own",
        ),
        ("-I", "--head: HEAD is not asked; GET is"),
        ("-d @a.json", "--data: what stands in a file is not read; put the text there"),
        ("-F a=@b.png", "--form: what stands in a file is not read; put the text there"),
        ("-T a", "--upload-file: files are not sent"),
        ("--ntlm", "--ntlm: this way to log in is not known here"),
        ("--interface eth0", "--interface: it cannot be said here"),
        ("--wat", "this is no option of curl that is known here"),
        ("--next https://b.test", "--next: only the first request is imported"),
        ("https://b.test", "a second URL; only the first request is imported"),
        ("-x socks5://p.test", "--proxy: only an HTTP proxy is known here"),
    ],
)
def test_options_that_cannot_be_said_are_told(option, told):
    """With their place; the rest of the command is translated."""
    lines = losses(f"curl https://a.test/x {option}")

    assert [re.sub(r"^c\.sh:1:\d+: unsaid: ", "", line) for line in lines] == [told]


@pytest.mark.parametrize(
    "option", ["-s", "-sSL", "-o f", "-ofile", "--compressed", "-w '%{json}'", "--no-keepalive"]
)
def test_options_without_meaning_are_notes(option):
    """They tell curl how to show an answer."""
    assert losses(f"curl https://a.test/x {option}") == []


def test_bodies_keep_their_kind():
    """Several parts of a form are joined, those of `--json` are one text."""
    form = spec("curl https://a.test/x -d a=1 -d b=2 --data-urlencode 'b=x y'")["operations"]
    text = spec("""curl https://a.test/x --json '{"a":' --json ' [1, "{{ b }}"]}'""")["operations"]

    assert form["post_x"]["form"] == {"a": "1", "b": ["2", "x y"]}
    assert text["post_x"]["json"] == {"a": [1, "{{ '{{' }} b }}"]}


def test_unknown_short_option_ends_its_word():
    """What follows it may be its value."""
    assert losses("curl https://a.test/x -%abc") == [
        "c.sh:1:23: unsaid: this is no option of curl that is known here"
    ]


def test_words_before_a_secret_tell_it():
    """However short it is."""
    made(f"curl https://a.test/x -H 'X-Odd: Token {CANARY}' -H 'X-Other: Bearer {CANARY}'")


def test_times_and_retries_are_taken():
    """And certificates by the names of their secrets."""
    found = spec("curl https://a.test/x -m 20 --connect-timeout 2.5 --retry 3 -E c.pem --key k.pem")

    assert found["http"] == {
        "base_url": "https://a.test",
        "timeout": "20s",
        "connect_timeout": "3s",
        "retries": 3,
        "tls": {"certificate": "{{ secrets.certificate }}", "key": "{{ secrets.private_key }}"},
    }


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "c.sh: expected a command that begins with 'curl'"),
        ("wget https://a.test", "c.sh: expected a command that begins with 'curl'"),
        ("curl -s", "c.sh:1:1: no URL in the command"),
        ("curl ftp://a.test", "c.sh:1:6: expected a URL that begins with http:// or https://"),
        ("curl 'https://a.test", "c.sh:1:6: the quote that begins here has no end"),
        ("curl https://[a", "c.sh:1:6: the URL cannot be read"),
        (
            "curl https://{host}/a",
            "c.sh:1:6: the host is no name; put it in place of what stands for it",
        ),
        (
            "curl -X BREW https://a.test",
            "c.sh:1:1: the method is none of get, post, put, patch, delete",
        ),
    ],
)
def test_what_is_no_command_is_refused(text, message):
    """With the place, and never with what stands there."""
    with pytest.raises(CommandError) as caught:
        import_curl(text.encode(), file="c.sh")

    assert str(caught.value) == message


@pytest.mark.parametrize("data", [b"curl \xff", b"curl a\0b", b"curl " + b"a" * 1024 * 1024])
def test_what_is_no_text_is_refused(data):
    """Bytes that are no UTF-8, zeros, and too much of it."""
    with pytest.raises(CommandError):
        import_curl(data, file="c.sh")
