"""How far a reading has come, and what of it may be kept."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from enum import Enum
from typing import Final, cast

from integrationd.engine.renaming import is_renamed
from integrationd.model.fingerprints import Fingerprints
from integrationd.model.json import Json
from integrationd.model.runs import Mode
from integrationd.ports.store import ReadingState
from integrationd.transform.cursors import Scale
from integrationd.transform.shape import Shaped

STRAYS: Final = "-"
"""In the place of a shape: there are records, and no reading was ever complete."""


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

    @property
    def keeps(self) -> bool:
        """Tell whether what it comes to is the stream's progress."""
        return self.mode is not Mode.INPUT

    @property
    def leaves_strays(self) -> bool:
        """Tell whether it may leave records of a stream that was never read."""
        return not self.keeps and self.state.shape == STRAYS

    def is_whole(self) -> bool:
        """Tell whether it asks for everything, from the first page on."""
        return self.mode is Mode.FULL and not self.resumed


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
        shape=stored.shape,
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
    owes = stored.shape not in ("", prints.shape)
    goes_on = incremental and stored.cursor is not None and not (full or owes)
    mode = Mode.INCREMENTAL if goes_on else Mode.FULL
    fresh = replace(
        stored,
        walking=False,
        page_token=None,
        high_water=None,
        # What was seen before this walk begins is there when it begins.
        sure=stored.high_water,
        mode=mode,
        window=None,
    )
    cursor = stored.cursor if mode is Mode.INCREMENTAL else None
    return Reading(mode=mode, resumed=False, token=None, cursor=cursor, state=fresh)


def plan_narrowed(stored: ReadingState, prints: Fingerprints) -> Reading:
    """Read what a person narrowed a run to, from its first page on, whatever is stored.

    Where nothing was ever read, the state is one that is kept: it says how records are called that
    are there before any reading.
    """
    state = ReadingState(mode=Mode.INPUT)
    if not stored.identity:
        state = ReadingState(identity=prints.identity, shape=STRAYS)
    return Reading(mode=Mode.INPUT, resumed=False, token=None, cursor=None, state=state)


def plan_round(
    stored: ReadingState, *, prints: Fingerprints, incremental: bool, full: bool, run_id: str
) -> Reading:
    """Decide how to read a stream's partitions, from what is stored of the stream itself.

    A round that broke off is gone on with: what is done stays done. Otherwise a new one begins,
    named after its first run. As with :func:`plan_reading` a changed spec means a full one.
    """
    anew = ReadingState(
        fingerprint=prints.progress,
        identity=stored.identity or prints.identity,
        shape=stored.shape,
        walking=True,
        mode=Mode.FULL,
        round=run_id,
        owes=stored.owes,
    )
    if is_renamed(stored.identity, prints):
        return Reading(
            mode=Mode.FULL, resumed=False, token=None, cursor=None, state=anew, renames=True
        )
    if stored.fingerprint != prints.progress:
        return Reading(mode=Mode.FULL, resumed=False, token=None, cursor=None, state=anew)
    if stored.walking and stored.mode is not None and not full:
        cursor = stored.cursor if stored.mode is Mode.INCREMENTAL else None
        return Reading(mode=stored.mode, resumed=True, token=None, cursor=cursor, state=stored)
    mode = Mode.INCREMENTAL if incremental and not full else Mode.FULL
    state = replace(stored, walking=True, mode=mode, high_water=None, round=run_id)
    cursor = stored.cursor if mode is Mode.INCREMENTAL else None
    return Reading(mode=mode, resumed=False, token=None, cursor=cursor, state=state)


def plan_part(
    stored: ReadingState, *, whole: Reading, prints: Fingerprints, incremental: bool
) -> Reading | None:
    """Decide how to read one partition in a round; None where that is done already.

    Args:
        stored: What is stored of it.
        whole: How the round reads.
        prints: Of the stream as its files are.
        incremental: Whether the stream keeps cursors.
    """
    if not whole.keeps:
        return whole
    begun = stored.round == whole.state.round
    if begun and not stored.walking:
        return None
    if not begun and stored.walking:
        stored = abandoned(stored)
    # Names are the stream's matter.
    stored = replace(stored, identity="", shape="")
    full = whole.renames or (whole.mode is Mode.FULL and not begun)
    reading = plan_reading(stored, prints=prints, incremental=incremental, full=full)
    state = replace(reading.state, round=whole.state.round)
    return replace(reading, state=state, renames=whole.renames)


def after_round(whole: Reading, prints: Fingerprints, *, complete: bool) -> ReadingState:
    """Return the stream's own state after all its partitions were tried.

    Args:
        whole: How the round read.
        prints: Of the stream as its files are.
        complete: Whether none failed, and each was read to its end.
    """
    state = replace(whole.state, cursor=whole.state.high_water if complete else whole.state.cursor)
    state = replace(state, walking=False, mode=None, high_water=None)
    return accepted(state, prints, rewritten=complete and whole.mode is Mode.FULL)


def after_page(
    state: ReadingState, shaped: Shaped, *, token: Json, first: bool, scale: Scale
) -> ReadingState:
    """Return the state that is committed together with a page, to be resumed one page back.

    Args:
        state: As the page before left it.
        shaped: What the page held.
        token: The token that this page was asked with.
        first: Whether a walk begins with it.
        scale: How cursor values compare.
    """
    return replace(
        state,
        walking=True,
        page_token=token,
        high_water=scale.later(state.high_water, shaped.high_water),
        sure=scale.later(state.sure, shaped.high_water) if first else state.sure,
    )


