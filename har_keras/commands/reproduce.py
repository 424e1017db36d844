"""Runs the published systems over several seeds and backends, and writes the table of them."""

import subprocess
import sys
from pathlib import Path

from rich.console import Console

from har_keras import backend
from har_keras.config import Reference, choices, from_overrides
from har_keras.errors import UserError, require, require_choice
from har_keras.reporting import reproduction, runs
from har_keras.run_folder import whole

OPTIONS = {"seeds": "", "backends": "", "n_jobs": "1", "output": "outputs"}


def main(arguments: list[str]) -> None:
    """`[experiment …]`, all if none is named; `seeds=0,1,2 backends=jax,torch n_jobs=2 output=`.

    Each experiment and its sound counterpart is a sweep below `output`/reproduction, which goes on
    where it stopped; other `key=value` are overrides for all. Writes `output`/reproduction.md, also
    where a run fails. `seeds=` alone runs nothing: the table of what there is.
    """
    named = [argument for argument in arguments if "=" not in argument]
    typed = dict(a.split("=", 1) for a in arguments if a.partition("=")[0] in OPTIONS and "=" in a)
    options = OPTIONS | typed
    overrides = [a for a in arguments if "=" in a and a.partition("=")[0] not in OPTIONS]
    systems = referenced(named)
    root = Path(options["output"]).expanduser()
    failed = []
    for name, reference in systems.items():
        wanted = {name: reference.seeds}
        if reference.sound:
            wanted[reference.sound] = reference.sound_seeds
        for experiment, runs_wanted in wanted.items():
            seeds = typed.get("seeds", ",".join(map(str, range(runs_wanted))))
            backends = options["backends"] or backend.default()
            if seeds and not _sweep(experiment, seeds, backends, options, overrides, root):
                failed.append(experiment)
    found = runs.collect(root / "reproduction")
    path = root / "reproduction.md"
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with whole(path) as temporary:
            temporary.write_text(reproduction.to_markdown(systems, found))
    except OSError as error:
        raise UserError(f"cannot write {path}: {error.strerror}") from error
    Console().print(f"written to {path}", soft_wrap=True)
    if failed:
        raise UserError(f"runs of {', '.join(failed)} failed; the same command goes on with them")


def referenced(named: list[str]) -> dict[str, Reference]:
    """The experiments with a published figure, or those named, by name."""
    for name in named:
        require_choice("experiment", name, choices("experiment"))
    known = {
        name: from_overrides([f"experiment={name}"]).reference
        for name in named or choices("experiment")
    }
    for name in named:
        allowed = "one with a published figure (reference: in its YAML)"
        require(known[name] is not None, "experiment", name, allowed)
    return {name: reference for name, reference in known.items() if reference is not None}


def _sweep(
    experiment: str,
    seeds: str,
    backends: str,
    options: dict[str, str],
    overrides: list[str],
    root: Path,
) -> bool:
    require(options["n_jobs"].isdigit(), "n_jobs", options["n_jobs"], "a whole number, at least 1")
    settings = [f"hydra.launcher.n_jobs={options['n_jobs']}"]
    settings.append(f"hydra.sweep.dir={root / 'reproduction' / experiment}")
    jobs = [f"experiment={experiment}", f"backend={backends}", f"seed={seeds}", *overrides]
    command = [sys.executable, "-m", "har_keras", "-m", *jobs, *settings]
    return subprocess.run(command, check=False).returncode == 0
