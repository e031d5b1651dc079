"""The daemon's own settings from their file."""

from __future__ import annotations

import dataclasses

from integrationd.config.decode import Invalid, Site, decode_fields
from integrationd.config.nodes import Fields, Node
from integrationd.config.problems import Problem, Problems
from integrationd.config.yaml import parse_yaml
from integrationd.spec.settings import Settings


def read_settings(data: bytes, file: str) -> tuple[Settings, tuple[Problem, ...]]:
    """Read ``integrationd.yaml``; an empty file means the defaults.

    Args:
        data: The file as it is on disk.
        file: The name to show in messages.

    Returns:
        The settings and every problem; sections with problems have their defaults, so that what
        depends on the others can still be checked.
    """
    problems = Problems()
    node = parse_yaml(data, file=file, problems=problems)
    decoded = None if node is None else decode_fields(node, Settings, Site(problems, ""))
    if decoded is None or isinstance(decoded, Invalid):
        decoded = _salvage(node)
    return decoded, tuple(sorted(set(problems.found)))


def _salvage(node: Node | None) -> Settings:
    settings = Settings()
    if not isinstance(node, Fields):
        return settings
    for key, value in node.entries.items():
        alone = decode_fields(Fields({key: value}, node.position), Settings, Site(Problems(), ""))
        if not isinstance(alone, Invalid):
            settings = dataclasses.replace(settings, **{key: getattr(alone, key)})
    return settings
