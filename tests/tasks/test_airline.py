import os
from pathlib import Path

import numpy as np
import pytest

from har_keras.errors import UserError
from har_keras.tasks.airline import Config, load

ROOT = Path(os.environ.get("HAR_KERAS_DATA", "nowhere"))
MONTHS = 72


def monthly(folder: Path, values: np.ndarray) -> Path:
    months = np.datetime64("2000-01") + np.arange(len(values))
    path = folder / "sales.csv"
    rows = (f"{month},{value:.6g}" for month, value in zip(months, values, strict=True))
    path.write_text("\n".join(["month,sales", *rows, ""]))
    return path


@pytest.fixture
def sales(tmp_path: Path) -> Path:
    """Six years that grow, with a season."""
    steps = np.arange(MONTHS)
    noise = np.random.default_rng(0).normal(0, 0.02, MONTHS)
    return monthly(tmp_path, 100 * np.exp(steps / 60 + 0.2 * np.sin(steps * np.pi / 6) + noise))


def given(path: Path, published: bool = False, **values):
    return load(Config(path=str(path), **values), path.parent, 0, published)


def test_each_value_is_forecast_once(sales: Path) -> None:
    data = given(sales)
    ends = [data.train.groups, data.validation.groups, data.test.groups]
    np.testing.assert_array_equal(np.concatenate(ends), np.arange(24, MONTHS))
    assert (data.validation.groups[0], data.test.groups[0]) == (43, 54)
    assert data.train.x.shape == (19, 12, 1)
    assert data.train.y.shape == (19, 12, 2)
    assert data.inputs.shape == data.outputs.shape == (12, 1)
    assert data.source == "series"
    assert data.inputs.season == 12
    for split in data.splits.values():  # the window ends where the target begins
        np.testing.assert_array_equal(split.x[1:, -1, 0], _targets(split)[:-1])


def _targets(split) -> np.ndarray:
    return split.y[:, -1, 0]


def test_only_steps_of_the_own_part_count(sales: Path) -> None:
    data = given(sales)
    assert not np.isnan(data.train.y).any()
    for split in (data.validation, data.test):
        assert np.isnan(split.y[:, :-1, 0]).all()
        assert not np.isnan(split.y[:, -1]).any()


def test_nothing_of_validation_and_test_is_learned(sales: Path) -> None:
    before = given(sales)
    lines = sales.read_text().splitlines()
    changed = [*lines[:44], *(line + "9" for line in lines[44:])]
    sales.write_text("\n".join(changed))
    after = given(sales)
    assert before.inputs == after.inputs
    np.testing.assert_array_equal(before.train.x, after.train.x)
    assert before.sha256 != after.sha256


def test_outputs_become_values_again(sales: Path) -> None:
    values = np.loadtxt(sales, delimiter=",", skiprows=1, usecols=1)
    for settings in ({}, {"power": "none", "difference": "none"}, {"difference": "step"}):
        data = given(sales, **settings)
        rows = [*data.outputs.prediction_rows(data.test.y, data.test.y[..., :1])][1:]
        found = np.array([[float(cell) for cell in row] for row in rows])
        np.testing.assert_allclose(found[:, 1], values[54:], rtol=1e-5)
        np.testing.assert_allclose(found[:, 2], values[54:], rtol=1e-5)
        scores = data.outputs.metrics(data.test.y, data.test.y[..., :1])
        assert scores == dict.fromkeys(("mae", "rmse", "mape", "mase"), 0)


def test_windows_that_lie_inside_a_part(sales: Path) -> None:
    data = given(
        sales,
        published=True,
        overlap=False,
        window=5,
        difference="none",
        power="none",
        statistics="series",
    )
    assert data.validation is None
    assert not np.isnan(data.test.y).any()
    np.testing.assert_array_equal(data.train.groups, np.arange(5, 54))
    np.testing.assert_array_equal(data.test.groups, np.arange(59, MONTHS))
    np.testing.assert_array_equal(data.test.x[:, 1:, 0], data.test.y[:, :-1, 0])


