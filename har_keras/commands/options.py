"""The `key=value` arguments of the commands that start from a run folder, taken as typed."""

from pathlib import Path

from har_keras.errors import UserError, nearest, require


def read(
    arguments: list[str], own: tuple[str, ...], of_the_run: tuple[str, ...]
) -> tuple[dict[str, str], list[str]]:
    """The command's own options, and what overrides the run's config.

    Raises `UserError` for any other argument, and unless `run=` is among them.
    """
    options, overrides = {}, []
    for argument in arguments:
        key, equals, value = argument.partition("=")
        if key in own and equals:
            options[key] = value
        elif key.startswith(of_the_run):
            overrides.append(argument)
        else:
            allowed = (*own, *of_the_run)
            raise UserError(
                f"{argument}: expected one of {', '.join(f'{a}=' for a in allowed)}"
                f"{nearest(key, allowed)}"
            )
    if "run" not in options:
        raise UserError("run=: expected the folder of a finished run, run=outputs/…")
    return options, overrides


def whole(options: dict[str, str], key: str, default: int, least: int, most: int) -> int:
    """A whole number; raise `UserError` unless it lies from `least` to `most`."""
    text = options.get(key, str(default))
    ok = text.isdecimal() and least <= int(text) <= most
    require(ok, key, text, f"a whole number, {least} to {most}")
    return int(text)


def real(options: dict[str, str], key: str, default: float) -> float:
    """A number; raise `UserError` for anything else."""
    text = options.get(key, str(default))
    try:
        return float(text)
    except ValueError as error:
        raise UserError(f"{key}={text}: expected a number") from error


def rate(options: dict[str, str]) -> float | None:
    """`rate=` in Hz; raise `UserError` unless it is a number above 0."""
    if "rate" not in options:
        return None
    try:
        value = float(options["rate"])
    except ValueError:
        value = 0.0
    if not 0 < value < float("inf"):
        raise UserError(f"rate={options['rate']}: expected samples a second, such as 50")
    return value


def output(typed: str, run: Path) -> Path:
    """A path to write to, outside the run folder; raise `UserError` for one within it."""
    path = Path(typed).expanduser()
    if path.resolve().is_relative_to(run.resolve()):
        raise UserError(f"output={typed}: is the run itself or in it, expected another place")
    return path
