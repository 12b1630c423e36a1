from __future__ import annotations

import io
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from sklearn.callback import FitCallback, ProgressBar, ScoringMonitor

from isthmus import Autoencoder
from isthmus.training.callbacks import ProgressDisplay, displaying

X = np.random.default_rng(0).normal(size=(60, 3))


def autoencoder(**changes: Any) -> Autoencoder:
    settings: dict[str, Any] = {"hidden_sizes": (4,), "max_epochs": 4, "patience": 99, "random_state": 0}
    return Autoencoder(2, **settings | changes)


@pytest.fixture(autouse=True)
def _no_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("FORCE_COLOR", "TTY_COMPATIBLE", "TTY_INTERACTIVE"):
        monkeypatch.delenv(name, raising=False)


# scikit-learn's callbacks -----------------------------------------------------------------------------------


class Stop:
    """Stops after some epochs; counts its calls."""

    def __init__(self, after: int) -> None:
        self.after, self.calls = after, []

    def setup(self, estimator: Any, context: Any) -> None:
        self.calls.append(("setup", context.max_subtasks))

    def on_fit_task_begin(self, estimator: Any, context: Any) -> None:
        self.calls.append(("begin", context.task_name))

    def on_fit_task_end(self, estimator: Any, context: Any, *, fitted_estimator: Any) -> bool:
        self.calls.append(("end", context.task_name))
        assert fitted_estimator is not estimator
        assert fitted_estimator.transform(X).shape == (60, 2)
        return len(estimator.history_) == self.after

    def teardown(self, estimator: Any, context: Any) -> None:
        self.calls.append(("teardown", context.task_name))


def test_a_callback_sees_every_epoch_and_may_stop_early() -> None:
    stop = Stop(after=2)
    model = autoencoder().set_callbacks(stop).fit(X)
    assert model.n_iter_ == len(model.history_) == 2
    epoch = [("begin", "epoch"), ("end", "epoch")]
    whole = [("setup", 4), ("begin", "fit"), *epoch, *epoch, ("end", "fit"), ("teardown", "fit")]
    assert stop.calls == whole


def test_scikit_learns_monitor_logs_a_score_for_every_epoch() -> None:
    monitor = ScoringMonitor(scoring={"nats": lambda model, X, y: model.score(X)})
    model = autoencoder(validation_fraction=0).set_callbacks(monitor).fit(X)
    rows = [row for row in monitor.get_logs().data if row["task_name"] == "epoch"]
    assert [row["task_id"] for row in rows] == [0, 1, 2, 3]
    # Without held-out rows the last weights are kept: the last score is the fitted model's.
    assert rows[-1]["nats"] == pytest.approx(model.score(X))
    assert rows[-1]["nats"] > rows[0]["nats"]


def test_scikit_learns_progress_bar_works(capsys: pytest.CaptureFixture[str]) -> None:
    model = autoencoder().set_callbacks(ProgressBar()).fit(X)
    assert model.n_iter_ == 4
    assert "Autoencoder" in capsys.readouterr().out


# Our display ------------------------------------------------------------------------------------------------


def shown(n_epochs: int, total: int, **figures: float) -> list[str]:
    """Return what the display prints of a run of `n_epochs` of at most `total` epochs, two seconds each."""
    file = io.StringIO()
    display = ProgressDisplay(file)
    estimator = SimpleNamespace(history_=[], n_training_rows_=500)
    root = SimpleNamespace(task_name="fit", max_subtasks=total)
    display.setup(estimator, root)
    display.on_fit_task_begin(estimator, root)
    for epoch in range(1, n_epochs + 1):
        estimator.history_.append({"epoch": epoch, "loss": 12.3456, "seconds": 2.0 * epoch, **figures})
        assert display.on_fit_task_end(estimator, SimpleNamespace(task_name="epoch")) is False
    display.on_fit_task_end(estimator, root)
    display.teardown(estimator, root)
    return file.getvalue().splitlines()


def test_a_line_tells_both_losses_in_nats_the_speed_and_the_time_left() -> None:
    assert shown(1, 10, validation_loss=13.5) == [
        "epoch 1/10, loss 12.35 nats/row, held-out 13.5 nats/row, 250 rows/s, at most 18 s left"
    ]
    assert shown(1, 10) == ["epoch 1/10, loss 12.35 nats/row, 250 rows/s, at most 18 s left"]


@pytest.mark.parametrize(
    ("total", "epochs"),
    [
        (3, [1, 2, 3]),
        (10, list(range(1, 11))),
        (25, [1, 3, 5, 8, 10, 13, 15, 18, 20, 23, 25]),
        (500, [1, *range(50, 501, 50)]),
    ],
)
def test_off_a_terminal_there_is_a_plain_line_for_each_tenth(total: int, epochs: list[int]) -> None:
    lines = shown(total, total, validation_loss=-1.0)
    assert [int(line.split()[1].split("/")[0]) for line in lines] == epochs
    assert not any("\x1b" in line for line in lines)


def test_on_a_terminal_a_bar_moves(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("COLUMNS", "120")
    assert any("\x1b" in line for line in shown(3, 3))


def test_verbose_shows_the_display_for_one_fit_only(capsys: pytest.CaptureFixture[str]) -> None:
    model = autoencoder(verbose=1).fit(X)
    lines = capsys.readouterr().err.splitlines()
    assert [line.split(",")[0] for line in lines] == [f"epoch {n}/4" for n in (1, 2, 3, 4)]
    assert all(line.count("nats/row") == 2 for line in lines)
    assert not hasattr(model, "_skl_callbacks")


def test_the_display_joins_the_callers_callbacks_and_leaves_even_after_an_error() -> None:
    assert isinstance(ProgressDisplay(), FitCallback)
    own = Stop(1)
    model = autoencoder().set_callbacks(own)

    def fail() -> None:
        with displaying(model, 1):
            assert [type(each) for each in model._skl_callbacks] == [Stop, ProgressDisplay]
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    assert model._skl_callbacks == [own]
    with displaying(model, 0):
        assert model._skl_callbacks == [own]