def test_the_loss_counts_what_counts() -> None:
    import keras

    from har_keras.tasks.forecasting import squared_error

    truth = np.array([[[1, 0], [2, 0]], [[np.nan, 0], [5, 0]]], "float32")
    outputs = np.array([[[0], [0]], [[9], [2]]], "float32")
    found = squared_error(keras.ops.convert_to_tensor(truth), keras.ops.convert_to_tensor(outputs))
    assert float(keras.ops.convert_to_numpy(found)) == pytest.approx((2.5 + 9) / 2)


def test_perfect_forecasts_score_nothing(sales: Path) -> None:
    data = given(sales, horizon=7, origins=3)
    study = data.study
    values = study.series.values
    assert study.origins == (54, 57, 60)
    rolling = np.stack([values[o : o + 12] for o in study.origins])
    found = study.scores(type(study.peers["ETS"])(values[54:], values[54:61], rolling))
    assert set(found.values()) == {0.0}
    assert found.keys() == data.baselines()["seasonal naive"].keys()
    assert data.baselines()["ETS"]["mape"] < data.baselines()["seasonal naive"]["mape"]
    assert given(sales, baselines=False).baselines is None


def test_values_that_have_no_logarithm(sales: Path, capsys) -> None:
    text = sales.read_text().splitlines()
    text[10] = text[10].partition(",")[0] + ",0"
    sales.write_text("\n".join(text))
    assert given(sales).inputs.scale.power is None
    assert "task.power=none is taken" in capsys.readouterr().err
    with pytest.raises(UserError, match="line 11: sales is 0, expected values above 0"):
        given(sales, power="log")


def test_a_series_that_is_too_short(sales: Path) -> None:
    with pytest.raises(UserError, match=r"72 values, 43 of them to train on, .* expected 54"):
        given(sales, window=40)
    with pytest.raises(UserError, match="too few"):
        given(sales, published=True, overlap=False, window=18)
    assert len(given(sales, window=30, difference="none").train.x) == 13


BAD = {
    "task.power=lgo": {"power": "lgo"},
    "task.power=1.5": {"power": "1.5"},
    "did you mean 'season'?": {"difference": "seasons"},
    "task.statistics=test": {"statistics": "test"},
    "task.test_share=1.0": {"test_share": 1.0},
    "task.interval=0.0": {"interval": 0.0},
    "task.window=0": {"window": 0},
    "task.season=0": {"season": 0},
    "task.horizon=-1": {"horizon": -1},
}


@pytest.mark.parametrize("expected", BAD)
def test_bad_values(expected: str) -> None:
    with pytest.raises(UserError) as raised:
        Config(**BAD[expected])
    assert expected in str(raised.value)


@pytest.mark.real_data
@pytest.mark.skipif("HAR_KERAS_DATA" not in os.environ, reason="HAR_KERAS_DATA is not set")
def test_the_published_protocol() -> None:
    config = Config(power="none", difference="none", statistics="series", window=5, overlap=False)
    data = load(config, ROOT, 0, published=True)
    assert (len(data.train.x), len(data.test.x)) == (103, 31)
    assert data.train.x[0, 0, 0] == pytest.approx(-1.40777884, abs=1e-7)
    assert data.test.y[-1, -1, 0] == pytest.approx(1.26894693, abs=1e-7)
    assert data.source == "airline"


@pytest.mark.real_data
@pytest.mark.skipif("HAR_KERAS_DATA" not in os.environ, reason="HAR_KERAS_DATA is not set")
def test_the_baselines_that_are_known() -> None:
    data = load(Config(), ROOT, 0, published=False)
    naive, ets = data.baselines().values()
    assert naive["mape"] == pytest.approx(8.1, abs=0.05)
    assert naive["free_running_mape"] == pytest.approx(13.2, abs=0.05)
    assert ets["mape"] == pytest.approx(3.9, abs=0.05)
    assert ets["free_running_mape"] == pytest.approx(6.2, abs=0.05)
