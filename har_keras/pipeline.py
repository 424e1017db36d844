"""The way of one run: data, model, fit, evaluation, run folder."""

import csv
import math
from collections.abc import Callable, Mapping
from dataclasses import asdict
from importlib import import_module
from pathlib import Path
from typing import Any
from zipfile import BadZipFile

import numpy as np
from omegaconf import OmegaConf
from rich.console import Console
from rich.text import Text

from har_keras import backend
from har_keras.config import Config
from har_keras.errors import UserError
from har_keras.reporting import figures
from har_keras.reporting.tables import markdown, summary
from har_keras.reporting.tensorboard import TensorBoard
from har_keras.run_folder import now, recorded, whole, write_json
from har_keras.tasks import Findings, TaskData
from har_keras.training import batches

SAMPLES = 20  # shown as text
AT_ONCE = 32  # batches that are in memory together, with their outputs
LARGEST_INPUT = 1 << 24  # numbers of these batches
SIMULATED = "SIMULATED recordings: these figures say nothing about real people."


def run(
    config: Config,
    folder: Path,
    overrides: list[str],
    console: Console,
    earlier: dict[str, Any] | None = None,
    engine: Callable[[Any, TaskData, TensorBoard], Any] | None = None,
) -> None:
    """Train one model on one task and leave everything about it in `folder`.

    `earlier` is the `run.json` of a run that is resumed. Raises `UserError` where its data differ.
    `engine` stands in for `training.fit`, where other processes take part in it.
    """
    facts = {name: getattr(config, name) for name in ("experiment", "protocol", "backend", "seed")}
    facts |= {"task": config.task.name, "model": config.model.name, "overrides": overrides}
    if earlier:
        facts = earlier | facts | {"resumed": [*earlier.get("resumed", []), now()]}
    with recorded(folder, facts) as record, TensorBoard(folder / "tensorboard") as board:
        backend.start(config.backend, config.hardware, config.seed)
        from har_keras.training.fit import fit

        data = load(config)
        if "data" in facts:
            require_same_data(data, facts["data"])
        (folder / ".hydra").mkdir(exist_ok=True)
        with whole(folder / ".hydra" / "config.yaml") as path:
            OmegaConf.save(OmegaConf.structured(config), path)
        sizes = {name: len(split.x) for name, split in data.splits.items()}
        record.note(
            data={"source": data.source, "sha256": data.sha256, **sizes},
            device=backend.device(config.backend),
            preprocessing=data.inputs.preprocessing and asdict(data.inputs.preprocessing),
            classes=list(data.outputs.classes),
            inputs=data.inputs.describe(),
            outputs=data.outputs.describe(),
        )
        _write_texts(folder, data.files)
        title = f"{config.model.name} on {config.task.name} ({data.source}), {config.backend}"
        console.print(Text(f"{title}, seed {config.seed}", style="bold"))
        console.print(Text(str(folder)), soft_wrap=True)
        if data.note:
            console.print(SIMULATED, style="bold yellow")
        with backend.distribution(config.backend, config.hardware):
            model = build(config, data)
            record.note(kernel=kernels(model))
            fitted = (
                engine(model, data, board)
                if engine
                else fit(model, data, config, folder, board, console)
            )
        with whole(folder / "model.keras") as path:
            model.save(path)
        outputs = predict(model, data)
        metrics = evaluate(data, outputs) | {
            "timing": fitted.timing,
            "parameters": model.count_params(),
            "epochs": len(fitted.history["loss"]),
            "best_epoch": fitted.best_epoch,
        }
        findings = study(data, model, metrics)
        if data.baselines is not None:
            metrics["baselines"] = data.baselines()
        write_json(folder / "metrics.json", metrics)
        _write_predictions(folder / "predictions.csv", data, outputs["test"])
        _write_texts(folder, findings.files)
        labels = dict(data.outputs.labels or figures.LABELS)
        if config.training.l2:
            labels = labels | {"loss": "cross-entropy + L2 loss (nats)"}
        pictures = {
            "curves": figures.curves(fitted.history, fitted.best_epoch, labels, data.note),
            **data.outputs.figures(data.test.y, outputs["test"], data.test.groups, data.note),
            **findings.figures,
        }
        for name, figure in pictures.items():
            figures.save(figure, folder / "figures" / f"{name}.png")
            board.image("test", name, figure, fitted.best_epoch)
        followed = {name.removeprefix("test_") for name in fitted.history}
        final = {k: v for k, v in metrics["test"].items() if data.validation or k not in followed}
        board.scalars("test", final, fitted.best_epoch)
        board.text("train", "config", f"```yaml\n{OmegaConf.to_yaml(config)}```")
        if data.note:
            board.text("test", "data", f"**{SIMULATED}**")
        _write_samples(board, data, model, outputs["test"], fitted.best_epoch)
        if data.baselines is not None:
            board.text("test", "baselines", markdown(compared(metrics)))
        board.hparams(hyper_parameters(config), final_metrics(metrics))
        board.graph(model)
    _report(console, title, metrics, folder)
    if data.note:
        console.print(SIMULATED, style="bold yellow")