def advance_in_order(after: ReadingState, scale: Scale) -> ReadingState:
    """Return the state after a page of a provider that sorts by the cursor: the cursor moves now.

    There is no page to come back to then: a walk that breaks off goes on from the cursor. The bound
    is included when it is sent again, so a tie that a page cuts is read in whole. A page that lies
    before the cursor, as the first ones of a lookback do, does not move it back.
    """
    if after.high_water is None:
        return after
    cursor = scale.later(after.cursor, after.high_water)
    # Without its round a partition is not taken for one that is done.
    return replace(after, cursor=cursor, walking=False, page_token=None, round="")


def distrusted(state: ReadingState) -> ReadingState:
    """Return the state after a provider was seen to break the order that its spec promises.

    The cursor may have moved past rows that were not read yet, so only a complete reading makes
    this progress worth anything; one that breaks off is begun anew.
    """
    return replace(state, fingerprint="")


def is_in_order(before: ReadingState, shaped: Shaped, scale: Scale) -> bool:
    """Tell whether a page goes on where the last one ended, never falling."""
    if not shaped.ascending:
        return False
    if before.high_water is None or shaped.low is None:
        return True
    return scale.parse(before.high_water) <= shaped.low  # type: ignore[operator]  # one type a stream


@dataclass(frozen=True, slots=True, kw_only=True)
class Window:
    """A span of time that one walk of a reading covers."""

    begin: datetime
    end: datetime
    held: bool = False
    """An earlier window may have rows that were not seen: the cursor stays before them."""

    def to_json(self) -> Json:
        """Return it as it is kept."""
        return [self.begin.isoformat(), self.end.isoformat(), self.held]

    @classmethod
    def read(cls, kept: Json) -> Window:
        """Read what :meth:`to_json` wrote."""
        begin, end, held = cast("tuple[str, str, bool]", kept)
        return cls(begin=datetime.fromisoformat(begin), end=datetime.fromisoformat(end), held=held)


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


def after_reading(state: ReadingState, scale: Scale, trust: Trust) -> ReadingState:
    """Return the state after a complete reading; the cursor never moves back.

    An incremental reading that saw nothing newer keeps what it has. The high-water mark stays, as
    the next walk begins with what this one saw.
    """
    reached = {
        Trust.ALL: state.high_water,
        Trust.BEGINNING: state.sure,
        Trust.NOTHING: None,
    }[trust]
    cursor = scale.later(state.cursor, reached)
    return replace(
        state, cursor=cursor, page_token=None, walking=False, sure=None, mode=None, window=None
    )


def after_list(state: ReadingState, scale: Scale, trust: Trust) -> ReadingState:
    """Return the state after the list of a stream with a feed: that begins where the list says.

    A cursor of the feed that still holds stays. What changed and went since then is told there, and
    some of it the list may not have shown.
    """
    if state.cursor is not None:
        trust = Trust.NOTHING
    return after_reading(state, scale, trust)


def after_reset(state: ReadingState, scale: Scale) -> ReadingState:
    """Return the state after a walk in order that the provider cut: the next begins at its end.

    Args:
        state: As its last page left it; it has a high-water mark.
        scale: How cursor values compare.
    """
    reached = state.high_water
    cursor = scale.later(state.cursor, reached)
    return replace(state, cursor=cursor, page_token=None, high_water=None, sure=reached)


def after_window(
    state: ReadingState, following: Window, scale: Scale, *, trust: Trust
) -> ReadingState:
    """Return the state after a window that is not the last.

    The cursor is not before its end then, or, where rows may have been stepped over, where they
    were surely not; from there it does not move any more in this reading.

    Args:
        state: As its last page left it.
        following: The next window; a run that breaks off goes on with it.
        scale: How cursor values compare.
        trust: How far the walk through this window is to be trusted.
    """
    cursor, end = state.cursor, following.begin.isoformat()
    held = state.window is not None and Window.read(state.window).held
    if trust is Trust.BEGINNING and scale.later(end, state.sure) != end:
        trust = Trust.ALL  # another walk saw further before this one began
    if not held and trust is not Trust.NOTHING:
        cursor = scale.later(cursor, end if trust is Trust.ALL else state.sure)
    kept = replace(following, held=held or trust is not Trust.ALL)
    return replace(state, cursor=cursor, page_token=None, window=kept.to_json())


def accepted(state: ReadingState, prints: Fingerprints, *, rewritten: bool) -> ReadingState:
    """Return the state after a complete reading as belonging to the spec that it was made by.

    Args:
        state: As the reading left it.
        prints: Of that spec.
        rewritten: Whether it saw everything, so that nothing stored is of an earlier shape.
    """
    # Where nothing was ever read completely, all that is stored is of this one.
    shape = prints.shape if rewritten or not state.shape else state.shape
    return replace(state, fingerprint=prints.progress, identity=prints.identity, shape=shape)


def forgotten(state: ReadingState) -> ReadingState:
    """Return the state after the provider refused a cursor: only the names of records are known."""
    return ReadingState(identity=state.identity, shape=state.shape)


def abandoned(state: ReadingState) -> ReadingState:
    """Return the state after a reading whose walk cannot be gone on with."""
    return replace(
        state, page_token=None, walking=False, sure=None, mode=None, window=None, round=""
    )
