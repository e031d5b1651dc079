"""What people have switched off: a row for each switch that is thrown."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Connection, and_, delete, insert, select

from integrationd.model.switches import Switch, Switches
from integrationd.store.tables import switches
from integrationd.store.values import to_ms


def throw(conn: Connection, place: tuple[str, str], switch: Switch, since: datetime | None) -> bool:
    """Set a switch of (tenant, integration), or unset it where ``since`` is None."""
    tenant, integration = place
    here = and_(
        switches.c.tenant == tenant,
        switches.c.integration == integration,
        switches.c.switch == switch.value,
    )
    if since is None:
        return conn.execute(delete(switches).where(here)).rowcount > 0
    if conn.execute(select(switches.c.since).where(here)).one_or_none() is not None:
        return False
    row = {"tenant": tenant, "integration": integration, "switch": switch.value}
    conn.execute(insert(switches).values(**row, since=to_ms(since)))
    return True


def read(conn: Connection) -> Switches:
    """Return all that is off; a way that this version does not know is none."""
    known = {switch.value for switch in Switch}
    rows = conn.execute(select(switches.c.tenant, switches.c.integration, switches.c.switch))
    return Switches(
        frozenset(
            (tenant, integration, Switch(name))
            for tenant, integration, name in rows
            if name in known
        )
    )
