"""A small session in which every field has a value of its own."""

from pathlib import Path

import numpy as np
import pytest

from utt_ros.sessions.session_bags import write_session
from utt_ros.settings import AreaSettings
from utt_ros.types import Frames, PhoneStreams, Session, Truth

START_NS = 1_700_000_000_123_456_789


def phone_streams(rng: np.random.Generator, ranges: int = 9) -> PhoneStreams:
    return PhoneStreams(
        ftm_stamps_ns=START_NS + np.arange(ranges) * 333_000_001,
        ftm=rng.normal(5, 2, (ranges, 2)).astype(np.float32),
        inertial_stamps_ns=START_NS + np.arange(150) * 20_000_003,
        inertial=rng.normal(0, 3, (150, 6)).astype(np.float32),
        magnetic_stamps_ns=START_NS + 7 + np.arange(140) * 20_000_003,
        magnetic=rng.normal(0, 4e-5, (140, 3)).astype(np.float32),
        ftm_signal=np.c_[rng.uniform(-90, -40, ranges), np.full(ranges, 8), np.full(ranges, 7)]
        .astype(np.float32),
        ap='02:00:00:00:00:01')


@pytest.fixture
def session(rng: np.random.Generator) -> Session:
    counts = [0, 2, 1, 0, 3]
    boxes = rng.uniform(1, 700, (6, 5)).astype(np.float32)
    boxes[3, 2] = np.nan
    frames = Frames(
        stamps_ns=START_NS + np.arange(5) * 100_000_000,
        starts=np.cumsum([0, *counts]),
        boxes=boxes,
        subjects=('anna', '', 'ben', 'anna', 'ben', ''),
        track_ids=('t1', 't23', 't4', 't1', 't4', 't567'))
    truth = Truth(
        stamps_ns=START_NS + np.arange(20) * 100_000_000,
        positions_m=rng.uniform(-5, 15, (20, 2)),
        headings_rad=rng.uniform(-3.1, 3.1, 20))
    phones = {'anna': phone_streams(rng), 'ben': phone_streams(rng, ranges=0)}
    return Session('hall', 'first', 'val', frames, phones, {'anna': truth})


@pytest.fixture
def area() -> AreaSettings:
    return AreaSettings(area='hall', magnetic_yaw=0.5)


@pytest.fixture
def bag(session: Session, area: AreaSettings, tmp_path: Path) -> Path:
    path = tmp_path / 'sessions' / 'hall' / 'first'
    write_session(session, area, path)
    return path
