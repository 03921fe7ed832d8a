"""The live engine over recorded ticks."""

from collections.abc import Callable

import numpy as np

from utt_ros.evaluation.engine_replay import follow
from utt_ros.evaluation.ground_truth import Walk
from utt_ros.evaluation.metrics.position import GONE_S, errors_m
from utt_ros.evaluation.outages import blind
from utt_ros.settings import AreaSettings, WindowSettings
from utt_ros.types import SyncedBatch


def batches(walk: Walk) -> list[SyncedBatch]:
    return [SyncedBatch(
        int(stamp), 0, row, True, (walk.subject,), ('',), np.ones(1, np.float32),
        walk.camera[row:row + 1], walk.camera_mask[row:row + 1], walk.ftm[row:row + 1],
        np.zeros(1, np.float32), walk.ftm_mask[row:row + 1], walk.imu[row:row + 1],
        walk.imu_mask[row:row + 1]) for row, stamp in enumerate(walk.stamps_ns)]


def test_the_belief_alone_follows_a_walk(area: AreaSettings, walk: Walk) -> None:
    (track,) = follow(area, WindowSettings(), None, batches(walk), [walk])
    assert np.median(errors_m(track, walk)) < 0.2
    assert track.ahead is not None
    assert np.isfinite(track.ahead).all()
    assert track.imu is not None
    assert np.isnan(track.imu).all()  # nothing is synthesized without a model


def test_a_camera_that_is_off_tells_nothing(area: AreaSettings, walk: Walk) -> None:
    off = np.arange(len(walk.stamps_ns)) >= 100
    silent = blind(batches(walk), off)
    assert [batch.camera_tick for batch in silent] == (~off).tolist()
    assert not any(batch.camera_mask.any() for batch in silent[100:])
    (track,) = follow(area, WindowSettings(), None, silent, [walk])
    late = walk.camera_age_s(~off) > GONE_S
    assert np.median(errors_m(track, walk)[late]) > np.median(errors_m(track, walk)[:100])
    assert np.trace(track.covariance[-1]) > np.trace(track.covariance[99])


def test_what_is_published_and_its_mean_are_kept_apart(
    area: AreaSettings, walk: Walk, make_graph: Callable[..., bytes],
) -> None:
    graph = make_graph(rms=0.2)
    (track,) = follow(area, WindowSettings(), graph, batches(walk)[:50], [walk])
    assert track.imu is not None
    assert track.imu_mean is not None
    assert np.isnan(track.imu[50:]).all()
    np.testing.assert_allclose(track.imu_mean[:50], walk.imu[:50], rtol=1e-5, atol=1e-6)
    assert 0.2 < (track.imu - track.imu_mean)[:50, :, 2].std() < 0.8
