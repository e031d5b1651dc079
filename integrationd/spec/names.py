"""What names in files look like."""

from __future__ import annotations

from typing import Final

from integrationd.config.decode import Keys

SYSTEM_NAME: Final = Keys(
    r"[a-z][a-z0-9-]{0,62}", "small letters, digits and hyphens, as in main-library"
)
WORD_NAME: Final = Keys(
    r"[a-z][a-z0-9_]{0,62}", "small letters, digits and underscores, as in menu_items"
)
DOTTED_NAME: Final = Keys(
    r"[a-z][a-z0-9_]{0,62}(\.[a-z][a-z0-9_]{0,62})*", "words joined by dots, as in koha.item"
)
