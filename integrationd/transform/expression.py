"""JMESPath: what reads. QUICK VERSION until the compiler lands."""
from __future__ import annotations
import functools
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any
import jmespath
from jmespath import exceptions, functions, visitor
from integrationd.config.decode import Invalid, Site
from integrationd.config.nodes import Node, Position, Scalar
from integrationd.errors import ExpressionError
from integrationd.model.json import Json
from integrationd.transform.scopes import Reference, Roots

class _F(functions.Functions):
    def __init__(self, variables: Mapping[str, Json]) -> None:
        self.variables = variables
    @functions.signature({"types": ["string"]})
    def _func_var(self, path):  # type: ignore
        value: Any = self.variables
        for part in path.split("."):
            value = value.get(part) if isinstance(value, Mapping) else None
        return value

@functools.lru_cache(4096)
def _parse(text: str):
    return jmespath.compile(text)

@dataclass(frozen=True)
class Expression:
    text: str
    position: Position
    references: tuple[Reference, ...] = ()
    roots: frozenset[str] = frozenset()
    @classmethod
    def parse(cls, text: str, position: Position) -> Expression:
        try:
            parsed = _parse(text)
        except exceptions.JMESPathError as wrong:
            raise ExpressionError(str(wrong).splitlines()[0]) from None
        return cls(text, position)
    @classmethod
    def decode_node(cls, node: Node, site: Site) -> Expression | Invalid:
        if not isinstance(node, Scalar) or not isinstance(node.value, str):
            return site.expected(node, "an expression")
        try:
            return cls.parse(node.value, node.position)
        except ExpressionError as wrong:
            return site.refuse(node.position, "E201", f"{site.path}: {wrong}")
    def search(self, value: Json, variables: Mapping[str, Json] = {}) -> Json:
        try:
            return _parse(self.text).search(value, jmespath.Options(custom_functions=_F(variables)))
        except exceptions.JMESPathError as wrong:
            raise ExpressionError(str(wrong).splitlines()[0]) from None

def compile_fields(named: Mapping[str, Expression]) -> Callable[[Json, Mapping[str, Json]], dict[str, Json]]:
    items = tuple(named.items())
    return lambda record, variables: {k: e.search(record, variables) for k, e in items}
