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

"""Areas that share a source: one list of phones, and each area receives what can be of it."""

from dataclasses import replace
from typing import Any

import pytest

from utt_ros.drivers.ftm.android import AndroidSettings
from utt_ros.drivers.imu.phyphox import PhyphoxSettings
from utt_ros.drivers.imu.sensor_logger import SensorLoggerSettings
from utt_ros.drivers.shared_settings import (
    SampleFilter,
    check_shared_ranges,
    merge_settings,
    sample_filter,
)
from utt_ros.errors import SettingsError
from utt_ros.settings import AreaSettings, from_mapping


def area(name: str, *addresses: str) -> AreaSettings:
    return from_mapping(AreaSettings, {
        'area': name, 'access_points': {address: [0.0, 0.0, 2.5] for address in addresses}})


HALL, STAIRS = area('hall', 'AA:01', 'AA:02'), area('stairs', 'aa:02', 'aa:03')


def test_phones_of_all_areas_are_joined_in_one_source() -> None:
    hall = AndroidSettings(devices=('one', 'two'), phones=('ann', 'bob'))
    stairs = AndroidSettings(devices=('two', 'three'), phones=('bob', 'carl'))
    assert merge_settings({'hall': hall, 'stairs': stairs}) == AndroidSettings(
        devices=('one', 'two', 'three'), phones=('ann', 'bob', 'carl'))


def test_areas_without_lists_share_a_source_that_accepts_every_phone() -> None:
    assert merge_settings(dict.fromkeys('abc', AndroidSettings())) == AndroidSettings()


def test_a_phone_that_is_listed_in_one_area_may_be_inverted_there() -> None:
    hall = PhyphoxSettings(devices=('a:80',), phones=('ann',), inverted=('ann',))
    stairs = PhyphoxSettings(devices=('b:80',), phones=('bob',))
    assert merge_settings({'hall': hall, 'stairs': stairs}) == PhyphoxSettings(
        devices=('a:80', 'b:80'), phones=('ann', 'bob'), inverted=('ann',))


LISTED = {'devices': ('one',), 'phones': ('ann',)}


@pytest.mark.parametrize(('kind', 'hall', 'stairs', 'reason'), [
    (AndroidSettings, {'host': '10.0.0.1'}, {}, r"host is '10.0.0.1' in hall and '0.0.0.0' in st"),
    (AndroidSettings, LISTED, {}, 'devices are listed in hall and not in stairs'),
    (AndroidSettings, {}, LISTED, 'devices are listed in stairs and not in hall'),
    (AndroidSettings, LISTED, LISTED | {'phones': ('bob',)},
     "device 'one' is 'ann' in hall and 'bob' in stairs"),
    (AndroidSettings, LISTED, LISTED | {'devices': ('two',)}, "phones holds 'ann' more than once"),
    (SensorLoggerSettings, {'inverted': ('ann',)}, {},
     "'ann' is inverted in one of hall and stairs only"),
    (SensorLoggerSettings, LISTED | {'inverted': ('ann',)}, LISTED,
     "'ann' is inverted in one of hall and stairs only"),
])
def test_what_cannot_be_one_source_is_refused_with_values_and_areas(
    kind: type, hall: dict[str, Any], stairs: dict[str, Any], reason: str,
) -> None:
    with pytest.raises(SettingsError, match=reason):
        merge_settings({'hall': kind(**hall), 'stairs': kind(**stairs)})


def test_third_area_is_compared_with_the_first_two() -> None:
    other = replace(AndroidSettings(), port=9000)
    with pytest.raises(SettingsError, match='port is 9710 in a, b and 9000 in c'):
        merge_settings({'a': AndroidSettings(), 'b': AndroidSettings(), 'c': other})


def test_range_goes_to_the_areas_of_its_access_point_and_an_unknown_one_to_all() -> None:
    hall = sample_filter(AndroidSettings(), HALL, [STAIRS])
    stairs = sample_filter(AndroidSettings(), STAIRS, [HALL])
    taken = {ap: (hall.takes('ann', ap), stairs.takes('ann', ap))
             for ap in ('aa:01', 'AA:02', 'AA:03', 'aa:04', '')}
    assert taken == {'aa:01': (True, False), 'AA:02': (True, True), 'AA:03': (False, True),
                     'aa:04': (True, True), '': (True, True)}


def test_area_that_lists_phones_receives_no_other_ones() -> None:
    listing = AndroidSettings(devices=('one',), phones=('ann',))
    filtered = sample_filter(listing, HALL, [STAIRS])
    assert filtered.takes('ann')
    assert not filtered.takes('bob')
    assert SampleFilter().takes('bob', 'aa:09')


def test_area_that_names_no_access_point_shares_no_ranges() -> None:
    check_shared_ranges([HALL, STAIRS])
    check_shared_ranges([area('attic')])
    with pytest.raises(SettingsError, match='attic does not name its access points'):
        check_shared_ranges([HALL, area('attic')])
