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

"""Screening of updates: caps, clips, and parts that oppose the others."""

from collections.abc import Sequence

import numpy as np
import pytest

from utt_ros.federation.aggregation import Contribution, average_by_windows
from utt_ros.federation.screening import UpdateScreening, lower_median, parts_of

PARTS = ('decoders.camera', 'decoders.ftm', 'fusor')
BEGIN = {f'{part}.weight': np.ones((8, 8), np.float32) for part in PARTS}
DIRECTION = {name: np.random.default_rng(1).standard_normal((8, 8)).astype(np.float32)
             for name in BEGIN}


def update(
    area: str, factor: float = 1.0, windows: int = 100, names: Sequence[str] = tuple(BEGIN),
    noise: float = 0.3,
) -> Contribution:
    rng = np.random.default_rng(sum(area.encode()))
    return Contribution(area, {
        name: BEGIN[name] + np.float32(factor) * (
            DIRECTION[name] + noise * rng.standard_normal((8, 8)).astype(np.float32))
        for name in names}, windows)


def screen(*updates: Contribution, screening: UpdateScreening | None = None):  # type: ignore[no-untyped-def]
    screening = screening or UpdateScreening(clip=1.5, max_share=2.0, agreement=0.3)
    return screening(updates, BEGIN)


def honest(count: int) -> list[Contribution]:
    return [update(f'area{number}') for number in range(count)]


def change(contribution: Contribution, name: str) -> float:
    return float(np.linalg.norm(contribution.tensors[name] - BEGIN[name]))


def test_honest_updates_pass_unchanged() -> None:
    updates = honest(6)
    screened = screen(*updates)
    assert not screened.suspected
    for before, after in zip(updates, screened.contributions, strict=True):
        for name, tensor in before.tensors.items():
            np.testing.assert_array_equal(after.tensors[name], tensor)


@pytest.mark.parametrize('factor', [-5.0, -1.0])
def test_two_of_eight_that_flip_signs_are_left_out_and_named(factor: float) -> None:
    hostile = [update('evil0', factor), update('evil1', factor)]
    screened = screen(*honest(6), *hostile)
    assert set(screened.suspected) == {'evil0', 'evil1'}
    assert all(not item.tensors for item in screened.contributions[6:])
    expected = average_by_windows(honest(6), BEGIN)
    for name, tensor in average_by_windows(screened.contributions, BEGIN).items():
        np.testing.assert_allclose(tensor, expected[name], atol=1e-6)


def test_of_two_areas_a_scaled_one_is_clipped_to_the_other_and_named() -> None:
    screened = screen(update('area0'), update('evil', 50.0))
    limit = 1.5 * change(screened.contributions[0], 'fusor.weight')
    assert change(screened.contributions[1], 'fusor.weight') == pytest.approx(limit, rel=1e-3)
    assert list(screened.suspected) == ['evil']
    assert 'times the median norm' in screened.suspected['evil']


def test_windows_are_capped_relative_to_their_median() -> None:
    screened = screen(*honest(3), update('evil', windows=1_000_000))
    assert [item.windows for item in screened.contributions] == [100, 100, 100, 200]


def test_an_area_with_fewer_sensors_is_compared_in_its_own_parts() -> None:
    without_camera = update('area9', names=['decoders.ftm.weight'])
    screened = screen(*honest(4), without_camera)
    assert not screened.suspected
    assert screened.contributions[4].tensors.keys() == {'decoders.ftm.weight'}


def test_noise_as_large_as_an_honest_change_is_left_out() -> None:
    screened = screen(*honest(6), update('evil', 0.05, noise=20.0))
    assert set(screened.suspected) == {'evil'}


def test_updates_without_any_change_do_not_stop_the_others() -> None:
    idle = [Contribution(f'idle{number}', dict(BEGIN), 100) for number in range(4)]
    screened = screen(*honest(2), *idle)
    assert change(screened.contributions[0], 'fusor.weight') > 1.0


def test_the_limit_follows_the_running_median_of_norms() -> None:
    screening = UpdateScreening(clip=1.5, max_share=2.0, agreement=0.3)
    for _ in range(3):
        screen(*honest(3), screening=screening)
    screened = screen(*(update(f'area{n}', 40.0) for n in range(3)), screening=screening)
    typical = change(honest(1)[0], 'fusor.weight')
    assert change(screened.contributions[0], 'fusor.weight') < 2.0 * typical


def test_given_tensors_are_not_changed() -> None:
    hostile = update('evil', 50.0)
    before = {name: tensor.copy() for name, tensor in hostile.tensors.items()}
    screen(*honest(4), hostile)
    for name, tensor in before.items():
        np.testing.assert_array_equal(hostile.tensors[name], tensor)


def test_parts_are_submodules_of_encoders_and_decoders_and_whole_other_modules() -> None:
    names = ['encoders.imu.a', 'encoders.ftm.b.c', 'fusor.weight.camera.imu', 'fusor.bias.imu']
    assert parts_of(names) == {
        'encoders.ftm': ['encoders.ftm.b.c'], 'encoders.imu': ['encoders.imu.a'],
        'fusor': ['fusor.bias.imu', 'fusor.weight.camera.imu']}


def test_the_lower_median_of_two_is_the_smaller() -> None:
    assert lower_median([9.0, 1.0]) == 1.0
    assert lower_median([9.0, 1.0, 2.0]) == 2.0
