"""The table says what the summary says."""

import numpy as np
import pytest

from utt_ros.demo.figure import draw
from utt_ros.demo.scoring import Scores
from utt_ros.demo.summary_table import table
from utt_ros.settings import AreaSettings

AREA = {
    'modalities': ['ftm', 'imu'], 'windows': 1200, 'rounds': 8,
    'nmse': {'transfer:ftm->imu': {'first': 1.25, 'last': 0.5}},
    'position_error_m': {
        'camera': None, 'no_camera': {'median': 1.5, 'p90': 3.25, 'covered_90': 0.875, 'n': 9}},
    'untrained_m': {'camera': None, 'no_camera': {'median': 2.5, 'p90': 6.0}},
    'latency_ms': {'p50': 3.25, 'p99': 7.75}, 'latency_training_ms': None,
}
SUMMARY = {'rounds': 8, 'bytes_per_round': 4_000_000, 'wall_s': 200.4, 'areas': {'hall': AREA}}


def test_table_holds_every_number_of_an_area():
    text = table(SUMMARY)
    for part in ('hall: ftm+imu', '1200', '4,000,000', '1.250', '0.500', '1.500', '3.250', '0.875',
                 '2.500', '6.000', 'p50 3.2 ms', 'p99 7.8 ms'):
        assert part in text, part


def test_table_leaves_out_what_an_area_cannot_have():
    assert 'camera sees' not in table(SUMMARY)
    assert 'while training' not in table(SUMMARY)


@pytest.mark.parametrize('count', [0, 400])
def test_map_is_a_picture_also_of_an_area_where_nothing_was_scored(tmp_path, count, rng):
    walk = np.cumsum(rng.normal(0, 0.1, (count, 2)), axis=0)
    scores = Scores(
        np.array(['ann'] * count, dtype='<U3'), np.arange(count) * 100_000_000, walk, walk + 0.1,
        np.where(np.arange(count) % 2, 0.0, np.inf), np.ones(count, bool))
    path = tmp_path / 'map.png'
    draw(path, {name: (AreaSettings(area=name), scores) for name in 'abcd'})
    assert path.read_bytes().startswith(b'\x89PNG')
