"""Steps and headings of a walk from its phone alone: dead reckoning's two halves."""

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from scipy.signal import butter, find_peaks, sosfilt

from utt_ros.evaluation.ground_truth import Walk
from utt_ros.geometry.compass import compass_heading
from utt_ros.motion.gait import BAND_HZ
from utt_ros.settings import AreaSettings, WindowSettings
from utt_ros.types import Array, FloatArray, MaskArray

MIN_STEP_AMPLITUDE_MPS2 = 0.4  # amplitude of a step
MIN_STEP_S = 0.3  # between two steps
ORDER = 2


def count_steps(imu: FloatArray, rate_hz: float) -> Array:
    """How many steps end in each of T ticks (T,), of imu (T, C, 9).

    Peaks of the acceleration's magnitude in the band of steps, filtered causally [S: as
    pedometers do].
    """
    ticks, rows = imu.shape[:2]
    strength = np.linalg.norm(imu[..., :3].reshape(-1, 3).astype(np.float64), axis=1)
    filtered = sosfilt(butter(ORDER, BAND_HZ, 'bandpass', fs=rate_hz, output='sos'),
                       strength - strength[0])
    peaks, _ = find_peaks(
        filtered, height=MIN_STEP_AMPLITUDE_MPS2, distance=max(round(MIN_STEP_S * rate_hz), 1))
    return np.bincount(peaks // rows, minlength=ticks).astype(np.float64)


def headings(
    walk: Walk, area: AreaSettings, window: WindowSettings,
) -> tuple[FloatArray, MaskArray]:
    """Compass headings (T,) [rad] from the last window of each tick, and where they are valid."""
    length = window.ticks * window.imu_rows
    imu = np.pad(walk.imu.reshape(-1, walk.imu.shape[-1]), ((length, 0), (0, 0)))
    mask = np.pad(walk.imu_mask.ravel(), (length, 0))
    windows = sliding_window_view(imu, length, axis=0)[window.imu_rows::window.imu_rows]
    masks = sliding_window_view(mask, length)[window.imu_rows::window.imu_rows]
    return compass_heading(
        windows.transpose(0, 2, 1), masks, window.period / window.imu_rows, area.magnetic_yaw)
