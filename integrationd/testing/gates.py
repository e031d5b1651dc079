"""Who may ask a played provider, and how often: one gate for ``http.auth``, one for each other."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from http import HTTPStatus

from integrationd.errors import IntegrationError, UsageError
from integrationd.testing.challenges import DigestGuard
from integrationd.testing.consents import ConsentBooth
from integrationd.testing.guards import Guard, PlainGuard
from integrationd.testing.logins import LoginBooth
from integrationd.testing.scenes import Stage
from integrationd.testing.signatures import SignatureGuard, unverified
from integrationd.testing.tokens import TokenBooth
from integrationd.testing.turnstiles import Turnstile
from integrationd.wire.auth.authenticator import Auth, Authenticator, Signer
from integrationd.wire.auth.digest import DigestAuth
from integrationd.wire.auth.login import LoginAuth
from integrationd.wire.auth.oauth2 import OAuth2Auth
from integrationd.wire.messages import Answer, Call


@dataclass(frozen=True, slots=True)
class Gate:
    """One way to ask: what says so rightly, and how often it may be."""

    guard: Guard
    turnstile: Turnstile


def make_gates(stage: Stage, unplayed: dict[str, str]) -> Mapping[str, Gate]:
    """Return a gate for each way to ask, by its name; that of ``http.auth`` has none.

    Args:
        stage: What is played.
        unplayed: Gets what is not looked at, and why.

    Raises:
        UsageError: One cannot be played.
    """
    http = stage.integration.http
    assert http is not None
    gates = {}
    for way, auth in {"": http.auth, **http.auths}.items():
        place = f"http.auths.{way}" if way else "http.auth"
        turnstile = Turnstile(http=http, options=stage.options, base=stage.base)
        gates[way] = Gate(_make_guard(auth, stage, place, unplayed), turnstile)
    return gates


def gates_of(gates: Mapping[str, Gate], call: Call, ways: Sequence[str]) -> list[Gate]:
    """Return the gates that a call comes to: those it asks for a token, or those of what it asks.

    Args:
        gates: All.
        call: As it came in.
        ways: Of all that it may ask for, by the names of their gates.
    """
    own = [gate for gate in gates.values() if gate.guard.is_own(call)]
    return own or [gates[way] for way in dict.fromkeys(ways or ("",))]


def first_granted(answers: Iterable[Answer | None]) -> Answer | None:
    """Return the answer of who grants something, else of the first who refuses it.

    Several may be asked at one address, each by credentials of its own.
    """
    refused: Answer | None = None
    for answer in answers:
        if answer is not None and answer.status < HTTPStatus.BAD_REQUEST:
            return answer
        refused = refused or answer
    return refused


def _make_guard(auth: Auth, stage: Stage, place: str, unplayed: dict[str, str]) -> Guard:
    variables = stage.variables
    match auth:
        case LoginAuth():
            return LoginBooth(auth, stage)
        case OAuth2Auth():
            booth = ConsentBooth if auth.is_by_consent else TokenBooth
            return booth(auth=auth, variables=variables, options=stage.options, origin=stage.origin)
        case DigestAuth():
            return DigestGuard(auth, variables)
        case Signer():
            why = unverified(auth)
            if why:
                unplayed[place] = f"{place} is not verified: {why}"
            guard = SignatureGuard(auth, variables, is_blind=bool(why))
            _try_key(guard, place)
            return guard
        case _:
            assert isinstance(auth, Authenticator)
            return PlainGuard(auth, variables)


def _try_key(guard: SignatureGuard, place: str) -> None:
    try:
        guard.try_key()
    except IntegrationError as wrong:
        raise UsageError(f"{place} cannot be played: {wrong}") from None
