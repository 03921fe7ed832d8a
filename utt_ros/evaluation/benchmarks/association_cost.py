"""What live association costs where many people walk."""

from time import process_time

import numpy as np

from utt_ros.association.associator import make_associator
from utt_ros.association.translator import Translator
from utt_ros.geometry.camera import CameraModel
from utt_ros.settings import AreaSettings, WindowSettings
from utt_ros.sync.association_types import PhoneSamples, Tracks
from utt_ros.sync.settings import SyncSettings

PEOPLE = 20
TICKS = 200  # the second half, when histories are full, is measured
ROOM_M = np.array([[4.0, -3.0], [12.0, 3.0]])
FIRST_NS = 10**18


def match_cost(
    method: str, translator: Translator | None, shape: WindowSettings,
) -> tuple[float, float]:
    """Processor time of a match of 20 tracks and 20 phones [ms], share of a core at 10 Hz."""
    associator = make_associator(SyncSettings(association=method), AreaSettings(), shape)
    associator.judge.recall.translator = translator
    matches, total = [], 0.0
    for number, (tracks, phones) in enumerate(_walks(shape)):
        before, begin_s = associator.matches, process_time()
        associator.associate(tracks, phones)
        took_s = process_time() - begin_s
        if number >= TICKS // 2:
            total += took_s
            matches += [took_s] * (associator.matches > before)
    return 1e3 * float(np.median(matches)), total / (TICKS / 2 * shape.period)


def _walks(shape: WindowSettings) -> list[tuple[Tracks, PhoneSamples]]:
    """Frames and what the phones measure while people walk to and fro."""
    rng, area = np.random.default_rng(0), AreaSettings()
    camera = CameraModel(area)
    place = rng.uniform(ROOM_M[0], ROOM_M[1], (PEOPLE, 2))
    velocity = rng.normal(0.0, 0.8, (PEOPLE, 2))
    names = [f'{number:02d}' for number in range(PEOPLE)]
    found = []
    for tick in range(TICKS):
        velocity = np.where((place < ROOM_M[0]) | (place > ROOM_M[1]), -velocity, velocity)
        place = place + shape.period * velocity
        heading = np.arctan2(velocity[:, 1], velocity[:, 0])
        imu = np.zeros((PEOPLE, shape.imu_rows, 9), np.float32)
        imu[..., 2], imu[..., 8] = 9.81, -4e-5
        imu[..., 6] = -2e-5 * np.cos(heading)[:, None]
        imu[..., 7] = 2e-5 * np.sin(heading)[:, None]
        ranges = np.hypot(*place.T) + rng.normal(0.0, 1.0, PEOPLE)
        found.append((
            Tracks(FIRST_NS + round(tick * shape.period * 1e9),
                   camera.project(place).astype(np.float32), ('',) * PEOPLE, tuple(names),
                   np.ones(PEOPLE, np.float32)),
            PhoneSamples(tuple(f'p{name}' for name in names),
                         np.stack([ranges, 0.4 + 0.0 * ranges], 1).astype(np.float32),
                         np.zeros(PEOPLE, np.float32), np.full(PEOPLE, tick % 3 == 0), imu,
                         np.ones(imu.shape[:2], bool))))
    return found
