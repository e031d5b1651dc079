"""Functions of numbers. They reckon in decimals, so that of money no digit is lost or invented.

Of whole numbers a whole number comes, of any with a fraction a number; where one of them is text,
as money is kept, the result is text.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from decimal import (
    ROUND_CEILING,
    ROUND_FLOOR,
    ROUND_HALF_UP,
    Context,
    Decimal,
    DivisionByZero,
    Inexact,
    InvalidOperation,
    Overflow,
    localcontext,
)
from functools import reduce
from typing import Final

from integrationd.model.json import Json
from integrationd.transform.functions.function import Amount, Function

_DIGITS_MAX: Final = 100
_NUMBER: Final = re.compile(r"[+-]?(?:[0-9]{1,100}(?:\.[0-9]{0,100})?|\.[0-9]{1,100})")
_EXACT: Final = Context(
    prec=4 * _DIGITS_MAX, traps=[InvalidOperation, DivisionByZero, Overflow, Inexact]
)
_ROUNDED: Final = Context(prec=4 * _DIGITS_MAX, traps=[InvalidOperation, DivisionByZero, Overflow])
_PLACES_MAX: Final = 20
_METHODS: Final = {"common": ROUND_HALF_UP, "ceil": ROUND_CEILING, "floor": ROUND_FLOOR}


def round_(number: Amount, precision: int = 0, method: str = "common") -> Json:
    """Return a number with so many digits after the point; a half is rounded away from zero.

    The method is ``common``, ``ceil`` or ``floor``.

    round(`2.675`, `2`) -> 2.68
    round('12.345', `2`) -> "12.35"
    round(`2.1`, `0`, 'ceil') -> 3
    """
    if not 0 <= precision <= _PLACES_MAX:
        raise ValueError(f"expected a precision from 0 to {_PLACES_MAX}")
    if method not in _METHODS:
        raise ValueError("expected the method 'common', 'ceil' or 'floor'")
    if isinstance(number, int):
        return number
    return _like(_quantize(_decimal(number), precision, _METHODS[method]), (number,))


def add(*numbers: Amount) -> Json:
    """Return the sum of numbers.

    add(`1`, `2`, `3`) -> 6
    add('0.10', '0.20') -> "0.30"
    """
    return _reckon(Decimal.__add__, numbers)


def subtract(number: Amount, less: Amount) -> Json:
    """Return the difference of two numbers.

    subtract('10.00', '0.01') -> "9.99"
    """
    return _reckon(Decimal.__sub__, (number, less))


def multiply(*numbers: Amount) -> Json:
    """Return the product of numbers.

    multiply('19.90', `3`) -> "59.70"
    """
    return _reckon(Decimal.__mul__, numbers)


def divide(number: Amount, by: Amount, precision: int) -> Json:
    """Return the quotient of two numbers, rounded to so many digits after the point.

    By zero it is null.

    divide('10.00', `3`, `2`) -> "3.33"
    divide(`7`, `0`, `2`) -> null
    """
    if not 0 <= precision <= _PLACES_MAX:
        raise ValueError(f"expected a precision from 0 to {_PLACES_MAX}")
    divisor = _decimal(by)
    if not divisor:
        return None
    with localcontext(_ROUNDED):
        found = _decimal(number) / divisor
    return _like(_quantize(found, precision, ROUND_HALF_UP), (number, by))


def to_minor(amount: Amount, places: int = 2) -> Json:
    """Return an amount of money in its smallest unit, a whole number; null where it is finer.

    The currency says how many digits stand after the point: two, none for yen, three for dinars.

    to_minor('12.50') -> 1250
    to_minor(`12.5`, `0`) -> null
    """
    if not 0 <= places <= _PLACES_MAX:
        raise ValueError(f"expected a number of digits from 0 to {_PLACES_MAX}")
    found = _decimal(amount).scaleb(places, _EXACT)
    return int(found) if found == found.to_integral_value() else None


def from_minor(units: Amount, places: int = 2) -> Json:
    """Return an amount of money, as text, from a number of its smallest unit.

    from_minor(`1250`) -> "12.50"
    from_minor('1250', `3`) -> "1.250"
    """
    if not 0 <= places <= _PLACES_MAX:
        raise ValueError(f"expected a number of digits from 0 to {_PLACES_MAX}")
    found = _decimal(units)
    if found != found.to_integral_value():
        raise ValueError("expected a whole number")
    return format(_quantize(found.scaleb(-places, _EXACT), places, ROUND_HALF_UP), "f")


def parse_decimal(text: str, point: str = ".") -> Json:
    """Return a number as people write it, as exact text.

    The point is ``.`` or ``,``; the other one, spaces and apostrophes stand between thousands.

    parse_decimal('1.234,50', ',') -> "1234.50"
    parse_decimal('-1 234.5') -> "-1234.5"
    """
    if point not in _POINTS:
        raise ValueError("expected the point '.' or ','")
    whole, _, rest = text.strip().partition(point)
    plain = _BETWEEN[point].sub("", whole) + ("." + rest if rest else "")
    if len(text) > _DIGITS_MAX or not _NUMBER.fullmatch(plain):
        raise ValueError("expected text that is a number")
    return format(Decimal(plain), "f")


def _reckon(act: Callable[[Decimal, Decimal], Decimal], given: tuple[Amount, ...]) -> Json:
    if not given:
        raise ValueError("takes one number or more")
    try:
        with localcontext(_EXACT):
            return _like(reduce(act, map(_decimal, given)), given)
    except ArithmeticError:
        raise ValueError("gives a number of too many digits") from None


def _decimal(value: Amount) -> Decimal:
    text = value if isinstance(value, str) else ""
    if isinstance(value, str) and not _NUMBER.fullmatch(text.strip()):
        raise ValueError("expected text that is a number")
    if isinstance(value, int) and abs(value) >= _WHOLE_MAX:
        raise ValueError(f"expected a number of at most {_DIGITS_MAX} digits")
    found = Decimal(repr(value) if isinstance(value, float) else value)
    if not found.is_finite():
        raise ValueError("expected a number with bounds")
    return found


def _quantize(value: Decimal, places: int, rounding: str) -> Decimal:
    try:
        return value.quantize(Decimal(1).scaleb(-places), rounding=rounding, context=_ROUNDED)
    except ArithmeticError:
        raise ValueError("gives a number of too many digits") from None


def _like(found: Decimal, given: tuple[Amount, ...]) -> Json:
    """Write a result as what it was made of is written."""
    if found and abs(found.adjusted()) > 2 * _DIGITS_MAX:
        raise ValueError("gives a number of too many digits")
    if any(isinstance(one, str) for one in given):
        return format(found, "f")
    return int(found) if found == found.to_integral_value() else float(found)


_WHOLE_MAX: Final = 10**_DIGITS_MAX
_POINTS: Final = (".", ",")
_BETWEEN: Final = {
    ".": re.compile(r"(?<=[0-9])[,'\u2019\s](?=[0-9]{3})"),
    ",": re.compile(r"(?<=[0-9])[.'\u2019\s](?=[0-9]{3})"),
}
FUNCTIONS: Final = tuple(
    Function.of(run)
    for run in (round_, add, subtract, multiply, divide, to_minor, from_minor, parse_decimal)
)
