"""``config`` and ``secrets``: what a provider declares against what an integration supplies."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TypeAlias

from integrationd.config.decode import Invalid, Site
from integrationd.config.nodes import Fields, Node, Scalar, to_json
from integrationd.config.problems import nearest
from integrationd.config.schema import validate_against
from integrationd.model.json import Json
from integrationd.spec.documents import ProviderDocument
from integrationd.spec.references import SecretReference, refuse_literal
from integrationd.spec.settings import SecretSettings

Secrets: TypeAlias = Mapping[str, SecretReference | None]


@dataclass(frozen=True, slots=True)
class Supplier:
    """One integration's own file, beside the provider that it uses."""

    name: str
    node: Fields
    site: Site
    provider: ProviderDocument | None

    def _section(self, key: str) -> Fields | None:
        node, site = self.node.get(key), self.site.key(key)
        if node is None:
            return Fields({}, self.node.position)
        if isinstance(node, Fields):
            return node
        if key == "secrets":
            refuse_literal(node, site, "write a name for each and where it is found")
        elif not (isinstance(node, Scalar) and node.told):
            site.expected(node, "an object")
        return None

    def config(self) -> Mapping[str, Json] | None:
        """Return the values with defaults filled in; None where problems were told."""
        node, site = self._section("config"), self.site.key("config")
        if node is None:
            return None
        if self.provider is None:
            return {key: to_json(value) for key, value in node.entries.items()}
        declared = self.provider.config
        valid = self._tell_undeclared(node, site, set(declared), "config")
        values: dict[str, Json] = {
            key: schema["default"] for key, schema in declared.items() if "default" in schema
        }
        for key, value in node.entries.items():
            if key in declared:
                valid &= _fits(declared[key], value, site.key(key))
                values[key] = to_json(value)
        for key in declared.keys() - values.keys():
            text = declared[key].get("description", "")
            meaning = f" ({text})" if text else ""
            message = f"integration {self.name} needs config {key!r}{meaning}"
            site.refuse(node.position, "E305", message)
            valid = False
        return values if valid else None

    def secrets(self, settings: SecretSettings) -> Secrets | None:
        """Return a reference for each secret, None where it is to be found by its name."""
        node, site = self._section("secrets"), self.site.key("secrets")
        if node is None:
            return None
        declared = set(node.entries) if self.provider is None else set(self.provider.secrets)
        valid = self._tell_undeclared(node, site, declared, "secret")
        supplied: dict[str, SecretReference | None] = dict.fromkeys(sorted(declared))
        for key, value in node.entries.items():
            reference = _read_reference(value, site.key(key), settings)
            valid &= not isinstance(reference, Invalid)
            if key in declared and not isinstance(reference, Invalid):
                supplied[key] = reference
        return supplied if valid else None

    def _tell_undeclared(self, node: Fields, site: Site, declared: set[str], what: str) -> bool:
        unknown = node.entries.keys() - declared
        for key in unknown:
            assert self.provider is not None
            hint, shown = nearest(key, declared), site.quote(key, declared)
            shown = shown or " of that name"
            message = f"provider {self.provider.name} declares no {what}{shown}{hint}"
            site.refuse(node.key_position(key), "E305", message)
        return not unknown


def _fits(schema: Json, value: Node, site: Site) -> bool:
    if isinstance(value, Scalar) and value.told:
        return False
    return validate_against(schema, value, site)


def _read_reference(
    node: Node, site: Site, settings: SecretSettings
) -> SecretReference | Invalid | None:
    if isinstance(node, Fields) and not node.entries:
        return None
    reference = SecretReference.decode_node(node, site)
    if isinstance(reference, Invalid):
        return reference
    return _refuse_outside(reference, site, settings) or reference


def _refuse_outside(
    reference: SecretReference, site: Site, settings: SecretSettings
) -> Invalid | None:
    """Refuse a reference to what the settings have not opened to files."""
    if reference.place == "env" and not reference.name.startswith(settings.env_prefix):
        message = (
            f"{site.path} names a variable that is out of reach, expected one that begins with "
            f"{' or '.join(settings.env_prefix)}; open further prefixes in the settings under "
            "secrets.env_prefix"
        )
        return site.refuse(reference.position, "E402", message)
    if reference.place == "file" and not _is_inside(reference.name, settings.dirs):
        message = (
            f"{site.path} names a file that is out of reach, expected one in "
            f"{' or '.join(settings.dirs)}; open further directories in the settings under "
            "secrets.dirs"
        )
        return site.refuse(reference.position, "E402", message)
    return None


def _is_inside(path: str, dirs: tuple[str, ...]) -> bool:
    steps = path.split("/")
    return ".." not in steps and any(path.startswith(f"{place.rstrip('/')}/") for place in dirs)
