"""What can be typed, read from `conf/`."""

from pathlib import Path

from har_keras import __version__

CONF = next(
    path
    for path in (Path(__file__).parents[1] / "conf", Path(__file__).parents[2] / "conf")
    if path.is_dir()
)
GROUPS = ("task", "model", "optimizer", "hardware", "experiment")
TEXT = """\
har_keras {version}: recurrent networks on sensor and text sequences, on JAX, TensorFlow or PyTorch

  python -m har_keras [key=value …]                 train one model
  python -m har_keras training.resume=<run folder>  go on with an interrupted run
  python -m har_keras -m [key=value,value …]        train one for each combination (a sweep)
  python -m har_keras -m hydra.sweep.dir=<sweep>    run what an old sweep has not completed
  python -m har_keras evaluate run=<run folder>     the figures again, from the run folder alone
  python -m har_keras predict run=<run folder> input=<CSV file> [output=<CSV file>] [rate=50]
                                                    the label of each window of a recording
  python -m har_keras predict run=<run folder> text="…" [format=table|csv|json] [output=<file>]
                                                    what a run on texts says of one; of many with
                                                    input=<file with a text a line>
  python -m har_keras predict run=<run folder> input=<CSV file, folder, glob or URL> [output=<file>]
                                                    the class of each sequence, or of each step
  python -m har_keras stream run=<run folder> [rate=50] < samples.csv
                                                    the same, live: a label as soon as it is known
  python -m har_keras generate run=<run folder> [prefix="First"] [length=300] [temperature=0.8]
                                                    what a language model writes, as it writes it
  python -m har_keras translate run=<run folder> text="…" [beam=5] [length_penalty=1]
                                                    what a run on pairs says of one text, or of many
                                                    with input=<file with a text a line>
  python -m har_keras benchmark [key=value …]       speed beside Keras's layers and each backend's
  python -m har_keras reproduce [experiment …] [seeds=0,1,2] [backends=jax,torch]
                                                    published systems, and the table of them
  python -m har_keras report [folder]               a table of all runs below a folder

Choices
{choices}

Values (defaults in conf/; --cfg job prints the composed config)
  backend=jax|tensorflow|torch     default: KERAS_BACKEND, else the first installed
  seed=0  data.root=<folder>       default: HAR_KERAS_DATA, else the user's cache folder
  training.epochs= training.batch_size= training.patience= optimizer.learning_rate= model.units= …

Example
  python -m har_keras task=har model=gru optimizer=rmsprop training.epochs=5
"""


def main(arguments: list[str]) -> None:
    """Print the help."""
    lines = []
    for group in GROUPS:
        names = sorted(path.stem for path in (CONF / group).glob("*.yaml"))
        lines.append(f"  {group + '=':12}{' | '.join(names)}")
    print(TEXT.format(version=__version__, choices="\n".join(lines)), end="")
