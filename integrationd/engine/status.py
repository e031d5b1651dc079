"""How everything stands, as JSON: what ``status`` prints and the control socket answers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from integrationd.engine.consents import ConsentState
from integrationd.engine.renaming import explain_renaming, is_renamed
from integrationd.engine.rows import format_time, run_json
from integrationd.model.json import Json
from integrationd.model.objects import Found, Listing
from integrationd.model.switches import NOTHING_OFF, Switch, Switches
from integrationd.ports.calls import PROBE
from integrationd.ports.store import StoreReader, StreamKey, StreamRow
from integrationd.spec.bundle import Bundle
from integrationd.spec.documents import Integration


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """What is known of the integrations beside their files."""

    rows: Mapping[StreamKey, StreamRow] = field(default_factory=dict)
    events: Mapping[str, int] = field(default_factory=dict)
    """How many each ``INTEGRATION/ENDPOINT`` has."""
    missing: Mapping[str, str] = field(default_factory=dict)
    """For integrations without their secrets, what is missing."""
    consents: Mapping[str, ConsentState] = field(default_factory=dict)
    """For integrations whose providers want a person's consent, how it stands."""
    next_runs: Mapping[StreamKey, datetime] = field(default_factory=dict)
    """When streams are due next; nothing is while no daemon runs."""
    switches: Switches = NOTHING_OFF


async def read_streams(store: StoreReader, bundle: Bundle) -> dict[StreamKey, StreamRow]:
    """Read what is stored of the bundle's streams.

    An integration sees its own tenant's rows only, also where one of the same name was another's.
    """
    return {
        row.key: row
        for row in await store.streams(None)
        if _owner(bundle, row.key.integration) == row.tenant
    }


async def read_standing(store: StoreReader, bundle: Bundle) -> Standing:
    """Read what is stored of the bundle's integrations."""
    rows = await read_streams(store, bundle)
    events = {
        name: count
        for tenant in sorted({item.tenant for item in bundle.integrations.values()})
        for name, count in (await store.event_counts(tenant)).items()
        if _owner(bundle, name.partition("/")[0]) == tenant
    }
    return Standing(rows=rows, events=events)


def _owner(bundle: Bundle, name: str) -> str | None:
    found = bundle.integrations.get(name)
    return None if found is None else found.tenant


def integrations_status(bundle: Bundle, standing: Standing) -> list[Json]:
    """Describe every integration of what runs."""
    return [
        _integration_status(integration, standing)
        for _, integration in sorted(bundle.integrations.items())
    ]


def _integration_status(integration: Integration, standing: Standing) -> Json:
    keys = {name: StreamKey(integration.name, name) for name in integration.streams}
    own = {name: standing.rows.get(key) for name, key in keys.items()}
    missing = standing.missing.get(integration.name, "")
    whose = (integration.tenant, integration.name)
    disabled = standing.switches.is_disabled(*whose)
    consent = standing.consents.get(integration.name)
    known = [row for row in own.values() if row is not None and not _is_mended(row, consent)]
    errors = sum(row.errors for row in known)
    failed = [row.last_run for row in known if row.errors and row.last_run is not None]
    refused = [reason for name, row in own.items() if (reason := _refusal(integration, name, row))]
    last_error = missing or next(iter(refused), "")
    if not last_error and failed:
        last_error = max(failed, key=lambda run: run.started_at).error
    done = [
        row.last_done_at for row in own.values() if row is not None and row.last_done_at is not None
    ]
    probe = standing.rows.get(StreamKey(integration.name, PROBE))
    unreached = _probe_failure(probe, done)
    return {
        "name": integration.name,
        "tenant": integration.tenant,
        "provider": integration.provider,
        "category": integration.category,
        "status": (
            "inactive"
            if disabled
            else _word(missing or refused or unreached, errors, [*done, *_good_probe(probe)])
        ),
        "paused": standing.switches.is_thrown(*whose, Switch.PAUSED),
        "last_sync_at": format_time(max(done, default=None)),
        "error_count": errors,
        "last_error": last_error or unreached,
        "consent": None if consent is None else consent.to_json(),
        "last_probe": None if probe is None or probe.last_run is None else run_json(probe.last_run),
        "streams": [
            _stream_status(integration, name, row, standing.next_runs.get(keys[name]))
            for name, row in own.items()
        ],
        "webhooks": [
            {"name": name, "events": standing.events.get(f"{integration.name}/{name}", 0)}
            for name in integration.webhooks
        ],
    }


def _is_mended(row: StreamRow, consent: ConsentState | None) -> bool:
    """Tell whether a stream failed for want of credentials, and consent was given since."""
    run = row.last_run if row.errors else None
    if run is None or consent is None or consent.given_at is None:
        return False
    return run.kind == "auth" and run.started_at < consent.given_at


def _refusal(integration: Integration, name: str, row: StreamRow | None) -> str:
    """Say why a stream is not read until a person agrees; empty where it is."""
    prints = integration.fingerprints[name]
    if row is None or not is_renamed(row.identity, prints):
        return ""
    return explain_renaming(row.key, row.identity, prints)


def _probe_failure(row: StreamRow | None, done: list[datetime]) -> str:
    """Return the error of a probe that failed last, unless a stream was read well since."""
    if row is None or row.last_run is None or not row.errors:
        return ""
    return "" if any(at > row.last_run.started_at for at in done) else row.last_run.error


def _good_probe(row: StreamRow | None) -> list[datetime]:
    return [] if row is None or row.last_done_at is None else [row.last_done_at]


def _word(stopped: object, errors: int, done: list[datetime]) -> str:
    if stopped or errors:
        return "error"
    return "active" if done else "testing"


def _stream_status(
    integration: Integration, name: str, row: StreamRow | None, next_run: datetime | None
) -> Json:
    stream = integration.streams[name]
    return {
        "name": name,
        "entity": integration.entity_of(name),
        "schedule": str(stream.schedule) if stream.is_read() else "webhook",
        "enabled": stream.enabled,
        "next_run_at": format_time(next_run),
        "records": 0 if row is None else row.records,
        "quarantined": 0 if row is None else row.quarantined,
        "held": 0 if row is None else row.held,
        "stale": 0 if row is None else row.stale,
        "refused": _refusal(integration, name, row),
        "cursor": None if row is None else row.cursor,
        "unfinished": row is not None and row.walking,
        "last_run": None if row is None or row.last_run is None else run_json(row.last_run),
        "object": _object_status(integration.objects.get(name)),
        "listing": _listing_status(integration.listings.get(name)),
    }


def _object_status(found: Found | None) -> Json:
    """Tell what a stream was made for by a list; null for all others."""
    if found is None:
        return None
    return {"list": found.of, "key": found.key, "listed": found.listed}


def _listing_status(listing: Listing | None) -> Json:
    """Tell what a list holds; null for streams that discover nothing."""
    if listing is None:
        return None
    gone = sum(not one.listed for one in listing.found)
    return {"streams": len(listing.streams), "gone": gone, "remarks": list(listing.remarks)}
