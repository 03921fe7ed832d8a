import numpy as np

from utt_ros.evaluation.benchmarks.circling_walkers import LOOP_SEC
from utt_ros.evaluation.benchmarks.training_load import load_windows
from utt_ros.settings import WindowSettings


def test_windows_cover_every_phone_and_second_with_ranges_at_every_third_tick() -> None:
    window = WindowSettings()
    windows = load_windows(2, window)
    ticks = window.ticks + window.horizon
    assert len(windows) == 2 * LOOP_SEC
    assert windows.values['imu'].shape == (2 * LOOP_SEC, ticks * window.imu_rows, 9)
    assert windows.masks['camera'].all()
    assert np.flatnonzero(windows.masks['ftm'][0]).tolist() == list(range(0, ticks, 3))
