import os
import subprocess
import sys
from pathlib import Path

import pytest

from har_keras.__main__ import main


@pytest.fixture
def lines(monkeypatch: pytest.MonkeyPatch, capsys, finished, loaded):
    """What a command prints in this process, where Keras runs already."""
    monkeypatch.setenv("KERAS_BACKEND", finished[0].parent.name)

    def run(command: str, *arguments: str, source: Path | None = None) -> list[list[str]]:
        monkeypatch.setattr(sys, "argv", ["har_keras", command, f"run={finished[0]}", *arguments])
        with (source or Path(os.devnull)).open() as file:
            monkeypatch.setattr(sys, "stdin", file)
            main()
        return [line.split(",") for line in capsys.readouterr().out.splitlines()]

    return run


@pytest.mark.parametrize("piece", [1 << 20, 997])
def test_gives_what_predict_gives(
    lines, recording: Path, monkeypatch: pytest.MonkeyPatch, piece: int
) -> None:
    whole = lines("predict", f"input={recording}")
    monkeypatch.setattr("har_keras.commands.stream.BLOCK", piece)
    found = lines("stream", source=recording)
    assert [row[:3] for row in found] == [row[:3] for row in whole]
    for one, other in zip(found[1:], whole[1:], strict=True):
        assert float(one[3]) == pytest.approx(float(other[3]), abs=2e-4)


def test_a_last_line_without_end_counts(lines, recording: Path, tmp_path: Path) -> None:
    """Window 1 ends with sample 192; cut off there, that sample is the last line."""
    head = recording.read_text().splitlines()[:193]
    for content, windows in (("\n".join(head), 2), ("\n".join(head[:-1]) + "\n", 1)):
        (tmp_path / "x.csv").write_text(content)
        assert len(lines("stream", source=tmp_path / "x.csv")) == 1 + windows


@pytest.fixture
def process(finished, tmp_path: Path):
    """`stream` in a process of its own, ready for samples."""
    process = subprocess.Popen(
        [sys.executable, "-m", "har_keras", "stream", f"run={finished[0]}"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        cwd=tmp_path,
    )
    assert process.stderr.readline() == "ready\n"
    with process:
        yield process
        process.kill()


def test_labels_come_as_soon_as_they_are_known(process, recording: Path) -> None:
    """The noise filter looks one sample ahead. A polite kill ends it as Ctrl-C does."""
    assert process.stdout.readline() == "start,end,prediction,probability\n"
    samples = recording.read_text().splitlines(keepends=True)
    process.stdin.write("".join(samples[: 1 + 129]))
    process.stdin.flush()
    assert process.stdout.readline().startswith("0.00,2.56,")
    process.stdin.write("".join(samples[130 : 1 + 193]))
    process.stdin.flush()
    assert process.stdout.readline().startswith("1.28,3.84,")
    process.terminate()
    assert process.wait(60) == 130
    assert process.stderr.read() == ""


def test_a_reader_that_has_seen_enough(process, recording: Path) -> None:
    process.stdout.close()
    process.stdin.write(recording.read_text())
    process.stdin.close()
    assert process.wait(60) == 0
    assert process.stderr.read() == ""
