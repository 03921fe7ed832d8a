"""Errors, intervals and paths, by numbers worked out by hand."""

import numpy as np
import pytest

from utt_ros.evaluation.ground_truth import Track, Walk
from utt_ros.evaluation.metrics.position import (
    camera_conditions,
    error_quantiles,
    interval_metrics,
    track_errors,
    track_likelihoods,
)
from utt_ros.evaluation.metrics.trajectory import best_of_samples, deviations, horizons, lengthen
from utt_ros.settings import WindowSettings


def off_by(walk: Walk, metres: float, deviation: float) -> Track:
    position = (walk.truth_m() + np.array([metres, 0.0])).astype(np.float32)
    covariance = np.tile(deviation**2 * np.eye(2, dtype=np.float32), (len(position), 1, 1))
    return Track(position, covariance)


def test_errors_and_their_quantiles(walk: Walk) -> None:
    error = track_errors(off_by(walk, 0.5, 1.0), walk)
    assert error_quantiles(error) == pytest.approx(
        {'mean_m': 0.5, 'median_m': 0.5, 'p90_m': 0.5}, abs=1e-4)
    assert np.isnan(error_quantiles(np.full(3, np.nan))['mean_m'])


def test_an_error_of_two_deviations_lies_inside_and_one_of_three_outside(walk: Walk) -> None:
    for metres, inside in ((2.0, 1.0), (3.0, 0.0)):
        found = interval_metrics(*track_likelihoods(off_by(walk, metres, 1.0), walk))
        assert found['coverage_90'] == inside
        assert found['nll'] == pytest.approx(np.log(2 * np.pi) + metres**2 / 2, abs=1e-3)


def test_truly_normal_errors_are_covered_nine_times_in_ten(walk: Walk) -> None:
    rng = np.random.default_rng(3)
    track = off_by(walk, 0.0, 0.7)
    track.position[:] += 0.7 * rng.standard_normal(track.position.shape)
    found = interval_metrics(*track_likelihoods(track, walk))
    assert found['coverage_90'] == pytest.approx(0.9, abs=0.05)


def test_a_track_that_says_nothing_has_no_score(walk: Walk) -> None:
    track = off_by(walk, 0.0, 1.0)
    track.position[:] = np.nan
    assert np.isnan(track_likelihoods(track, walk)[0]).all()
    assert np.isnan(interval_metrics(*track_likelihoods(track, walk))['nll'])


def test_conditions_split_by_the_age_of_the_camera() -> None:
    found = camera_conditions(np.array([0.0, 0.5, 0.6, np.inf]))
    assert {name: rows.tolist() for name, rows in found.items()} == {
        'camera': [True, True, False, False], 'camera_gone': [False, False, True, False],
        'camera_never': [False, False, False, True], 'no_camera': [False, False, True, True]}


def test_horizons_count_ticks() -> None:
    assert horizons(WindowSettings().period) == {'1s': 10, '3s': 30, '5s': 50}


def test_a_path_goes_on_at_its_mean_velocity() -> None:
    ahead = np.array([[[0.1, 0.0], [0.2, 0.2]]], np.float32)
    assert lengthen(ahead, 4)[0].tolist() == pytest.approx(
        np.array([[0.1, 0.0], [0.2, 0.2], [0.3, 0.3], [0.4, 0.4]]))
    assert lengthen(ahead, 1).shape == (1, 1, 2)


def test_a_sample_that_deviates_as_the_truth_does_is_found() -> None:
    start = np.zeros((1, 2))
    predicted = np.array([[[0.0, 1.0], [0.0, 2.0]]])  # goes to the left
    true = np.array([[[-0.1, 1.0], [-0.4, 2.0]]])
    bank = deviations(start, predicted, true)
    assert bank[0] == pytest.approx(np.array([[0.0, 0.1], [0.0, 0.4]]))  # along, across
    assert best_of_samples(start, predicted, true, bank, 0) == pytest.approx(np.zeros((1, 2)))
    turned = np.array([[[1.0, 0.0], [2.0, 0.0]]])  # the same to the front
    also = np.array([[[1.0, 0.1], [2.0, 0.4]]])
    assert best_of_samples(start, turned, also, bank, 0) == pytest.approx(np.zeros((1, 2)))


def test_samples_never_make_the_best_worse() -> None:
    rng = np.random.default_rng(1)
    predicted, true = rng.normal(size=(2, 8, 5, 2))
    plain = np.linalg.norm(predicted - true, axis=2).mean(1)
    bank = rng.normal(size=(6, 5, 2))
    best = best_of_samples(np.zeros((8, 2)), predicted, true, bank, 0).mean(1)
    assert (best <= plain + 1e-12).all()
    without = best_of_samples(np.zeros((8, 2)), predicted, true, np.zeros((0, 5, 2)), 0)
    assert without.mean(1) == pytest.approx(plain)
