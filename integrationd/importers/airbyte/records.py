"""Record selectors and transformations to ``records``, ``where`` and ``key``."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any, Final

from integrationd.importers.airbyte import unsaid
from integrationd.importers.airbyte.expressions import read_expression
from integrationd.importers.airbyte.partitions import Partitions
from integrationd.importers.airbyte.parts import Part
from integrationd.importers.airbyte.scope import EXTRA, Scope
from integrationd.importers.airbyte.terms import Const, Name, Term, UnsayableError
from integrationd.importers.airbyte.writing import literal, path_of
from integrationd.model.json import Json
from integrationd.spec.preludes import SEEN
from integrationd.transform.jmes.tree import function_names

_WILD: Final = "*"
_CASTS: Final = {"string": "to_string", "integer": "to_number", "number": "to_number"}
_NO_LIST: Final = " || `[]`"


def read_records(retriever: Part, scope: Scope) -> str | None:
    """Return where the records of a page are; None where that cannot be said, which is told."""
    selector = retriever.child("record_selector")
    extractor = None if selector is None else selector.child("extractor")
    if selector is None or extractor is None or extractor.kind != "DpathExtractor":
        unsaid.lose_kind(extractor or selector or retriever)
        return None
    node = extractor.get("field_path")
    steps = [] if node is None else scope.template(extractor, node, f"{extractor.path}.field_path")
    if not isinstance(steps, list):
        return None
    if any("{{" in str(step) for step in steps):
        message = f"{extractor.path}.field_path: the place of the records hangs on a variable"
        extractor.report.lose(extractor.place("field_path"), message)
        return None
    found = _path([str(step) for step in steps if step != ""], _is_lines(retriever))
    return _expand(extractor, found)


def _expand(extractor: Part, records: str) -> str:
    """Return the items of a list inside each record, where they are to be the records."""
    expander = extractor.child("record_expander")
    if expander is None:
        return records
    path = expander.value("expand_records_from_field")
    steps = [str(step) for step in path] if isinstance(path, list) else []
    more = any(expander.has(key) for key in _EXPANDING)
    keeps = expander.is_true("remain_original_record")
    keeps |= expander.text("on_no_records") == "emit_parent"
    if not steps or more or keeps or any(re.search(r"\{\{|[*?\[]", step) for step in steps):
        unsaid.lose(extractor, "record_expander", field="record_expander")
        return records
    return f"to_array({records} || `[]`)[*].{path_of(steps)}[]"


_EXPANDING: Final = (
    *("parent_fields", "merge_parent", "parent_fields_to_copy"),
    *("truncation_indicator_path", "truncated_list_retriever"),
)
"""Fields by which more is done than to take the items out."""


def _is_lines(retriever: Part) -> bool:
    decoder = retriever.child("decoder")
    return decoder is not None and decoder.kind == "IterableDecoder"


def _path(steps: list[str], is_lines: bool) -> str:  # noqa: FBT001 - of this file alone
    if is_lines:
        return "body[*].{record: @}"
    written = "body"
    plain: list[str] = []
    for step in steps:
        if step == _WILD:
            written = path_of(plain, after=written)
            written, plain = f"({written}[*] || {written}.*)", []
        elif written.endswith(")") and not plain:
            written = f"{written}[*].{path_of([step])}"
        else:
            plain.append(step)
    return path_of(plain, after=written)


def read_condition(selector: Part | None, scope: Scope) -> str | None:
    """Return what a record has to fulfil."""
    found = None if selector is None else selector.child("record_filter")
    if found is None:
        return None
    if found.kind != "RecordFilter":
        unsaid.lose_kind(found)
        return None
    return scope.expression(found, "condition")


def read_key(stream: Part) -> str | list[str]:
    """Return what makes a record itself; where the source says nothing, all of it does."""
    said = stream.value("primary_key")
    parts = said if isinstance(said, list) else [said] if said else []
    paths = [path_of(part if isinstance(part, list) else [str(part)]) for part in parts if part]
    if len(paths) == 1:
        return paths[0]
    if paths:
        return paths
    name = next((name for name in ("sha256", "hash") if name in function_names()), None)
    if name is None:
        unsaid.lose(stream, "no_key")
        return "to_string(@)"
    message = f"{stream.path}: there is no primary_key; a record is known by a digest of all of it"
    stream.report.note(stream.position, message)
    return f"{name}(to_string(@))"


class Transformations:
    """What is done to each record, as steps of one expression."""

    def __init__(self, scope: Scope, partitions: Partitions) -> None:
        """Take the variables of the stream."""
        self._scope = scope
        self._partitions = partitions
        self.steps: list[str] = []
        """Each is applied to what the one before it gave."""
        self._removed: list[str] = []
        """The fields that the last step takes out, where it does that and nothing else."""
        self.touched: set[str] = set()
        """The names of fields that are changed."""
        self._readers: Mapping[str, Callable[[Part], None]] = {
            "AddFields": self._add_fields,
            "RemoveFields": self._remove_fields,
            "KeysToLower": lambda _: self._rename("lower([0])"),
            "KeysToSnakeCase": self._snake_keys,
            "KeysReplace": self._replace_keys,
            "DpathFlattenFields": self._flatten_path,
        }

    def read(self, part: Part) -> None:
        """Add what one transformation does."""
        reader = self._readers.get(part.kind)
        if reader is None:
            unsaid.lose_kind(part)
            return
        try:
            reader(part)
        except UnsayableError as why:
            part.report.lose(part.position, f"{part.path}: {why}")

    def fit(self, selector: Part | None, stream: Part) -> None:
        """Give values the types of the stream's schema, where the source does."""
        said = None if selector is None else selector.value("schema_normalization")
        if selector is None or said in (None, "None"):
            return
        schema = _find_schema(stream)
        if said != "Default" or schema is None:
            unsaid.lose(selector, "schema_normalization", field="schema_normalization")
            return
        shape = _shape_of(schema)
        if shape:
            _need("fit")
            # A condition sees what came.
            self.touched.add(_WILD)
            self.steps.append(f"fit(@, {literal(shape)})")

    def apply(self, records: str, condition: str | None) -> str:
        """Return the whole expression over a page."""
        if not self.steps and condition is None:
            return records if records == "body" else f"{records}{_NO_LIST}"
        chosen = "[*]" if condition is None else f"[?{condition}]"
        steps = "".join(f".{step}" for step in self.steps)
        return f"to_array({records}{_NO_LIST}){chosen}{steps}"

    def _add_fields(self, part: Part) -> None:
        condition = self._scope.expression(part, "condition")
        if part.has("condition") and condition is None:
            return
        for added in part.children("fields"):
            try:
                self._add_field(added, condition)
            except UnsayableError as why:
                part.report.lose(added.position, f"{added.path}: {why}")

    def _add_field(self, part: Part, condition: str | None) -> None:
        path = part.value("path")
        node = part.get("value")
        if not isinstance(path, list) or not path or node is None:
            raise UnsayableError("a field without a path and a value")
        steps = [self._constant(part, str(step)) for step in path]
        said = part.value("value")
        term: Term = self._scope.term(part, said) if isinstance(said, str) else Const(said)
        if self._is_carried(term, steps, part, condition):
            return
        written = read_expression(term, knows_now="now" in SEEN.names)
        cast = _CASTS.get(part.text("value_type"))
        if part.text("value_type") not in ("", *_CASTS):
            raise UnsayableError(f"a value of the type {part.text('value_type')!r}")
        written = f"{cast}({written})" if cast and not isinstance(term, Const) else written
        self.touched.add(steps[0])
        self.steps.append(_merge(steps, written, condition))

    def _is_carried(self, term: Term, steps: list[str], part: Part, condition: str | None) -> bool:
        """Take a value of a parent, which ``carry`` gives to each record."""
        if not isinstance(term, Name) or condition is not None:
            return False
        plain = len(term.steps) == 2 and len(steps) == 1 and not part.has("value_type")  # noqa: PLR2004 - each.NAME
        if plain and term.root == EXTRA:
            return self._partitions.carry_extra(str(term.steps[1]), steps[0])
        return (
            plain and term.root == "each" and self._partitions.carry(str(term.steps[1]), steps[0])
        )

    def _constant(self, part: Part, text: str) -> str:
        term = self._scope.term(part, text)
        if not isinstance(term, Const):
            raise UnsayableError("a field whose name hangs on a variable")
        return str(term.value)

    def _remove_fields(self, part: Part) -> None:
        if part.has("condition"):
            raise UnsayableError("fields that are taken out under a condition")
        pointers = part.value("field_pointers")
        for pointer in pointers if isinstance(pointers, list) else []:
            steps = [str(step) for step in pointer]
            if not steps or _WILD in "".join(steps):
                raise UnsayableError("a field to take out that is a pattern")
            self.touched.add(steps[0])
            self._remove(steps)

    def _remove(self, steps: list[str]) -> None:
        """Take a field out; several of the record's own go in one step."""
        last = _without_all(self._removed) if self._removed else None
        follows = bool(self.steps) and self.steps[-1] == last
        if len(steps) > 1:
            self.steps.append(_without(steps))
            return
        self._removed = [*self._removed, *steps] if follows else steps
        if follows:
            self.steps.pop()
        self.steps.append(_without_all(self._removed))

    def _snake_keys(self, _part: Part) -> None:
        _need("snake_keys")
        self.touched.add(_WILD)
        self.steps.append("snake_keys(@)")

    def _rename(self, name: str) -> None:
        self.touched.add(_WILD)
        _need(name.partition("(")[0], "items", "from_items")
        self.steps.append(f"from_items(items(@)[*].[{name}, [1]])")

    def _replace_keys(self, part: Part) -> None:
        old, new = (self._constant(part, part.text(key)) for key in ("old", "new"))
        self._rename(f"replace([0], {_quoted(old)}, {_quoted(new)})")

    def _flatten_path(self, part: Part) -> None:
        path = part.value("field_path")
        steps = [str(step) for step in path] if isinstance(path, list) else []
        if not steps or _WILD in steps or part.has("key_transformation"):
            raise UnsayableError("an object that is laid out by a pattern, or with other names")
        inner = f"({path_of(steps)} || `{{}}`)"
        self.touched.add(_WILD)
        if part.is_true("replace_record"):
            self.steps.append(f"merge(`{{}}`, {inner})")
            return
        self.steps.append(f"merge(@, {inner})")
        if part.is_true("delete_origin_value"):
            self.steps.append(_without(steps))


