"""The streams of histories, compiled."""

from __future__ import annotations

import functools
from dataclasses import replace

from integrationd.engine.plans import StreamPlan
from tests.simulation.api import Kind
from tests.support.worlds import plan_of

MAPPINGS = {
    "strict": "mapping: shop.order\nfields: {number: id, count: {path: count, type: integer}}\n",
    "lenient": "mapping: shop.order\nfields: {number: id, count: {path: count, type: text}}\n",
}


@functools.cache
def compile_plan(kind: Kind, key: str, mapping: str, stream: str) -> StreamPlan:
    """Compile a stream; the same kinds come again and again."""
    return plan_of(kind.spec(key), stream, mapping=MAPPINGS[mapping])


def plan_for(kind: Kind, key: str, mapping: str, stream: str, *, tenant: str) -> StreamPlan:
    """Return a stream in a tenant of its own."""
    plan = compile_plan(kind, key, mapping, stream)
    mine = replace(plan.integration, tenant=tenant)
    both = {
        name: replace(part, integration=mine)
        for name, part in (("listing", plan.listing), ("following", plan.following))
        if part is not None
    }
    return replace(plan, integration=mine, **both)
