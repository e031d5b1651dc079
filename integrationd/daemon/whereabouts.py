"""Where every secret is, or that it is missing; never what it is."""

from __future__ import annotations

from collections.abc import Sequence

from integrationd.config.problems import nearest
from integrationd.engine.rows import format_time
from integrationd.errors import IntegrationError, UsageError
from integrationd.model.json import Json
from integrationd.model.secret import Secret
from integrationd.ports.vault import SealedSecret
from integrationd.spec.bundle import Bundle
from integrationd.vault.sources import Finding, LookupSecrets, stored_name


async def list_secrets(
    bundle: Bundle, source: LookupSecrets, rows: Sequence[SealedSecret], only: str | None
) -> list[Json]:
    """Say of every secret where it is; never what it is.

    Args:
        bundle: Whose files declare secrets.
        source: Where they are looked for.
        rows: All that the encrypted store keeps.
        only: The name of one integration, None for all.

    Raises:
        UsageError: No such integration, and nothing is kept of one.
    """
    by_place = {(row.tenant, row.integration, row.name): row for row in rows}
    declared: set[tuple[str, str, str]] = set()
    told: list[Json] = []
    for name, integration in bundle.integrations.items():
        references = integration.secret_references()
        if only not in {None, name}:
            continue
        found = await source.locate(integration.tenant, name, references)
        for secret, finding in found.items():
            place = (integration.tenant, name, stored_name(secret, references[secret]) or "")
            declared.add(place)
            told.append(_describe((integration.tenant, name, secret), by_place.get(place), finding))
    for place, row in by_place.items():
        if only in {None, row.integration} and place not in declared:
            told.append(_describe(place, row, await _open_kept(source, row)))
    if only is not None and not told and only not in bundle.integrations:
        raise UsageError(f"no integration {only!r}{nearest(only, bundle.integrations)}")
    return sorted(told, key=lambda line: (line["integration"], line["name"], line["tenant"]))


async def _open_kept(source: LookupSecrets, row: SealedSecret) -> Finding:
    """Look whether a value that no file declares can be opened."""
    found: Secret | str | None
    try:
        found = (await source.kept.look(row.tenant, row.integration, (row.name,))).get(row.name)
    except IntegrationError as failed:
        found = str(failed)
    if isinstance(found, str):
        return Finding(problem=found, is_there=True)
    return Finding(where="kept")


def _describe(place: tuple[str, str, str], row: SealedSecret | None, finding: Finding) -> Json:
    tenant, integration, name = place
    sealed = row if finding.where in {"", "store", "kept"} else None
    found = finding.where or ("unusable" if finding.is_there else "missing")
    return {
        "integration": integration,
        "name": name,
        "tenant": tenant,
        "found": found,
        "key": None if sealed is None else sealed.key_id,
        "updated_at": None if sealed is None else format_time(sealed.updated_at),
        "problem": finding.problem,
    }
