"""The floors follow somebody whose measurements are exact, and say when they do not know."""

from dataclasses import replace

import numpy as np
import pytest

from utt_ros.association.task_steps import count_steps, headings
from utt_ros.evaluation.baselines.bearing import back_projection, bearing_and_range
from utt_ros.evaluation.baselines.kalman import kalman_track
from utt_ros.evaluation.baselines.pdr_particle_filter import particle_track
from utt_ros.evaluation.baselines.registry import SOURCES, floors
from utt_ros.evaluation.baselines.settings import FloorSettings
from utt_ros.evaluation.ground_truth import Walk
from utt_ros.evaluation.metrics.position import interval_metrics, track_errors, track_likelihoods
from utt_ros.evaluation.metrics.trajectory import judged, paths
from utt_ros.settings import AreaSettings, WindowSettings

WINDOW = WindowSettings()
EXACT = FloorSettings(range_offset=0.0, range_slope=0.0, range_std=0.3, step_length=0.6,
                      step_noise=0.05, heading_std=0.05)


def leave(walk: Walk, tick: int) -> Walk:
    """The camera sees nothing from a tick on."""
    return replace(walk, camera_mask=np.arange(len(walk.stamps_ns)) < tick)


def test_every_floor_has_its_sources() -> None:
    assert set(floors(WINDOW)) == set(SOURCES)


def test_an_exact_box_is_projected_back_to_where_it_was(area: AreaSettings, walk: Walk) -> None:
    track = back_projection(area, leave(walk, 50))
    assert track_errors(track, walk)[:50].max() < 0.01
    assert np.isnan(track.position[50:]).all()


def test_the_last_bearing_with_an_exact_range_errs_sideways_alone(
    area: AreaSettings, walk: Walk,
) -> None:
    track = bearing_and_range(area, leave(walk, 50), EXACT)
    assert track_errors(track, walk)[:50].max() < 0.4  # a range may be two ticks old
    far = np.linalg.norm(track.position, axis=1) - np.linalg.norm(walk.truth_m(), axis=1)
    assert np.abs(far).max() < 0.4
    assert track_errors(track, walk)[50:].max() > 1.0


def test_the_bearing_floor_says_nothing_before_the_first_range(
    area: AreaSettings, walk: Walk,
) -> None:
    late = replace(walk, ftm_mask=walk.ftm_mask & (np.arange(len(walk.stamps_ns)) > 9))
    track = bearing_and_range(area, late, EXACT)
    assert np.isnan(track.position[:10]).all()
    assert np.isfinite(track.position[12:]).all()


def test_an_access_point_away_from_the_camera_is_allowed_for(
    area: AreaSettings, walk: Walk,
) -> None:
    aside = replace(area, ap_position=(2.0, 3.0, 2.5))
    slant = np.linalg.norm(walk.truth_m() - [2.0, 3.0], axis=1)
    ranges = np.stack([np.hypot(slant, 1.3), np.ones(len(slant))], axis=1).astype(np.float32)
    moved = replace(walk, ftm=ranges, ftm_mask=np.ones(len(slant), bool))
    assert np.nanmax(track_errors(bearing_and_range(aside, moved, EXACT), walk)) < 0.05


@pytest.mark.parametrize('ranges', [False, True])
def test_the_kalman_filter_follows_and_predicts(
    area: AreaSettings, walk: Walk, ranges: bool,
) -> None:
    track = kalman_track(area, walk, WINDOW, EXACT, ranges=ranges)
    assert track_errors(track, walk)[30:].max() < 0.3
    future = walk.future_m(0.1, 10)
    chosen = judged(track, walk, future)
    distance = np.linalg.norm(paths(track, 10)[chosen] - future[chosen], axis=2)
    assert distance[30:, 0].max() < 0.3
    assert distance[30:, -1].mean() < 0.7  # the circle bends away from a line


def test_the_kalman_filter_widens_while_it_sees_nothing(area: AreaSettings, walk: Walk) -> None:
    track = kalman_track(area, leave(walk, 100), WINDOW, EXACT, ranges=False)
    spread = np.trace(track.covariance, axis1=1, axis2=2)
    assert (np.diff(spread[100:]) > 0).all()
    square, likelihood = track_likelihoods(track, walk)
    assert interval_metrics(square[:100], likelihood[:100])['coverage_90'] > 0.9


def test_ranges_hold_the_kalman_filter_back(area: AreaSettings, walk: Walk) -> None:
    gone = leave(walk, 100)
    free, held = (track_errors(kalman_track(area, gone, WINDOW, EXACT, ranges=ranges), walk)[-1]
                  for ranges in (False, True))
    assert held < free


def test_one_box_far_off_hardly_moves_the_kalman_filter(area: AreaSettings, walk: Walk) -> None:
    boxes = walk.camera.copy()
    boxes[150, 2] += 6.0
    track = kalman_track(area, replace(walk, camera=boxes), WINDOW, EXACT, ranges=False)
    assert track_errors(track, walk)[150] < 1.0


def test_steps_are_counted_and_headings_told(area: AreaSettings, walk: Walk) -> None:
    assert count_steps(walk.imu, 50.0).sum() == pytest.approx(60, abs=3)
    heading, valid = headings(walk, area, WINDOW)
    behind = np.angle(np.exp(1j * (heading - np.interp(
        walk.stamps_ns, walk.truth.stamps_ns, walk.truth.headings_rad))))
    assert valid[30:].all()
    assert np.abs(behind[30:]).max() < 0.1


def test_nobody_who_stands_is_said_to_step(walk: Walk) -> None:
    still = np.tile(walk.imu.mean((0, 1)), (100, 5, 1))
    assert not count_steps(still, 50.0).any()


def test_particles_find_the_way_without_a_camera(area: AreaSettings, walk: Walk) -> None:
    track = particle_track(area, leave(walk, 20), WINDOW, EXACT)
    assert track_errors(track, walk)[20:].mean() < 1.0
    assert np.isnan(particle_track(area, leave(walk, 0), WINDOW, EXACT).position).all()


def test_a_known_start_is_used_once(area: AreaSettings, walk: Walk) -> None:
    twice = particle_track(area, walk, WINDOW, EXACT, resets=True)
    once = particle_track(area, walk, WINDOW, EXACT, resets=False)
    assert track_errors(twice, walk).max() < 0.3
    assert track_errors(once, walk)[-1] > track_errors(twice, walk)[-1]
