"""`python -m har_keras [command] [key=value …]`: picks the command and hands on."""

import os
import re
import signal
import sys
from importlib import import_module

from har_keras.errors import UserError, nearest
from har_keras.run_folder import full_or_forbidden_told

COMMANDS = (
    "train",
    "evaluate",
    "predict",
    "stream",
    "generate",
    "translate",
    "benchmark",
    "reproduce",
    "report",
)


def main() -> None:
    """Run the command named first, `train` if none is; exit 1 with one line on a user's mistake.

    A polite kill ends a run as Ctrl-C does.
    """
    arguments = sys.argv[1:]
    if any(flag in arguments for flag in ("-h", "--help")):
        arguments = ["help"]
    named = bool(arguments) and re.fullmatch(r"\w+", arguments[0])
    command = arguments.pop(0) if named else "train"
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        if command not in (*COMMANDS, "help"):
            raise UserError(
                f"{command}: no such command, expected one of {', '.join(COMMANDS)}"
                f"{nearest(command, COMMANDS)}"
            )
        with full_or_forbidden_told():
            import_module(f"har_keras.commands.{command}").main(arguments)
    except UserError as error:
        sys.exit(f"har_keras: {error}")
    except KeyboardInterrupt:
        sys.exit(130)
    except BrokenPipeError:  # `| head` has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


if __name__ == "__main__":
    main()
