"""What one backend computes, for the others to agree with: a script, run in a process for each.

`first_losses FILE`: the losses of the first training steps of every shipped model and optimizer.
`save FOLDER`: every shipped model, with the weights that `seed` draws.
`predict FOLDER`: the probabilities that all models in the folder give.
"""

import json
import sys
from pathlib import Path

import numpy as np

from har_keras import backend, config, pipeline

STEPS = 20
PAIRS = ["task=dates", "model=encoder_decoder", "model.units=16", "task.teacher_forcing=0.5"]
MODELS = [[f"model={n}"] for n in config.choices("model") if n != "encoder_decoder"]
OPTIMIZERS = [["model=gru", f"optimizer={name}"] for name in config.choices("optimizer")]


def started(*overrides: str) -> config.Config:
    always = ["model.dropout=0", "optimizer.learning_rate=0.001", "hardware.threads=1"]
    if PAIRS[0] not in overrides:
        always.append("task.source=simulated")
    found = config.from_overrides([*overrides, *always])
    backend.start(found.backend, found.hardware, found.seed)
    return found


def first_losses(file: Path) -> None:
    losses = {}
    for overrides in [*MODELS, *OPTIMIZERS, PAIRS]:
        settings = started(*overrides)
        from har_keras.training import batches
        from har_keras.training.fit import prepare

        data = pipeline.load(settings)
        model = pipeline.build(settings, data)
        prepare(model, data, settings)
        changes = {"augment": data.augment, "teach": data.teach, "updates": STEPS}
        size = settings.training.batch_size
        stream = batches.stream(data.train.x, data.train.y, size, 0, **changes)
        found = []
        for _ in range(STEPS):
            model.reset_metrics()
            found.append(float(model.train_on_batch(*next(stream), return_dict=True)["loss"]))
        losses[" ".join(overrides)] = found
    file.write_text(json.dumps(losses))


def save(folder: Path) -> None:
    for overrides in MODELS:
        settings = started(*overrides, "seed=1")
        from har_keras.training import initial_weights

        data = pipeline.load(settings)
        model = pipeline.build(settings, data)
        initial_weights.draw(model, settings.seed, {})
        model.save(folder / f"{settings.model.name}.{settings.backend}.keras")


def predict(folder: Path) -> None:
    settings = started()
    data = pipeline.load(settings)
    x, classes = data.test.x[::100], (len(data.outputs.classes),)
    probabilities = {}
    for path in sorted(folder.glob("*.keras")):
        model = pipeline.open_model(path, x.shape[1:], classes)
        probabilities[path.stem] = data.outputs.probabilities(model.predict(x, verbose=0))
    np.savez(folder / f"{settings.backend}.npz", **probabilities)


if __name__ == "__main__":
    {"first_losses": first_losses, "save": save, "predict": predict}[sys.argv[1]](Path(sys.argv[2]))
