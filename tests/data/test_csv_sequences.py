import gzip
import os
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from har_keras.data import csv_corpus, csv_parts
from har_keras.data.csv_corpus import load
from har_keras.data.csv_parts import write_all
from har_keras.data.csv_recordings import BLOCK
from har_keras.data.csv_sequences import BadFile, Format, files, read
from har_keras.errors import UserError

HEAD = "a,b,label\n"
GOOD = f"{HEAD}1,2,up\n3,4,up\n"
CLASSES = ("up", "down")


def write(folder: Path, count: int, rng: np.random.Generator) -> list[np.ndarray]:
    """Files of 2 to 9 rows, named out of order; what stands in them by name."""
    found = {}
    for number in rng.permutation(count):
        x = rng.normal(size=(rng.integers(2, 10), 2)).astype(np.float32)
        rows = [f"{a},{b},{CLASSES[number % 2]}" for a, b in x.tolist()]
        (folder / f"{number:03}.csv").write_text("\n".join(["a,b,label", *rows]))
        found[number] = x
    return [found[number] for number in sorted(found)]


def contents(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


@pytest.fixture
def written(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., tuple[str, dict]]:
    """What `write_all` says, and the files it writes."""

    def in_folder(paths: list[str], readers: int) -> tuple[str, dict[str, bytes]]:
        folder = tmp_path_factory.mktemp("parts")
        found = write_all(paths, Format(), readers, folder)
        return repr([vars(file) for file in found]), contents(folder)

    return in_folder


def test_one_process_and_two_read_the_same(tmp_path: Path, written) -> None:
    x = write(tmp_path, 2 * csv_parts.FILES_EACH, np.random.default_rng(0))
    paths = files(str(tmp_path), "task.path")
    corpus = csv_corpus.read(paths, Format())
    for found, expected in zip(corpus.x, x, strict=True):
        np.testing.assert_array_equal(found[: len(expected)], expected)
        assert np.isnan(found[len(expected) :]).all()
    assert written(paths, 2) == written(paths, 1)


def test_spark_reads_the_same(tmp_path: Path, written, monkeypatch: pytest.MonkeyPatch) -> None:
    sql = pytest.importorskip("pyspark.sql")
    monkeypatch.setenv("SPARK_LOCAL_IP", "127.0.0.1")
    write(tmp_path, 8, np.random.default_rng(0))
    (tmp_path / "x.csv").write_text("")
    paths = files(str(tmp_path), "task.path")
    alone = written(paths, 1)
    builder = sql.SparkSession.builder.master("local[2]").config("spark.ui.enabled", "false")
    try:
        session = builder.getOrCreate()
    except Exception as error:  # no Java
        pytest.skip(str(error)[:80])
    try:
        assert csv_parts._spark() is session
        assert written(paths, 1) == alone
        with pytest.raises(UserError, match="none: an executor cannot write there"):
            write_all(paths, Format(), 1, tmp_path / "none")
    finally:
        session.stop()


FORMS = {
    "semicolon": ("a;b;label\n1;2;up\n", Format()),
    "pipe": ("a|b|label\n1|2|up\n", Format(delimiter="|")),
    "blanks": ("1  2 up\n", Format("3", delimiter=" ", header=0)),
    "no header": ("1,2,up\n", Format("3", header=0)),
    "two header lines": ("# made in May\na,b,label\n1,2,up\n", Format(header=2)),
    "chosen": ("b,c,label,a\n2,x,up,1\n", Format(columns=("a", "b"))),
    "quotes": ('"a","b","label"\r\n"1","2","up"\r\n', Format()),
    "time is a column": ("time,t,label\n1,2,up\n", Format()),
    "blank lines": ("a,b,label\n\n1,2,up\n\n", Format()),
    "byte order mark": ("\ufeffa,b,label\n1,2,up\n", Format()),
    "byte order mark, no header": ("\ufeff1,2,up\n", Format("3", header=0)),
}


@pytest.mark.parametrize("kind", FORMS)
def test_forms(tmp_path: Path, kind: str) -> None:
    text, form = FORMS[kind]
    (tmp_path / "x.csv").write_text(text)
    found = read(str(tmp_path / "x.csv"), form)
    np.testing.assert_array_equal(found.x, [[1, 2]])
    assert found.labels == ("up",)


def test_gzip_and_steps(tmp_path: Path) -> None:
    path = tmp_path / "x.csv.gz"
    path.write_bytes(gzip.compress(f"{HEAD}1,2,up\n3,4,\n5,6,down\n".encode()))
    assert read(str(path), Format(per_step=True)).labels == ("up", "", "down")
    found = csv_corpus.read([str(path)], Format(per_step=True))
    assert (found.y.tolist(), found.classes.tolist()) == ([1, -1, 0], ["down", "up"])
    assert files(str(tmp_path), "task.path") == [str(path)]


BAD = {
    "empty": (b"", "x.csv: is empty"),
    "header only": (HEAD.encode(), "x.csv: has a header line only"),
    "blank": (b"\n\n\n", "x.csv: expected a header line with the columns label"),
    "short row": (f"{GOOD}5,6\n".encode(), "x.csv, line 4: has 2 cells, expected 3"),
    "long row": (f"{GOOD}5,6,7,up\n".encode(), "x.csv, line 4: has 4 cells, expected 3"),
    "short, then long": (f"{GOOD}5,6\n5,6,7,up\n".encode(), "line 4: has 2 cells, expected 3"),
    "text": (f"{GOOD}5,six,up\n".encode(), "line 4: b is 'six', expected a number"),
    "empty cell": (f"{GOOD},6,up\n".encode(), "line 4: a is empty, expected a number"),
    "nan": (f"{GOOD}5,nan,up\n".encode(), "line 4: b is nan, expected a number"),
    "inf": (f"{GOOD}-inf,6,up\n".encode(), "line 4: a is -inf, expected a number"),
    "too large": (f"{GOOD}1e39,6,up\n".encode(), "line 4: a is 1e+39, expected a number"),
    "unknown class": (f"{HEAD}1,2,upp\n".encode(), "'upp', not one of up, down, did you mean 'up'"),
    "two labels": (f"{GOOD}5,6,down\n".encode(), "line 4: label is 'down' after 'up', expected"),
    "no label": (f"{HEAD}1,2,\n".encode(), "x.csv: the column label is empty, expected"),
    "delimiter": (GOOD.replace(",", "|").encode(), "columns label, found a|b|label"),
    "latin-1": (f"{GOOD}5,6,\xfc\n".encode("latin-1"), "line 4: is not text"),
    "utf-16": (GOOD.encode("utf-16"), "line 1: is not text"),
    "nul": (f"{GOOD}5,\x006,up\n".encode(), "line 4: is not text"),
    "open quote": (f'{GOOD}5,6,"up\n'.encode(), "line 4: cannot be cut into cells"),
    "open quote in the header": (b'a,b,"label\n1,2,up\n', "line 1: cannot be cut into cells"),
    "no label column": (b"a,b\n1,2\n", "columns label, found a, b"),
    "duplicate": (b"a,a,label\n1,2,up\n", "x.csv: has the column a twice"),
    "label alone": (b"label\nup\n", "expected a header line with the columns of numbers"),
    "long line": (GOOD.encode() + b"1" * (BLOCK + 2), "line 4: is longer than 1 MB"),
}


@pytest.mark.parametrize("kind", BAD)
def test_bad_files(tmp_path: Path, kind: str) -> None:
    content, expected = BAD[kind]
    path = tmp_path / "x.csv"
    path.write_bytes(content)
    found = read(str(path), Format(classes=CLASSES))
    assert isinstance(found, BadFile)
    assert expected in found.reason
    assert found.reason.startswith(str(path))
    assert "\n" not in found.reason


NAMES = ("cut.csv.gz", "no.csv.gz", "folder.csv", "link.csv", "secret.csv")


def test_what_cannot_be_opened(tmp_path: Path) -> None:
    whole = gzip.compress(GOOD.encode() * 99)
    (tmp_path / "cut.csv.gz").write_bytes(whole[:-20])
    (tmp_path / "no.csv.gz").write_text(GOOD)
    (tmp_path / "folder.csv").mkdir()
    (tmp_path / "link.csv").symlink_to("nowhere.csv")
    (tmp_path / "secret.csv").write_text(GOOD)
    (tmp_path / "secret.csv").chmod(0)
    bad = csv_corpus.read(files(str(tmp_path), "task.path"), Format()).bad
    reasons = {name: line for line in bad for name in NAMES if f"{name}:" in line}
    assert "ended before the end-of-stream marker" in reasons["cut.csv.gz"]
    assert "Not a gzipped file" in reasons["no.csv.gz"]
    assert "Is a directory" in reasons["folder.csv"]
    assert "No such file" in reasons["link.csv"]
    if os.getuid():
        assert "Permission denied" in reasons["secret.csv"]


def test_files_with_other_features_are_bad(tmp_path: Path) -> None:
    (tmp_path / "0.csv").write_text("a,c,label\n1,2,up\n")
    for name in "12":
        (tmp_path / f"{name}.csv").write_text(GOOD)
    (tmp_path / "3.csv").write_text("label,b,a\nup,2,1\n")
    found = csv_corpus.read(files(str(tmp_path), "task.path"), Format())
    (bad,) = found.bad
    assert "0.csv: has the features a, c, expected a, b as others" in bad
    assert found.columns.tolist() == ["a", "b"]
    np.testing.assert_array_equal(found.x[-1][:1], [[1, 2]])
    np.testing.assert_array_equal(found.means[-1], [1, 2])


def test_all_bad_files_are_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "good.csv").write_text(GOOD)
    for name in ("x.csv", "y.csv"):
        (tmp_path / name).write_text(f"{HEAD}1,two,up\n")
    with pytest.raises(UserError, match=r"2 of 3 files cannot be used.*task\.on_bad=skip"):
        load(str(tmp_path), Format(), 1, skip=False)
    named = [
        f"{tmp_path / n}, line 2: b is 'two', expected a number like 0.5"
        for n in ("x.csv", "y.csv")
    ]
    assert capsys.readouterr().err.splitlines() == named
    for _ in range(2):  # the second time from the cache
        assert len(load(str(tmp_path), Format(), 1, skip=True).paths) == 1
        told = "2 of 3 files are left out (task.on_bad=skip)"
        assert capsys.readouterr().err.splitlines() == [*named, told]
    (tmp_path / "good.csv").unlink()
    with pytest.raises(UserError, match="2 of 2 files cannot be used, they are named above; mend"):
        load(str(tmp_path), Format(), 1, skip=True)


