# Copyright 2026 The utt_ros maintainers
# SPDX-License-Identifier: Apache-2.0
#
# Licensed under the Apache License, Version 2.0 (the "License");
# you may not use this file except in compliance with the License.
# You may obtain a copy of the License at
#
#     http://www.apache.org/licenses/LICENSE-2.0
#
# Unless required by applicable law or agreed to in writing, software
# distributed under the License is distributed on an "AS IS" BASIS,
# WITHOUT WARRANTIES OR CONDITIONS OF ANY KIND, either express or implied.
# See the License for the specific language governing permissions and
# limitations under the License.

"""Modality gates: weights of updates, tensor by tensor."""

import numpy as np
import pytest

from utt_ros.errors import SettingsError
from utt_ros.federation.aggregation import Contribution, average_by_windows
from utt_ros.federation.modality_gating import ModalityGating, parse_gates
from utt_ros.federation.settings import AggregatorSettings

REFERENCE = {'w': np.float32([1.0]), 'camera.w': np.float32([1.0])}


def area(value: float, windows: int, *modalities: str, names: tuple[str, ...] = ('w',)) -> (
        Contribution):
    tensors = {name: np.float32([value]) for name in names}
    return Contribution(f'a{value}', tensors, windows, modalities)


def test_a_gate_is_the_weight_of_the_areas_that_have_the_modality() -> None:
    updates = [area(5.0, 1, 'camera'), area(9.0, 50, 'imu')]
    result = ModalityGating({'camera': 0.75, 'imu': 0.25})(updates, REFERENCE)
    assert result['w'] == pytest.approx(0.75 * 5.0 + 0.25 * 9.0)


def test_areas_share_a_gate_by_their_windows() -> None:
    updates = [area(5.0, 1, 'camera'), area(9.0, 3, 'camera', 'imu')]
    camera, imu = 5.0 / 4 + 9.0 * 3 / 4, 9.0
    result = ModalityGating({'camera': 0.4, 'imu': 0.6})(updates, REFERENCE)
    assert result['w'] == pytest.approx(0.4 * camera + 0.6 * imu)


def test_areas_with_equal_sensors_are_averaged_by_windows_whatever_the_gates() -> None:
    updates = [area(5.0, 1, 'camera', 'imu'), area(9.0, 3, 'camera', 'imu')]
    result = ModalityGating({'camera': 0.9, 'imu': 0.1})(updates, REFERENCE)
    np.testing.assert_array_equal(result['w'], average_by_windows(updates, REFERENCE)['w'])


def test_the_gate_of_a_missing_modality_is_left_out_and_the_others_keep_their_proportions() -> (
        None):
    updates = [area(5.0, 1, 'camera'), area(9.0, 1, 'imu')]
    result = ModalityGating({'camera': 0.2, 'ftm': 0.6, 'imu': 0.2})(updates, REFERENCE)
    assert result['w'] == pytest.approx(7.0)


def test_gates_are_divided_among_the_areas_that_sent_the_tensor() -> None:
    updates = [area(5.0, 1, 'camera', names=('w', 'camera.w')), area(9.0, 1, 'imu')]
    result = ModalityGating({'camera': 0.5, 'imu': 0.5})(updates, REFERENCE)
    assert (result['w'], result['camera.w']) == (7.0, 5.0)


@pytest.mark.parametrize('modalities', [('ftm',), (), ('laser', 'laser')])
def test_updates_of_closed_gates_change_nothing(modalities: tuple[str, ...]) -> None:
    result = ModalityGating({'camera': 1.0, 'ftm': 0.0})([area(5.0, 1, *modalities)], REFERENCE)
    assert result['w'] is REFERENCE['w']


def test_without_gates_all_present_modalities_have_equal_weight() -> None:
    updates = [area(5.0, 1, 'camera'), area(9.0, 30, 'imu')]
    assert ModalityGating({})(updates, REFERENCE)['w'] == pytest.approx(7.0)


def test_a_modality_that_is_named_twice_counts_once() -> None:
    updates = [area(5.0, 1, 'camera', 'camera'), area(9.0, 1, 'camera')]
    assert ModalityGating({'camera': 1.0})(updates, REFERENCE)['w'] == pytest.approx(7.0)


@pytest.mark.parametrize(('entries', 'message'), [
    (('camera',), "gates has 'camera': it must be like camera=0.5"),
    (('camera=half',), 'it must be like camera=0.5'),
    (('camera=-0.5', 'imu=1.5'), "gates has 'camera=-0.5': a weight is at least 0"),
    (('camera=nan',), 'a weight is at least 0'),
    (('camera=0.5', 'imu=0.6'), 'gates add up to 1.1: it must be 1'),
])
def test_invalid_gates_are_refused(entries: tuple[str, ...], message: str) -> None:
    with pytest.raises(SettingsError, match=message):
        AggregatorSettings(weighting='gated', gates=entries)


def test_gates_are_parsed_by_name() -> None:
    assert parse_gates(('camera=0.25', 'imu=0.75')) == {'camera': 0.25, 'imu': 0.75}
