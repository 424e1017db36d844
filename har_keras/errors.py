"""The one exception for mistakes that a user can mend, and the checks that raise it."""

from collections.abc import Iterable
from difflib import get_close_matches

MANY = 20  # choices; of more a near miss alone is named


class UserError(Exception):
    """One line that says what was expected, what came, and what to do next.

    The command line prints it without a traceback and exits with status 1.
    """


def nearest(word: str, choices: Iterable[str]) -> str:
    """`, did you mean 'lstm'?` for a near miss, else an empty string."""
    match = get_close_matches(str(word), list(choices), n=1)
    return f", did you mean '{match[0]}'?" if match else ""


def one_of(value: str, choices: Iterable[str]) -> str:
    """`one of lstm, gru, did you mean 'gru'?`: what is allowed in place of `value`."""
    choices = list(choices)
    near = nearest(value, choices)
    listed = f"{len(choices)} names" if near and len(choices) > MANY else ", ".join(choices)
    return f"one of {listed}{near}"


def require(ok: bool, key: str, value: object, allowed: str) -> None:
    """Raise `UserError` naming the key, the value and what is allowed, unless `ok`."""
    if not ok:
        raise UserError(f"{key}={value}: expected {allowed}")


def require_choice(key: str, value: str, choices: Iterable[str]) -> None:
    """Raise `UserError` unless `value` is one of `choices`, suggesting the nearest."""
    choices = list(choices)
    require(value in choices, key, value, one_of(value, choices))
