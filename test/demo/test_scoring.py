"""Predictions against a truth that walks at a constant pace."""

from dataclasses import replace

import numpy as np
import pytest

from utt_ros.demo.scoring import (
    Predictions,
    concatenate,
    during,
    join,
    latency_ms,
    score,
    segments,
    summarise,
)
from utt_ros.evaluation.metrics.position import coverage_90
from utt_ros.types import Frames, Session, Truth

S = 1_000_000_000
BEGIN_NS = 1_700_000_000 * S


def session(seen_s=()):
    stamps = BEGIN_NS + np.arange(101, dtype=np.int64) * S // 10
    positions = np.stack([np.arange(101) * 0.1, np.zeros(101)], axis=1)  # 1 m/s along x
    frames_ns = BEGIN_NS + (np.array(seen_s) * S).astype(np.int64)
    count = len(frames_ns)
    frames = Frames(
        frames_ns, np.arange(count + 1), np.zeros((count, 5), np.float32), ('ann',) * count,
        ('1',) * count)
    truth = Truth(stamps, positions, stamps * 0.0)
    return Session('hall', 'one', 'test', frames, {}, {'ann': truth})


def predictions(seconds, positions, variance=1.0, received_ns=0):
    count = len(seconds)
    stamps_ns = BEGIN_NS + (np.array(seconds) * S).astype(np.int64)
    return Predictions(
        np.array(['ann'] * count), stamps_ns, np.array(positions, float),
        np.broadcast_to(np.eye(2) * variance, (count, 2, 2)),
        np.broadcast_to(np.int64(received_ns), (count,)))


def test_error_is_the_distance_to_the_truth_between_its_samples():
    found = score(predictions([2.05], [(2.05, 0.3)]), session(), use_camera=True)
    assert found.error_m == pytest.approx([0.3], abs=1e-6)


def test_predictions_outside_the_truth_are_not_scored():
    found = score(predictions([-1.0, 20.0], [(0, 0), (0, 0)]), session(), use_camera=True)
    assert len(found.error_m) == 0


def test_truth_is_not_interpolated_over_a_gap():
    whole = session()
    truth = whole.truth['ann']
    keep = np.r_[0:20, 60:101]
    holed = Truth(truth.stamps_ns[keep], truth.positions_m[keep], truth.headings_rad[keep])
    found = score(
        predictions([1.0, 4.0], [(1, 0), (4, 0)]), replace(whole, truth={'ann': holed}),
        use_camera=True)
    assert found.stamps_ns == [BEGIN_NS + S]


def test_camera_counts_as_gone_half_a_second_after_the_last_box():
    found = score(
        predictions([1.0, 1.4, 1.6, 0.5], [(0, 0)] * 4), session(seen_s=[1.0]), use_camera=True)
    assert found.camera_age_s == pytest.approx([0.0, 0.4, 0.6, np.inf], abs=1e-6)
    summary = summarise(found)
    assert summary['camera']['n'] == 2
    assert summary['no_camera']['n'] == 2


def test_area_without_camera_has_no_score_with_camera():
    found = score(predictions([1.0], [(1, 0)]), session(seen_s=[1.0]), use_camera=False)
    assert summarise(found)['camera'] is None


def test_share_inside_the_ellipse_of_90_percent_is_counted(rng):
    seconds = np.linspace(0.0, 9.9, 4000)
    truth = np.stack([seconds, np.zeros(4000)], axis=1)
    noisy = truth + rng.normal(0.0, 0.5, (4000, 2))
    right = score(predictions(seconds, noisy, 0.25), session(), use_camera=True)
    proud = score(predictions(seconds, noisy, 0.0625), session(), use_camera=True)
    assert coverage_90(right.square) == pytest.approx(0.9, abs=0.02)
    assert coverage_90(proud.square) < 0.6


def test_nobody_in_common_is_an_empty_score():
    stranger = replace(predictions([1.0], [(0, 0)]), subjects=np.array(['bob']))
    found = concatenate([score(stranger, session(), use_camera=True)] * 2)
    assert summarise(found) == {'camera': None, 'no_camera': None}


def clock_of_two_bags():
    """Two bags of 2 s that overlap in their own time, replayed one after the other."""
    wall = 5_000 * S + np.arange(200, dtype=np.int64) * S // 50
    time = BEGIN_NS + (np.arange(200, dtype=np.int64) % 100) * S // 50
    return np.stack([time, wall], axis=1)


def test_clock_is_cut_where_another_bag_begins():
    first, second = segments(clock_of_two_bags())
    assert len(first) == len(second) == 100


def test_bag_of_which_much_is_heard_at_once_is_still_one_bag():
    clock = clock_of_two_bags()
    clock[50:60, 1] += 20 * S
    clock[60:, 0] += 5 * S
    clock[60:, 1] += 20 * S
    first_ends, second_ends = BEGIN_NS + 8 * S, BEGIN_NS + 9 * S
    assert len(segments(clock)) == 3
    assert [len(part) for part in join(segments(clock), [first_ends, second_ends])] == [100, 100]


def test_next_bag_is_not_joined():
    clock = clock_of_two_bags()
    clock[100:, 0] += 60 * S
    ends = [BEGIN_NS + 2 * S, BEGIN_NS + 62 * S]
    assert [len(part) for part in join(segments(clock), ends)] == [100, 100]


def test_predictions_are_told_apart_by_when_they_arrived():
    parts = segments(clock_of_two_bags())
    stamps = predictions([1.0, 1.0], [(0, 0), (1, 1)])
    both = replace(stamps, received_ns=np.array([5_001 * S, 5_003 * S]))
    assert [during(both, part).positions_m.tolist() for part in parts] == [[[0, 0]], [[1, 1]]]


def test_latency_is_measured_from_the_replayed_stamp():
    late = replace(
        predictions([1.0, 1.0], [(0, 0)] * 2),
        received_ns=np.array([5_001 * S + 4_000_000, 5_003 * S + 6_000_000]))
    found = latency_ms(late, clock_of_two_bags())
    assert found['p50'] == pytest.approx(5.0)
    assert found['n'] == 2


def test_without_predictions_there_is_no_latency():
    assert latency_ms(predictions([], np.zeros((0, 2))), clock_of_two_bags()) is None


def test_latency_of_a_slow_replay_is_wall_time():
    ticks = np.arange(100) * S
    clock = np.stack([BEGIN_NS + ticks // 10, 5_000 * S + ticks // 5], axis=1)
    late = replace(
        predictions([1.0, 3.0], [(0, 0)] * 2),
        received_ns=np.array([5_002 * S + 4_000_000, 5_006 * S + 6_000_000]))
    assert latency_ms(late, clock, rate=0.5)['p50'] == pytest.approx(5.0)
