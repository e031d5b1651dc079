"""JSON as Python values."""

from typing import Any, TypeAlias

Json: TypeAlias = Any
"""None, bool, int, float, str, list of Json or dict of text to Json; integers keep every digit."""
