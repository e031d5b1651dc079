"""How a person's consent stands, looked up where it is kept; nobody is asked."""

from __future__ import annotations

from datetime import datetime

from integrationd.engine.consents import ConsentState, judge_consent
from integrationd.engine.renewal import KEPT_AS
from integrationd.errors import IntegrationError, SecretError
from integrationd.spec.documents import Integration
from integrationd.vault.sources import LookupSecrets
from integrationd.wire.auth.authenticator import TokenAuthenticator
from integrationd.wire.grants import Kept


async def look_at_consent(
    source: LookupSecrets, integration: Integration, now: datetime
) -> ConsentState | None:
    """Tell how the consent for an integration stands; None where its provider asks no person.

    Says nothing of secrets that are missing: whoever looks for those says it.
    """
    auth = None if integration.http is None else integration.http.auth
    if not isinstance(auth, TokenAuthenticator) or not auth.is_by_consent:
        return None
    tenant, name = integration.tenant, integration.name
    try:
        secrets = await source.resolve(tenant, name, integration.needed_secrets())
        found = (await source.kept.look(tenant, name, (KEPT_AS,))).get(KEPT_AS)
    except SecretError:
        return ConsentState()
    if isinstance(found, str):
        return ConsentState(problem=f"integration {name} cannot use its consent: {found}")
    try:
        terms = auth.terms({"config": dict(integration.config), "secrets": secrets})
        kept = Kept() if found is None else Kept.parse(found)
    except IntegrationError as wrong:
        return ConsentState(problem=f"integration {name} cannot use its consent: {wrong}")
    assert terms is not None
    return judge_consent(name, terms, kept, now.timestamp())
