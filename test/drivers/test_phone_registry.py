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

import math

import pytest

from utt_ros.drivers.phone_registry import (
    MAX_PHONES,
    MIN_SILENCE_NS,
    PhoneRegistry,
    check_phones,
    is_mac,
    is_plausible_range,
)
from utt_ros.errors import SettingsError


def test_ids_of_devices_become_distinct_names_of_phones() -> None:
    registry = PhoneRegistry((), ())
    assert registry.name('pixel-7 (anna)', 0) == 'pixel_7_anna'
    assert registry.name('pixel 7 anna', 0) == ''
    assert registry.name('pixel-7 (anna)', 0) == 'pixel_7_anna'
    assert registry.name('4711', 0) == 'phone_4711'
    assert registry.name('日本', 0) == ''
    names = [registry.name(f'd{number}', 0) for number in range(2 * MAX_PHONES)]
    assert sum(map(bool, names)) == MAX_PHONES - 2


def test_listed_devices_have_their_phones_and_others_none() -> None:
    registry = PhoneRegistry(('pixel-7',), ('anna',))
    assert registry.name('pixel-7', 0) == 'anna'
    assert registry.name('other', 0) == ''


def test_phone_takes_the_place_of_the_one_that_is_silent_for_longest() -> None:
    forgotten: list[str] = []
    registry = PhoneRegistry((), (), forgotten.append)
    for number in range(MAX_PHONES):
        assert registry.name(f'invented{number}', number)
    assert registry.name('invented0', MAX_PHONES) == 'invented0'
    assert registry.name('real', MAX_PHONES) == ''
    assert registry.status() == {
        'unknown_phone': "device 'real' is one more than 64: list those wanted"}
    assert registry.name('real', MIN_SILENCE_NS + 1) == 'real'
    assert forgotten == ['invented1']
    assert registry.name('late', MIN_SILENCE_NS + 1) == ''
    assert registry.name('invented1', 2 * MIN_SILENCE_NS) == 'invented1'
    assert forgotten == ['invented1', 'invented2']


@pytest.mark.parametrize(('device', 'reason'), [
    ('other', 'is not listed'), ('x' * 10**6, 'is not listed')])
def test_devices_that_are_not_listed_are_named(device: str, reason: str) -> None:
    registry = PhoneRegistry(('pixel-7',), ('anna',))
    for number in range(10_000):
        assert registry.name(f'invented{number}', number) == ''
    assert registry.name(device, 0) == ''
    refusal = str(registry.status()['unknown_phone'])
    assert device[:64] in refusal
    assert reason in refusal
    assert len(refusal) < 100
    assert registry.name('pixel-7', 10**9) == 'anna'


@pytest.mark.parametrize(('devices', 'phones', 'error'), [
    (['x'], [], 'devices has 1 entries and phones 0'),
    ([f'd{number}' for number in range(65)], [f'p{number}' for number in range(65)], '64 at most'),
    ([1], ['anna'], 'devices is .* it must hold strings'),
    (['x', 'x'], ['anna', 'ben'], "devices holds 'x' more than once"),
    (['x', 'y'], ['anna', 'anna'], "phones holds 'anna' more than once"),
    (['x'], ['an na'], "phones holds 'an na'")])
def test_lists_of_devices_and_phones_are_checked(
    devices: list[str], phones: list[str], error: str,
) -> None:
    with pytest.raises(SettingsError, match=error):
        check_phones('devices', devices, phones)


def test_several_devices_may_be_one_phone_where_allowed() -> None:
    check_phones('macs', ['x', 'y'], ['anna', 'anna'], repeated=True)


@pytest.mark.parametrize(('range_m', 'std_m', 'is_plausible'), [
    (5.0, 0.4, True), (-50.0, math.nan, True), (300.0, 300.0, True), (300.1, 0.4, False),
    (5.0, -0.1, False), (5.0, 300.1, False), (math.nan, 0.4, False)])
def test_ranges_and_deviations_have_limits(
    range_m: float, std_m: float, is_plausible: bool,
) -> None:
    assert is_plausible_range(range_m, std_m) is is_plausible


@pytest.mark.parametrize('text', ['02:00:00:00:00', '02:00:00:00:00:0A', '02-00-00-00-00-01', ''])
def test_other_texts_are_not_hardware_addresses(text: str) -> None:
    assert is_mac('02:00:00:00:00:0a')
    assert not is_mac(text)