def _find_schema(stream: Part) -> Json:
    """Return the schema that stands in the manifest; None where it stands elsewhere."""
    loaders = stream.children("schema_loader")
    if len(loaders) != 1 or loaders[0].kind != "InlineSchemaLoader":
        return None
    return loaders[0].value("schema")


def _shape_of(schema: Json) -> Json:
    """Return what a schema says of types, as the function ``fit`` takes it; None for nothing."""
    if not isinstance(schema, dict):
        return None
    said = schema.get("type")
    kinds = [kind for kind in (said if isinstance(said, list) else [said]) if kind != "null"]
    match kinds:
        case ["string" | "integer" | "number" | "boolean" as kind]:
            return kind
        case ["array"]:
            inner = _shape_of(schema.get("items"))
            return [inner] if inner else None
        case ["object"]:
            fields = schema.get("properties")
            shapes = {
                key: shape
                for key, each in (fields if isinstance(fields, dict) else {}).items()
                if (shape := _shape_of(each))
            }
            return shapes or None
        case _:
            return None


def _merge(steps: list[str], value: str, condition: str | None) -> str:
    """Write what lays a value over a record at a path."""
    first, *rest = steps
    if rest:
        value = _merge_inner([first], rest, value)
    laid = f"{{{path_of([first])}: {value}}}"
    return f"merge(@, {laid if condition is None else f'({condition}) && {laid} || `{{}}`'})"


