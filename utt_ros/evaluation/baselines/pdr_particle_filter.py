"""A particle filter of steps, headings and ranges: what a phone and an access point can do."""

from hashlib import sha256

import numpy as np

from utt_ros.association.task_steps import count_steps, headings
from utt_ros.evaluation.baselines.settings import FloorSettings
from utt_ros.evaluation.ground_truth import Track, Walk
from utt_ros.geometry.camera import CameraModel
from utt_ros.settings import AreaSettings, WindowSettings
from utt_ros.types import Array

JITTER_M, JITTER_SHARE = 0.2, 0.2  # after resampling: of positions; of what else may be wrong
DEPLETED = 0.5  # share of effective particles below which they are resampled


def particle_track(
    area: AreaSettings, walk: Walk, window: WindowSettings, settings: FloorSettings, *,
    resets: bool = True,
) -> Track:
    """Positions from steps along the compass, weighted by FTM ranges [S: Arulampalam et al. 2002].

    Begins where the camera first sees the subject; with `resets` it begins anew at every box.
    Each particle has its own error of the compass and of the length of its steps.
    """
    imu_hz = window.imu_rows / window.period
    steps = count_steps(walk.imu, imu_hz)
    heading, valid = headings(walk, area, window)
    with np.errstate(invalid='ignore', divide='ignore'):
        places, spreads = CameraModel(area).locate(walk.camera)
    usable = walk.camera_mask & np.isfinite(places).all(1)
    cloud: _Cloud | None = None
    position = np.full((len(steps), 2), np.nan, np.float32)
    covariance = np.full((len(steps), 2, 2), np.nan, np.float32)
    for row in range(len(steps)):
        if cloud is None and usable[row]:
            cloud = _Cloud(area, settings, walk.subject)
            cloud.place(places[row], spreads[row])
        elif cloud is not None:
            if valid[row]:
                cloud.walk(float(steps[row]), float(heading[row]))
            if usable[row] and resets:
                cloud.place(places[row], spreads[row])
            elif walk.ftm_mask[row]:
                cloud.weigh(float(walk.ftm[row, 0]))
        if cloud is not None:
            position[row], covariance[row] = cloud.estimate()
    return Track(position, covariance)


class _Cloud:
    """Positions and errors of particles, seeded by the subject's name."""

    def __init__(self, area: AreaSettings, settings: FloorSettings, name: str) -> None:
        self._settings, count = settings, settings.particles
        seed = int.from_bytes(sha256(name.encode()).digest()[:8], 'big')
        self._random = np.random.default_rng(seed)
        self._ap = np.asarray(area.ap_position[:2])
        self._rise = area.ap_position[2] - area.phone_height
        self._at: Array = np.zeros((count, 2))
        self._turn: Array = np.zeros(count)
        self._stretch: Array = np.ones(count)
        self._weights: Array = np.full(count, 1 / count)

    def place(self, centre: Array, spread: Array) -> None:
        own, count = self._settings, len(self._at)
        self._at = self._random.multivariate_normal(centre, spread, count)
        self._turn = own.heading_std * self._random.standard_normal(count)
        self._stretch = 1 + own.step_noise * self._random.standard_normal(count)
        self._weights[:] = 1 / count

    def walk(self, steps: float, heading: float) -> None:
        if not steps:
            return
        own = self._settings
        noise = self._random.standard_normal((2, len(self._at)))
        angle = heading + self._turn + 0.5 * own.heading_std * noise[0]
        length = steps * own.step_length * (self._stretch + own.step_noise * noise[1])
        self._at += length[:, None] * np.stack([np.cos(angle), np.sin(angle)], axis=1)

    def weigh(self, measured: float) -> None:
        own = self._settings
        slant = np.sqrt(((self._at - self._ap)**2).sum(1) + self._rise**2)
        error = measured - own.range_offset - (1 + own.range_slope) * slant
        self._weights *= 1 / (1 + (error / own.range_std)**2 / 4)**2.5  # Student's, 4 degrees
        self._weights /= self._weights.sum()
        if 1 / (self._weights**2).sum() < DEPLETED * len(self._weights):
            self._resample()

    def estimate(self) -> tuple[Array, Array]:
        mean = self._weights @ self._at
        off = self._at - mean
        return mean, (off * self._weights[:, None]).T @ off

    def _resample(self) -> None:
        count = len(self._weights)
        at = (np.arange(count) + self._random.random()) / count
        chosen = np.searchsorted(np.cumsum(self._weights), at).clip(max=count - 1)
        self._at = self._at[chosen] + JITTER_M * self._random.standard_normal((count, 2))
        shake = JITTER_SHARE * self._random.standard_normal((2, count))
        self._turn = self._turn[chosen] + self._settings.heading_std * shake[0]
        self._stretch = self._stretch[chosen] + self._settings.step_noise * shake[1]
        self._weights[:] = 1 / count
