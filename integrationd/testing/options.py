"""How a provider is played."""

from __future__ import annotations

from dataclasses import dataclass

from integrationd.config.units import Rate
from integrationd.testing.faults import NO_FAULTS, Faults


@dataclass(frozen=True, slots=True, kw_only=True)
class PlayOptions:
    """What the player has and how it behaves; the same options tell the same story."""

    records: int = 2000
    """Records of each stream, the bad ones among them."""
    bad: int = 3
    """Records of each stream that no mapping can take."""
    seed: int = 1
    """Chooses which records are bad, changed and deleted."""
    rate: Rate | None = None
    """More calls than this are answered with 429 and Retry-After."""
    faults: Faults = NO_FAULTS
    """What goes wrong, and how often."""
    limits: bool = False
    """Whether the spec's own limits hold for whoever asks."""
    page_size: int = 100
    """Records of a page where the caller does not say."""
    page_size_max: int = 1000
    """Most records of a page, whatever the caller says."""
    relative_urls: bool = False
    """Whether next-URLs leave out the host, as some providers do."""
    latency_s: float = 0.0
    """How long each answer takes."""
    token_lifetime_s: float = 3600.0
    """How long an access token is good, where the spec has ``oauth2``."""
    rotate_tokens: bool = False
    """Whether each use of a refresh token gives a new one and makes the old one worthless."""
    refuse_consent: bool = False
    """Whether a person says no, where the spec wants consent."""