def load(config: Config) -> TaskData:
    """The data of the configured task."""
    task = import_module(f"har_keras.tasks.{config.task.name}")
    published = config.protocol == "published"
    return task.load(config.task, Path(config.data.root).expanduser(), config.seed, published)


def build(config: Config, data: TaskData) -> Any:
    """The configured model for the task's input and output, with Keras's initial weights."""
    family = import_module(f"har_keras.models.{config.model.family}")
    return family.build(config.model, data.inputs, data.outputs)


def open_model(path: Path, inputs: tuple[int | None, ...], outputs: tuple[int | None, ...]) -> Any:
    """The saved model, on the running backend; nothing in the file is executed.

    Raises `UserError` unless it takes `inputs` and gives `outputs`, shapes without the batch axis.
    """
    import keras

    from har_keras import layers  # noqa: F401 (registers what the file names)

    try:
        model = keras.saving.load_model(path, compile=False, safe_mode=True)
    except (OSError, ValueError, TypeError, KeyError, BadZipFile) as error:
        reason = str(error).strip().splitlines()[0]
        raise UserError(f"{path}: expected a saved model, but {reason}") from error
    found = model.input_shape[1:], model.output_shape[1:]
    if found != (inputs, outputs):
        raise UserError(
            f"{path}: expected a model from {inputs} to {outputs}, found one from {found[0]} to"
            f" {found[1]}: a model file from another task"
        )
    return model


def require_same_data(data: TaskData, known: dict[str, Any]) -> None:
    """Raise `UserError` unless `data` is what `run.json` says the run was trained on."""
    if known["sha256"] != data.sha256:
        raise UserError(
            f"expected the run's {known['source']} data (sha256 {known['sha256'][:12]}…), found"
            f" {data.source} data ({data.sha256[:12]}…); say where the former lie: data.root= or"
            " task.path="
        )


def predict(model: Any, data: TaskData) -> dict[str, np.ndarray]:
    """What is kept of the model's outputs for every split, in full batches: the last is filled up.

    Where states are carried, those of each split start from zeros.
    """
    from har_keras.training import validation_state

    outputs = {}
    size = batches.evaluation_batch(data.inputs, data.outputs)
    for name, split in data.splits.items():
        validation_state.reset(model)
        parts = []
        fit = LARGEST_INPUT // (size * math.prod(split.x.shape[1:]))
        rows = size * min(max(1, fit), AT_ONCE)
        for first in range(0, len(split.x), rows):
            x, y = (array[first : first + rows] for array in (split.x, split.y))
            full = np.concatenate([x, np.repeat(x[:1], -len(x) % size, axis=0)])
            found = model.predict(full, batch_size=size, verbose=0)
            parts.append(data.outputs.kept(y, np.asarray(found)[: len(x)]))
        outputs[name] = np.concatenate(parts)
    return outputs


def evaluate(data: TaskData, outputs: dict[str, np.ndarray]) -> dict[str, Any]:
    """The task's metrics for every split; `validation` is None where there is none."""
    found = {n: data.outputs.metrics(split.y, outputs[n]) for n, split in data.splits.items()}
    return {name: found.get(name) for name in ("train", "validation", "test")}


