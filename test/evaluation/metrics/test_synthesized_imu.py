"""Synthesized IMU: what makes it, and what it is worth."""

from dataclasses import replace

import numpy as np
import pytest

from utt_ros.evaluation.baselines.kalman import kalman_track
from utt_ros.evaluation.baselines.settings import FloorSettings
from utt_ros.evaluation.ground_truth import Walk
from utt_ros.evaluation.metrics.activity import SPAN_TICKS, balanced_accuracy, examples
from utt_ros.evaluation.metrics.synthesized_imu import (
    differentiated,
    fields,
    likeness,
    sourced,
    step_frequency_errors,
)
from utt_ros.settings import AreaSettings, WindowSettings

WINDOW = WindowSettings()


def test_a_differentiated_circle_feels_its_turning_and_its_field(
    area: AreaSettings, walk: Walk,
) -> None:
    track = kalman_track(
        area, walk, WINDOW, FloorSettings(acceleration=1.0), ranges=False)
    made = differentiated(track, area, WINDOW, fields([walk]))[60:-10]
    real = walk.imu[60:-10]
    assert made[..., 5] == pytest.approx(real[..., 5], abs=0.15)  # 0.48 rad/s
    assert made[..., 2].mean() == pytest.approx(9.80665, abs=0.01)
    assert np.abs(made[..., 6:] - real[..., 6:]).max() < 1.2e-5  # of 2.5e-5 tesla
    assert made[..., 0].mean() == pytest.approx(-1.2**2 / 2.5, abs=0.2)  # to the left


def test_likeness_tells_error_and_correlation() -> None:
    rng = np.random.default_rng(0)
    real = rng.standard_normal((500, 9))
    found = likeness(real + 2.0, real)
    assert found['rmse_gyro_z_radps'] == pytest.approx(2.0)
    assert found['pearson_gyro_z_radps'] == pytest.approx(1.0)
    assert np.isnan(likeness(np.zeros((500, 9)), real)['pearson_mag_x_t'])


def test_the_frequency_of_steps_is_compared(walk: Walk) -> None:
    seconds = (np.arange(1500) / 50).reshape(300, 5)
    slower = walk.imu.copy()
    slower[..., 2] = 9.8 + np.sin(2 * np.pi * 1.6 * seconds)
    known = np.ones((300, 5), bool)
    assert step_frequency_errors(walk.imu, walk.imu, known, WINDOW).max() == 0.0
    found = step_frequency_errors(slower, walk.imu, known, WINDOW)
    assert len(found) == 6
    assert found == pytest.approx(np.full(6, 0.4), abs=0.06)


def test_rows_that_the_graph_made_of_themselves_count_for_nothing(walk: Walk) -> None:
    seen = np.zeros(300, bool)
    seen[100] = True
    lonely = replace(walk, camera_mask=seen, ftm_mask=np.zeros(300, bool))
    known = sourced(lonely, WINDOW).all(1)
    assert np.flatnonzero(known).tolist() == list(range(100, 130))


def test_walking_and_standing_are_told_apart(walk: Walk) -> None:
    rng = np.random.default_rng(0)
    still = np.tile(walk.truth.positions_m[:1], (len(walk.truth.positions_m), 1))
    standing = replace(walk, truth=replace(walk.truth, positions_m=still),
                       imu=(walk.imu.mean((0, 1)) + 0.05 * rng.standard_normal(
                           walk.imu.shape)).astype(np.float32))
    known = np.ones(walk.imu_mask.shape, bool)
    parts = [examples(each, each.imu, known) for each in (walk, standing)]
    assert [labels.mean() for _, labels in parts] == [1.0, 0.0]
    assert len(parts[0][1]) == len(walk.imu) // SPAN_TICKS
    both = tuple(np.concatenate(each) for each in zip(*parts, strict=True))
    assert balanced_accuracy(both, both) == 1.0  # type: ignore[arg-type]
    assert np.isnan(balanced_accuracy(parts[0], both))  # type: ignore[arg-type]
