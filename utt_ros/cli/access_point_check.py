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

"""Findings of `utt check` about positions of access points: what walks in view say."""

from collections.abc import Iterator, Sequence

import numpy as np

from utt_ros.errors import MeasurementError
from utt_ros.geometry.ap_locator import ApPlace, locate_access_point, place_loss
from utt_ros.geometry.range_model import RangeSamples, RangeTrend
from utt_ros.sessions.range_samples import seen_ranges
from utt_ros.settings import AreaSettings
from utt_ros.types import Array, Session

MIN_CHECKED_RANGES = 60  # of an access point: 20 s of a walk in view
MIN_AP_DEVIATION_M = 2.5  # of a position: what multipath moves it by in a minute [R]
MAX_PLACE_LOSS = 11.83  # of minus twice the log likelihood: 3 standard deviations in the plane


def access_point_findings(sessions: Sequence[Session], area: AreaSettings) -> Iterator[str]:
    """Yield what walks say about the position of each access point, one line each."""
    try:
        samples = seen_ranges(sessions, area)
    except MeasurementError as err:
        yield f'positions of access points are not checked: {err}'
        return
    for number, position in enumerate(area.ap_positions):
        own = samples[samples.access_points == number]
        name = _name(samples, area, number)
        if len(own.ranges_m) < MIN_CHECKED_RANGES:
            yield (f'{name} is not checked: {len(own.ranges_m)} ranges of walks in view, at least '
                   f'{MIN_CHECKED_RANGES} are needed')
            continue
        yield _place_finding(own, name, np.asarray(position), area.phone_height)


def _name(samples: RangeSamples, area: AreaSettings, number: int) -> str:
    return (f'position of access point {samples.addresses[number]}' if area.access_points
            else 'ap_position')


def _place_finding(samples: RangeSamples, name: str, given: Array, phone_height: float) -> str:
    rise_m, trend = float(given[2]) - phone_height, RangeTrend()
    found = locate_access_point(samples, rise_m, trend)
    loss = place_loss(samples, given[:2], rise_m, trend) - found.loss
    away_m = float(np.linalg.norm(found.position_m - given[:2]))
    if loss > MAX_PLACE_LOSS and away_m > MIN_AP_DEVIATION_M:
        return (f'WARNING: {name} is {_shown(given)} but walkers say {_places(found)}: `utt '
                'calibrate access-points --locate`')
    return f'{name} {_shown(given)} agrees with walkers'


def _places(found: ApPlace) -> str:
    other = '' if found.rival_m is None else f' or {_shown(found.rival_m)}'
    return f'{_shown(found.position_m)}{other}'


def _shown(position_m: Array) -> str:
    return f'({position_m[0]:.1f}, {position_m[1]:.1f})'