def _merge_inner(above: list[str], steps: list[str], value: str) -> str:
    first, *rest = steps
    if rest:
        value = _merge_inner([*above, first], rest, value)
    return f"merge({path_of(above)} || `{{}}`, {{{path_of([first])}: {value}}})"


def _without(steps: list[str]) -> str:
    """Write what takes a field out of a record."""
    _need("items", "from_items")
    *above, last = steps
    here = path_of(above) if above else "@"
    kept = f"from_items(items({here})[?[0] != {_quoted(last)}])"
    if not above:
        return kept
    first, *rest = above
    value = f"{here} && {kept}"
    if rest:
        value = _merge_inner([first], rest, value)
    return f"merge(@, {{{path_of([first])}: {value}}})"


def _without_all(names: list[str]) -> str:
    """Write what takes fields of the record's own out."""
    if len(names) == 1:
        return _without(names)
    _need("items", "from_items")
    listed = ", ".join(map(_quoted, dict.fromkeys(names)))
    return f"from_items(items(@)[?!contains([{listed}], [0])])"


def _quoted(text: str) -> str:
    return "'" + text.replace("\\", "\\\\").replace("'", "\\'") + "'"


def _need(*names: str) -> None:
    missing = [name for name in names if name not in function_names()]
    if missing:
        raise UnsayableError(f"expressions have no function {missing[0]}() yet")


_PLAIN_DECODERS: Final[Mapping[str, Mapping[str, Any] | None]] = {
    "JsonDecoder": None,
    "JsonlDecoder": {"type": "ndjson"},
    "XmlDecoder": {"type": "xml"},
    "IterableDecoder": {"type": "text", "lines": True},
}
"""Those without words of their own."""


def read_decoder(part: Part | None) -> dict[str, Any] | None:
    """Return what ``decode`` says; None for JSON, and where it cannot be said, which is told."""
    if part is None:
        return None
    if part.kind in _PLAIN_DECODERS:
        made = _PLAIN_DECODERS[part.kind]
        return None if made is None else dict(made)
    if part.kind == "CsvDecoder":
        return _read_csv(part)
    if part.kind in ("GzipDecoder", "ZipfileDecoder"):
        return _read_packed(part)
    unsaid.lose_kind(part)
    return None


def _read_csv(part: Part) -> dict[str, Any]:
    made: dict[str, Any] = {"type": "csv"}
    sign = part.text("delimiter")
    if sign and sign != ",":
        made["delimiter"] = "tab" if sign in ("\t", "\\t") else sign
    if part.text("encoding") and part.text("encoding").lower() not in ("utf-8", "utf8"):
        made["encoding"] = part.text("encoding")
    nulls = part.value("set_values_to_none")
    return {**made, "nulls": nulls} if nulls else made


def _read_packed(part: Part) -> dict[str, Any]:
    inner = read_decoder(part.child("decoder")) or {"type": "json"}
    return {**inner, "compression": "auto" if part.kind == "GzipDecoder" else "zip"}
