"""Templates: what writes. QUICK VERSION until the sandbox lands."""
from __future__ import annotations
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from jinja2 import StrictUndefined, TemplateError, meta, nodes as jn
from jinja2.sandbox import ImmutableSandboxedEnvironment
from integrationd.config.decode import INVALID, Invalid, Site
from integrationd.config.nodes import Fields, Items, Node, Position, Scalar
from integrationd.config.problems import nearest
from integrationd.errors import ExpressionError
from integrationd.model.json import Json
from integrationd.model.secret import Secret
from integrationd.transform.scopes import Reference, Scope

_ENV = ImmutableSandboxedEnvironment(undefined=StrictUndefined, finalize=lambda v: v.reveal() if isinstance(v, Secret) else v)

def _text(value):
    if value is None or isinstance(value, str): return value
    if isinstance(value, bool): return "true" if value else "false"
    if isinstance(value, (int, float)): return str(value)
    raise ExpressionError("expected a single value")

@dataclass(frozen=True)
class Template:
    text: str
    position: Position
    value: Json = None
    references: tuple[Reference, ...] = ()
    is_constant: bool = True
    is_native: bool = False
    is_secret: bool = False
    @classmethod
    def parse(cls, value: Json, position: Position) -> Template:
        if not isinstance(value, str) or "{{" not in value and "{%" not in value:
            return cls("" if value is None else str(value), position, value)
        try:
            tree = _ENV.parse(value)
        except TemplateError as wrong:
            raise ExpressionError(str(wrong)) from None
        free = meta.find_undeclared_variables(tree)
        refs = []
        for node in tree.find_all((jn.Getattr, jn.Getitem)):
            path = []
            at = node
            while isinstance(at, (jn.Getattr, jn.Getitem)):
                path.insert(0, at.attr if isinstance(at, jn.Getattr) else getattr(at.arg, "value", None)); at = at.node
            if isinstance(at, jn.Name) and at.name in free:
                refs.append(Reference((at.name, *map(str, path)), position))
        for name in free:
            if not any(r.path[0] == name for r in refs):
                refs.append(Reference((name,), position))
        native = bool(re.fullmatch(r"\{\{(?:(?!\}\}).)*\}\}", value.strip()))
        return cls(value, position, None, tuple(refs), False, native, "secrets" in free)
    @classmethod
    def decode_node(cls, node: Node, site: Site) -> Template | Invalid:
        if not isinstance(node, Scalar):
            return site.expected(node, "text")
        try:
            made = cls.parse(node.value, node.position)
        except ExpressionError as wrong:
            return site.refuse(node.position, "E202", f"{site.path}: {wrong}")
        scope = site.note(Scope)
        if scope is not None:
            for r in made.references:
                if r.path[0] not in scope.names:
                    return site.refuse(node.position, "E204", f"template uses {r.path[0]!r}, variables here are: {', '.join(sorted(scope.names))}{nearest(r.path[0], scope.names)}")
        return made
    def render(self, variables: Mapping[str, Json], encode: Callable[[str], str] | None = None) -> Json | Secret:
        if self.is_constant:
            return self.value
        try:
            if self.is_native:
                out = _ENV.compile_expression(self.text.strip()[2:-2], undefined_to_none=False)(**variables)
                if isinstance(out, Secret): return out
                if type(out).__name__ == "StrictUndefined": raise ExpressionError("undefined")
                return Secret(str(out)) if self.is_secret else out
            out = _ENV.from_string(self.text).render(**variables)
        except TemplateError as wrong:
            raise ExpressionError(str(wrong)) from None
        return Secret(out) if self.is_secret else out
    def render_text(self, variables: Mapping[str, Json], *, encode: Callable[[str], str] | None = None) -> str | Secret | None:
        out = self.render(variables)
        return out if isinstance(out, Secret) else _text(out)

@dataclass(frozen=True)
class JsonTemplate:
    tree: Json
    position: Position
    @property
    def references(self) -> tuple[Reference, ...]:
        return tuple(r for t in self.templates() for r in t.references)
    def templates(self) -> Iterator[Template]:
        def walk(v):
            if isinstance(v, Template): yield v
            elif isinstance(v, dict):
                for x in v.values(): yield from walk(x)
            else:
                for x in v: yield from walk(x)
        return walk(self.tree)
    @classmethod
    def decode_node(cls, node: Node, site: Site) -> JsonTemplate | Invalid:
        def walk(n, s):
            if isinstance(n, Fields): return {k: walk(v, s.key(k)) for k, v in n.entries.items()}
            if isinstance(n, Items): return [walk(v, s) for v in n.items]
            return Template.decode_node(n, s)
        before = len(site.problems.found)
        tree = walk(node, site)
        return INVALID if len(site.problems.found) > before else cls(tree, node.position)
    def render(self, variables: Mapping[str, Json]) -> Json:
        def walk(v):
            if isinstance(v, Template): return v.render(variables)
            if isinstance(v, dict): return {k: walk(x) for k, x in v.items()}
            return [walk(x) for x in v]
        return walk(self.tree)
