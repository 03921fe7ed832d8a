"""People who walk: windows of all three sensors, each of which tells something of the others."""

from collections.abc import Callable

import numpy as np
import pytest

from utt_ros.geometry.camera import CameraModel
from utt_ros.settings import AreaSettings, WindowSettings
from utt_ros.types import Windows

Walk = Callable[..., Windows]
FIELD_T = 3e-5
NS = 1_000_000_000


@pytest.fixture
def shape() -> WindowSettings:
    """Windows that are quick to train on."""
    return WindowSettings(ticks=12, imu_rows=4, horizon=8)


@pytest.fixture
def walk(shape: WindowSettings, rng: np.random.Generator) -> Walk:
    """Make windows of N people: straight walks at 0.3 to 1.8 m/s, phones flat in the hand.

    Steps shake the phone the harder the faster one walks; the compass says where to.
    """
    def make(
        area: AreaSettings, count: int, first_s: float = 10.0, every_s: float = 0.0,
    ) -> Windows:
        ticks = shape.ticks + shape.horizon
        now = shape.ticks - 1
        speed, heading = rng.uniform(0.3, 1.8, count), rng.uniform(-np.pi, np.pi, count)
        start = np.stack([rng.uniform(5, 9, count), rng.uniform(-2, 2, count)], axis=-1)
        velocity = speed[:, None] * np.stack([np.cos(heading), np.sin(heading)], axis=-1)
        seconds = shape.period * (np.arange(ticks) - now)
        paths = start[:, None] + seconds[:, None] * velocity[:, None]
        ranges = np.linalg.norm(paths, axis=-1) + rng.normal(0, 0.2, (count, ticks))
        phone = phones(speed, heading + area.magnetic_yaw, ticks * shape.imu_rows, shape, rng)
        values = {'camera': CameraModel(area).project(paths), 'imu': phone,
                  'ftm': np.stack([ranges, np.full_like(ranges, 0.4)], axis=-1)}
        masks = {name: np.full(item.shape[:2], name in area.modalities)
                 for name, item in values.items()}
        masks['ftm'][:, 1::3] = False
        stamps = ((first_s + every_s * np.arange(count)) * NS).astype(np.int64)
        return Windows(
            stamps, tuple(f'p{number}' for number in range(count)),
            {name: np.where(masks[name][..., None], item, 0).astype(np.float32)
             for name, item in values.items()}, masks)
    return make


def phones(
    speed: np.ndarray, compass: np.ndarray, rows: int, shape: WindowSettings,
    rng: np.random.Generator,
) -> np.ndarray:
    """IMU (N, rows, 9) of phones whose y axis points to `compass`, from magnetic east."""
    seconds = shape.period / shape.imu_rows * np.arange(rows)
    phase = rng.uniform(0, 2 * np.pi, len(speed))[:, None]
    imu = 0.05 * rng.standard_normal((len(speed), rows, 9))
    imu[..., 2] += 9.81 + 2 * speed[:, None] * np.sin(4 * np.pi * seconds + phase)
    imu[..., 6:] *= 1e-5
    imu[..., 6] -= FIELD_T * np.cos(compass)[:, None]  # magnetic north in the phone's frame
    imu[..., 7] += FIELD_T * np.sin(compass)[:, None]
    return imu
