"""Fields of a block as templates; what cannot be said is told with its place."""

from __future__ import annotations

from integrationd.config.hiding import names_secret
from integrationd.importers.hidden import looks_secret
from integrationd.importers.naming import to_word
from integrationd.importers.nango.block import Block
from integrationd.importers.nango.texts import Names, UnsayableError


def text_of(block: Block, names: Names, path: str) -> str:
    """Return the template in a field; nothing where it cannot be said, which is told."""
    text = block.text(path)
    return said(block, names, path, text) if text else ""


def said(block: Block, names: Names, path: str, text: str) -> str:
    """Return the template of a text; nothing where it cannot be said, which is told."""
    name = path.rpartition(".")[2]
    is_fixed = "${" not in text
    if is_fixed and text and (names_secret(name) or looks_secret(text)):
        # A secret that somebody wrote into the block: it is supplied, as all are.
        word = to_word(name, "secret")
        names.secrets.setdefault(word, {})
        block.note(path, f"a secret stands there; it is not taken over, set {word!r}")
        return f"{{{{ secrets.{word} }}}}"
    try:
        return names.template(text)
    except UnsayableError as why:
        block.lose(path, str(why))
        return ""


def texts_of(block: Block, names: Names, path: str) -> dict[str, str]:
    """Return the templates in an object of texts."""
    made = {}
    for key, text in block.texts(path).items():
        written = said(block, names, f"{path}.{key}", text)
        if written or not text:
            made[key] = written
    return made
