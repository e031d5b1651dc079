"""Command lines of curl made from a grammar, with what a person would supply for them."""

from __future__ import annotations

import json
import shlex
from dataclasses import dataclass, field
from urllib.parse import quote

from hypothesis import strategies as st

WORDS = st.sampled_from(["orders", "items", "people", "search", "status"])
TEXTS = st.text(
    st.sampled_from("abc XYZ019-_.~!*'();:@&=+$,/?#[]%{}\"\\<>|^`é€😀\t"), min_size=1, max_size=12
).filter(lambda text: text.strip() == text)
PLAIN = st.text(st.sampled_from("abcxyz019 -_."), min_size=1, max_size=10).filter(
    lambda text: text.strip() == text
)
SECRETS = st.text(st.sampled_from("abcdefXYZ0123456789"), min_size=20, max_size=24).map(
    lambda text: f"canary9{text}"
)
NAMES = st.sampled_from(["q", "sort", "filter[state]", "fields", "since", "größe"])
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(10**12), 10**12) | TEXTS,
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["a", "b c", "d.e", "{{f}}"]), inner, max_size=3)
    ),
    max_leaves=6,
)


@dataclass
class Command:
    """A command line's words, and what was hidden in it."""

    words: list[str]
    text: str = ""
    secrets: dict[str, str] = field(default_factory=dict)
    """Values by how the importer tells their place."""
    ids: list[str] = field(default_factory=list)
    """The values in the path, in their order."""


def ansi(word: str) -> str:
    """Quote a word as browsers do where it holds quotes and line ends."""
    escaped = "".join(
        {"'": "\\'", "\\": "\\\\", "\n": "\\n", "\t": "\\t", "!": "\\u0021"}.get(sign, sign)
        for sign in word
    )
    return f"$'{escaped}'"


def double(word: str) -> str:
    """Quote a word in double quotes."""
    escaped = "".join(f"\\{sign}" if sign in '"\\$`' else sign for sign in word)
    return f'"{escaped}"'


def windows(word: str) -> str:
    """Quote a word as browsers do for Windows' shell."""
    inner = word.replace("\\", "\\\\").replace('"', '\\"')
    escaped = "".join(f"^{sign}" if sign in '^&|<>%!"' else sign for sign in inner)
    return f'^"{escaped}^"'


QUOTES = (shlex.quote, ansi, double)


@st.composite
def commands(draw):
    """Draw a command."""
    made = Command(["curl"])
    url = draw_url(draw, made)
    options: list[list[str]] = []
    draw_login(draw, made, options)
    names = st.sampled_from(["X-Trace", "Accept-Language", "X-Mode"])
    for name in draw(st.lists(names, unique=True, max_size=2)):
        options += [["-H", f"{name}: {draw(PLAIN)}"]]
    draw_body(draw, made, options)
    options += draw(
        st.lists(st.sampled_from([["-s"], ["--compressed"], ["-L"], ["-i"]]), max_size=2)
    )
    groups = draw(st.permutations([*options, [url]]))
    made.words += [word for group in groups for word in group]
    quoting = draw(st.sampled_from(["posix", "windows"]))
    quoted = [
        windows(word) if quoting == "windows" else draw(st.sampled_from(QUOTES))(word)
        for word in made.words[1:]
    ]
    break_ = " ^\r\n  " if quoting == "windows" else " \\\n  "
    joined = "curl"
    for word in quoted:
        joined += (break_ if draw(st.booleans()) else " ") + word
    made.text = joined
    return made


def draw_url(draw, made):
    """Draw an address on the server that `BASE` stands for."""
    parts = []
    for _ in range(draw(st.integers(1, 3))):
        parts.append(draw(WORDS))
        if draw(st.booleans()):
            value = draw(st.integers(1, 10**6).map(str) | st.uuids().map(str))
            made.ids.append(value)
            parts.append(value)
    pairs = [(draw(NAMES), draw(PLAIN)) for _ in range(draw(st.integers(0, 2)))]
    if draw(st.booleans()):
        pairs.append(("page", str(draw(st.integers(0, 9)))))
        pairs.append(("per_page", str(draw(st.integers(1, 99)))))
    query = "&".join(f"{quote(name)}={quote(value)}" for name, value in pairs)
    return f"BASE/{'/'.join(parts)}{f'?{query}' if query else ''}"


def draw_login(draw, made, options):
    """Draw how the request says who asks."""
    kind = draw(st.sampled_from(["none", "basic", "bearer", "header", "token", "oauth2", "cookie"]))
    secret = draw(SECRETS)
    if kind == "basic":
        name = draw(SECRETS)
        options.append(["-u", f"{name}:{secret}"])
        made.secrets |= {"the user name": name, "the password": secret}
    elif kind in ("bearer", "token"):
        word = {"bearer": "Bearer", "token": "Token"}[kind]
        options.append(["-H", f"Authorization: {word} {secret}"])
        made.secrets["the header 'authorization'"] = secret
    elif kind == "header":
        options.append(["-H", f"X-Api-Key: {secret}"])
        made.secrets["the header 'x-api-key'"] = secret
    elif kind == "oauth2":
        options.append(["--oauth2-bearer", secret])
        made.secrets["the value of --oauth2-bearer"] = secret
    elif kind == "cookie":
        options.append(["-b", f"sid={secret}", "-b", "theme=dark"])
        made.secrets["the header 'cookie'"] = f"sid={secret}; theme=dark"


def draw_body(draw, made, options):
    """Draw a method and a body."""
    kind = draw(st.sampled_from(["none", "none", "json", "form", "encoded", "parts", "raw", "get"]))
    method = draw(st.sampled_from(["POST", "PUT", "PATCH", "DELETE"]))
    pairs = [(f"n{at}", draw(TEXTS)) for at in range(draw(st.integers(1, 3)))]
    if kind == "json":
        body = {"name": draw(VALUES), "list": draw(VALUES), "password": draw(SECRETS)}
        made.secrets["'password' of the body"] = body["password"]
        text = json.dumps(body, ensure_ascii=draw(st.booleans()))
        named = [["--json", text], ["-H", "Content-Type: application/json", "--data-raw", text]]
        options.append(draw(st.sampled_from(named)))
    elif kind == "form":
        text = "&".join(f"{name}={quote(value, safe='')}" for name, value in pairs)
        options.append([draw(st.sampled_from(["-d", "--data-raw", "--data-binary"])), text])
    elif kind in ("encoded", "get"):
        options += [["--data-urlencode", f"{name}={value}"] for name, value in pairs]
        options += [["-G"]] if kind == "get" else []
    elif kind == "parts":
        options += [["--form-string", f"{name}={value}"] for name, value in pairs]
    elif kind == "raw":
        text = draw(st.sampled_from(["<a>b</a>", "id;name\n1;x\n", "plain"]))
        options.append(["-H", "Content-Type: text/plain", "--data-binary", text])
    if kind not in ("none", "get") and draw(st.booleans()):
        options.append(["-X", method])
