"""How far a reading has come, and what of it may be kept."""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import Enum

from integrationd.engine.renaming import is_renamed
from integrationd.model.fingerprints import Fingerprints
from integrationd.model.json import Json
from integrationd.model.runs import Mode
from integrationd.ports.store import ReadingState
from integrationd.transform.cursors import CursorType, later, parse_cursor
from integrationd.transform.shape import Shaped


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """How one run reads: from where, everything or not, anew or resumed."""

    mode: Mode
    resumed: bool
    token: Json
    """Of the first page to ask for; a resumed walk asks for its last page once more."""
    cursor: Json
    """The lower bound that is sent, None in a full reading."""
    state: ReadingState
    """As stored, to be carried on."""
    renames: bool = False
    """Records get other names: what is called by the old ones goes when all was read."""

    def is_whole(self) -> bool:
        """Tell whether it asks for everything, from the first page on."""
        return self.cursor is None and not self.resumed


def plan_reading(
    stored: ReadingState, *, prints: Fingerprints, incremental: bool, full: bool
) -> Reading:
    """Decide how to read, from what is stored.

    A changed spec makes stored progress worthless: its cursor and its page token belong to other
    requests, so the next reading is a full one. Where it also gives records other names, nothing
    of that reading counts before its end: one that breaks off is begun anew.
    """
    anew = ReadingState(
        fingerprint=prints.progress,
        identity=stored.identity or prints.identity,
        shape=stored.shape or prints.shape,
    )
    if is_renamed(stored.identity, prints):
        state = replace(anew, mode=Mode.FULL)
        return Reading(
            mode=Mode.FULL, resumed=False, token=None, cursor=None, state=state, renames=True
        )
    if stored.fingerprint != prints.progress:
        stored = anew
    if stored.walking and stored.mode is not None and not full:
        cursor = stored.cursor if stored.mode is Mode.INCREMENTAL else None
        return Reading(
            mode=stored.mode, resumed=True, token=stored.page_token, cursor=cursor, state=stored
        )
    mode = Mode.INCREMENTAL if incremental and stored.cursor is not None and not full else Mode.FULL
    fresh = replace(
        stored,
        walking=False,
        page_token=None,
        high_water=None,
        # What was seen before this walk begins is there when it begins.
        sure=stored.high_water,
        mode=mode,
    )
    cursor = stored.cursor if mode is Mode.INCREMENTAL else None
    return Reading(mode=mode, resumed=False, token=None, cursor=cursor, state=fresh)


def after_page(
    reading: Reading, state: ReadingState, shaped: Shaped, *, token: Json, type_: CursorType
) -> ReadingState:
    """Return the state that is committed together with a page, to be resumed one page back.

    Args:
        reading: How the run reads.
        state: As the page before left it.
        shaped: What the page held.
        token: The token that this page was asked with.
        type_: How cursor values compare.
    """
    first = token is None and not reading.resumed
    return replace(
        state,
        cursor=reading.state.cursor,
        walking=True,
        page_token=token,
        high_water=later(state.high_water, shaped.high_water, type_),
        sure=later(state.sure, shaped.high_water, type_) if first else state.sure,
    )


def advance_in_order(after: ReadingState, type_: CursorType) -> ReadingState:
    """Return the state after a page of a provider that sorts by the cursor: the cursor moves now.

    There is no page to come back to then: a walk that breaks off goes on from the cursor. The bound
    is included when it is sent again, so a tie that a page cuts is read in whole. A page that lies
    before the cursor, as the first ones of a lookback do, does not move it back.
    """
    if after.high_water is None:
        return after
    cursor = later(after.cursor, after.high_water, type_)
    return replace(after, cursor=cursor, walking=False, page_token=None)


def distrusted(state: ReadingState) -> ReadingState:
    """Return the state after a provider was seen to break the order that its spec promises.

    The cursor may have moved past rows that were not read yet, so only a complete reading makes
    this progress worth anything; one that breaks off is begun anew.
    """
    return replace(state, fingerprint="")


def is_in_order(before: ReadingState, shaped: Shaped, type_: CursorType) -> bool:
    """Tell whether a page goes on where the last one ended, never falling."""
    if not shaped.ascending:
        return False
    if before.high_water is None or shaped.low is None:
        return True
    return parse_cursor(before.high_water, type_) <= shaped.low  # type: ignore[operator]  # one type a stream


class Trust(Enum):
    """How far the cursor may move after a complete walk; see decision record 20."""

    ALL = "all"
    """To the greatest value seen: nothing that changed meanwhile can lie before it."""
    BEGINNING = "beginning"
    """To the greatest value that was surely there when the walk began. A row that changed behind
    the walk's back got a greater one."""
    NOTHING = "nothing"
    """It stays. A walk that was resumed at a place in the list may have stepped over rows that
    moved up meanwhile, and one that took an answer for nothing has not seen what was there; the
    next reading covers the same rows once more."""


def after_reading(state: ReadingState, type_: CursorType, trust: Trust) -> ReadingState:
    """Return the state after a complete reading; the cursor never moves back.

    An incremental reading that saw nothing newer keeps what it has. The high-water mark stays, as
    the next walk begins with what this one saw.
    """
    reached = {
        Trust.ALL: state.high_water,
        Trust.BEGINNING: state.sure,
        Trust.NOTHING: None,
    }[trust]
    cursor = later(state.cursor, reached, type_)
    return replace(state, cursor=cursor, page_token=None, walking=False, sure=None, mode=None)


def accepted(state: ReadingState, prints: Fingerprints, *, rewritten: bool) -> ReadingState:
    """Return the state after a complete reading as belonging to the spec that it was made by.

    Args:
        state: As the reading left it.
        prints: Of that spec.
        rewritten: Whether it saw everything, so that nothing stored is of an earlier shape.
    """
    shape = prints.shape if rewritten else state.shape
    return replace(state, fingerprint=prints.progress, identity=prints.identity, shape=shape)


def abandoned(state: ReadingState) -> ReadingState:
    """Return the state after a reading whose walk cannot be gone on with."""
    return replace(state, page_token=None, walking=False, sure=None, mode=None)
