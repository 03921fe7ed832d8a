import numpy as np
import pytest

from utt_ros.association.candidates import Candidates


@pytest.fixture
def seen():
    """Three tracks and two phones in 30 ticks of noise, with gaps."""
    rng = np.random.default_rng(1)
    return Candidates(
        stamp_ns=0, period=0.1, track_ids=('0', '1', '2'), phones=('a', 'b'),
        boxes=rng.uniform(1, 500, (3, 30, 5)).astype(np.float32),
        boxes_mask=rng.random((3, 30)) < 0.9,
        ftm=rng.uniform(1, 9, (2, 30, 2)).astype(np.float32), ftm_mask=rng.random((2, 30)) < 0.3,
        imu=rng.standard_normal((2, 150, 9)).astype(np.float32),
        imu_mask=np.ones((2, 150), bool))