def test_the_second_load_reads_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(tmp_path, 3, np.random.default_rng(0))
    first = load(str(tmp_path), Format(), 1, skip=False)
    with monkeypatch.context() as context:
        context.setattr(csv_corpus, "write_all", None)
        again = load(str(tmp_path), Format(), 1, skip=False)
    np.testing.assert_array_equal(again.x[:], first.x[:])
    for name in ("y", "means", "variances", "sha256", "paths", "columns", "classes", "bad"):
        np.testing.assert_array_equal(getattr(again, name), getattr(first, name))
    (tmp_path / "000.csv").write_text(GOOD)
    assert load(str(tmp_path), Format(), 1, skip=False).x[0][0].tolist() == [1, 2]


def test_a_part_that_was_cut_is_read_again(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HAR_KERAS_CACHE", str(tmp_path / "cache"))
    expected = write(tmp_path, 3, np.random.default_rng(0))
    load(str(tmp_path), Format(), 1, skip=False)
    (part,) = tmp_path.glob("cache/*/0.f4")
    part.write_bytes(part.read_bytes()[:-4])
    found = load(str(tmp_path), Format(), 1, skip=False)
    assert "0.f4 is too short) and is made again" in capsys.readouterr().err
    np.testing.assert_array_equal(found.x[2][: len(expected[2])], expected[2])
    rows = np.concatenate(expected[1:]).astype(np.float64)
    mean, variance = found.statistics(np.array([False, True, True]))
    np.testing.assert_allclose(mean, rows.mean(0), rtol=1e-12)
    np.testing.assert_allclose(variance, rows.var(0), rtol=1e-12)


def test_what_could_not_be_read_is_tried_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(tmp_path, 3, np.random.default_rng(0))
    (tmp_path / "x.csv.gz").write_text(GOOD)
    with monkeypatch.context() as context:
        context.setattr("fsspec.open", None)
        with pytest.raises(UserError, match="4 of 4 files cannot be used"):
            load(str(tmp_path), Format(), 1, skip=True)
    assert len(load(str(tmp_path), Format(), 1, skip=True).paths) == 3
    monkeypatch.setattr(csv_corpus, "write_all", None)  # what is no gzip file remains none
    assert len(load(str(tmp_path), Format(), 1, skip=True).paths) == 3


def test_a_part_appears_whole_or_not_at_all(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "parts").mkdir()
    write(tmp_path, 2, np.random.default_rng(0))
    paths = files(str(tmp_path), "task.path")
    part = 0, Format(), tmp_path / "parts"
    csv_parts.write_part(paths, *part)
    whole = contents(tmp_path / "parts")["0.f4"]
    monkeypatch.setattr(csv_parts, "read", {paths[0]: read(paths[0], Format())}.__getitem__)
    with pytest.raises(TypeError):
        csv_parts.write_part(paths, *part)
    assert contents(tmp_path / "parts")["0.f4"] == whole


def test_who_reads_ends_when_the_folder_is_gone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "parts"
    folder.mkdir()
    write(tmp_path, 3, np.random.default_rng(0))
    paths, opened = files(str(tmp_path), "task.path"), []

    def removing(path: str, form: Format):
        shutil.rmtree(folder)
        opened.append(path)
        return read(path, form)

    monkeypatch.setattr(csv_parts, "read", removing)
    with pytest.raises(FileNotFoundError):
        csv_parts.write_part(paths, 0, Format(), folder)
    assert opened == paths[:1]


def test_globs_folders_and_nothing(tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    for name in ("b.csv", "a.csv", "in/c.csv", "notes.txt"):
        (tmp_path / name).write_text(GOOD)
    whole = [str(tmp_path / name) for name in ("a.csv", "b.csv", "in/c.csv")]
    assert files(str(tmp_path), "task.path") == whole
    assert files(f"{tmp_path}/[ab].csv", "task.path") == whole[:2]
    assert files(whole[0], "task.path") == whole[:1]
    with pytest.raises(UserError, match=r"input=.*none: no \*.csv there"):
        files(f"{tmp_path}/none", "input")
    with pytest.raises(UserError, match=r"task\.path=nofs://x: Protocol not known"):
        files("nofs://x", "task.path")


def test_other_file_systems() -> None:
    import fsspec

    memory = fsspec.filesystem("memory")
    memory.pipe("/bucket/b.csv", GOOD.encode())
    memory.pipe("/bucket/a.csv", f"{HEAD}0,0,down\n".encode())
    found = load("memory://bucket", Format(), 1, skip=False)
    assert found.paths.tolist() == ["memory:///bucket/a.csv", "memory:///bucket/b.csv"]
    np.testing.assert_array_equal(found.x[0], [[0, 0], [np.nan, np.nan]])
    np.testing.assert_array_equal(found.x[1], [[1, 2], [3, 4]])


def test_s3(monkeypatch: pytest.MonkeyPatch) -> None:
    """Against a server on loopback; `tox -e spark` has it."""
    s3fs = pytest.importorskip("s3fs")
    server = pytest.importorskip("moto.server").ThreadedMotoServer("127.0.0.1", port=0)
    server.start()
    try:
        host, port = server.get_host_and_port()
        for name, value in {
            "AWS_ENDPOINT_URL": f"http://{host}:{port}",
            "AWS_ACCESS_KEY_ID": "key",
            "AWS_SECRET_ACCESS_KEY": "secret",
            "AWS_DEFAULT_REGION": "us-east-1",
        }.items():
            monkeypatch.setenv(name, value)
        system = s3fs.S3FileSystem()
        system.mkdir("bucket")
        for name in ("train/b.csv", "train/a.csv", "test/c.csv"):
            system.pipe(f"bucket/runs/{name}", GOOD.encode())
        found = load("s3://bucket/runs", Format(), 1, skip=False)
        glob = load("s3://bucket/runs/train/*.csv", Format(), 1, skip=False)
        with pytest.raises(UserError, match=r"s3://bucket/none: no \*.csv there"):
            files("s3://bucket/none", "task.path")
    finally:
        server.stop()
    names = ["test/c.csv", "train/a.csv", "train/b.csv"]
    assert found.paths.tolist() == [f"s3://bucket/runs/{name}" for name in names]
    assert found.x.lengths.tolist() == [2, 2, 2]
    assert glob.paths.tolist() == found.paths.tolist()[1:]