def study(data: TaskData, model: Any, metrics: dict[str, Any]) -> Findings:
    """What the task's own tests of the model find; `metrics` take their figures up in place."""
    findings = data.study(model) if data.study else Findings({}, {}, {})
    for split, found in findings.metrics.items():
        metrics[split] = {**(metrics[split] or {}), **found}
    return findings


def kernels(model: Any) -> dict[str, str]:
    """Which path each recurrent layer of ours takes."""
    layers = model._flatten_layers()
    return {layer.name: layer.kernel_path for layer in layers if hasattr(layer, "kernel_path")}


def final_metrics(metrics: dict[str, Any]) -> dict[str, float]:
    """`test/accuracy` and the like, as TensorBoard's HParams tab names them."""
    return {
        f"{split}/{name}": value
        for split in ("test", "validation")
        for name, value in (metrics[split] or {}).items()
    }


def hyper_parameters(config: Config) -> dict[str, Any]:
    """Everything configured that is a plain value, by dotted key."""
    flat: dict[str, Any] = {"backend": config.backend, "seed": config.seed}
    for group in ("model", "optimizer", "training", "task", "hardware"):
        for name, value in vars(getattr(config, group)).items():
            if isinstance(value, bool | int | float | str):
                flat[group if name == "name" else f"{group}.{name}"] = value
    return flat


def compared(metrics: dict[str, Any]) -> dict[str, dict[str, float]]:
    """The figures of each split, then those of each baseline on the test split."""
    splits = {name: metrics[name] for name in ("train", "validation", "test") if metrics[name]}
    return splits | metrics.get("baselines", {})


def samples(data: TaskData, outputs: np.ndarray, count: int) -> list[tuple[str, str, str]]:
    """Some test samples as a person reads them: input, truth, prediction.

    The same ones whatever was predicted; none where the task's inputs or outputs cannot be read.
    """
    rows = np.random.default_rng(0).permutation(len(data.test.x))[:count]
    told = data.outputs.told(data.test.y[rows], outputs[rows])
    return [
        (shown, *both)
        for row, both in zip(rows, told, strict=False)
        if (shown := data.inputs.show(data.test.x[row]))
    ]


def _write_samples(
    board: TensorBoard, data: TaskData, model: Any, outputs: np.ndarray, step: int
) -> None:
    """Curves of precision over recall, samples as text, and the word vectors."""
    curves = data.outputs.precision_recall(data.test.y, outputs)
    for name, (truth, scores) in curves.items():
        board.precision_recall("test", f"precision_recall/{name}", truth, scores, step)
    if shown := samples(data, outputs, SAMPLES):
        lines = ["| input | truth | prediction |", "|---|---|---|"]
        lines += [f"| {' | '.join(x.replace('|', '¦') for x in row)} |" for row in shown]
        board.text("test", "samples", "\n".join(lines), step)
    embedded = data.inputs.embedded(model)
    if embedded is not None:
        board.embedding("train", embedded.layer, embedded.words, embedded.vectors)


def _write_texts(folder: Path, texts: Mapping[str, str]) -> None:
    for name, text in texts.items():
        with whole(folder / name) as path:
            path.write_text(text, encoding="utf-8", newline="")


def _write_predictions(path: Path, data: TaskData, outputs: np.ndarray) -> None:
    with whole(path) as temporary, temporary.open("w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows(data.outputs.prediction_rows(data.test.y, outputs))


def _report(console: Console, title: str, metrics: dict[str, Any], folder: Path) -> None:
    summary(
        console,
        title,
        compared(metrics),
        {
            "epochs": f"{metrics['epochs']}, best {metrics['best_epoch']}",
            "fit": f"{metrics['timing']['fit_seconds']:.1f} s",
            "parameters": f"{metrics['parameters']:,}",
            "run folder": str(folder),
            "figures": str(folder / "figures"),
            "model": str(folder / "model.keras"),
            "TensorBoard": f"tensorboard --logdir {folder / 'tensorboard'}",
        },
    )
