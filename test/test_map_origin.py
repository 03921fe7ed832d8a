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

"""Geographic positions of `map`, against the forward transform to ECEF and known distances."""

from math import cos, radians, sin, sqrt

import numpy as np
import pytest

from utt_ros.errors import SettingsError
from utt_ros.map_origin import ECCENTRICITY_2, SEMI_MAJOR_M, MapOrigin, read_map_origin
from utt_ros.settings import AreaSettings, from_mapping

MUNICH = MapOrigin(48.137, 11.575, 90.0)  # x to the east, y to the north


def ecef(latitude: float, longitude: float) -> np.ndarray:
    phi, lam = radians(latitude), radians(longitude)
    normal = SEMI_MAJOR_M / sqrt(1 - ECCENTRICITY_2 * sin(phi) ** 2)
    return normal * np.array([cos(phi) * cos(lam), cos(phi) * sin(lam),
                              (1 - ECCENTRICITY_2) * sin(phi)])


def test_the_origin_is_at_its_place() -> None:
    found = MUNICH.to_geodetic(np.zeros((1, 2)))
    np.testing.assert_allclose(found, [[48.137, 11.575]], rtol=0.0, atol=1e-12)


@pytest.mark.parametrize(('heading', 'change'), [
    (0.0, (1, 0)), (90.0, (0, 1)), (180.0, (-1, 0)), (-90.0, (0, -1))])
def test_the_x_axis_points_to_its_heading(heading: float, change: tuple[int, int]) -> None:
    ahead, left = MapOrigin(48.0, 11.0, heading).to_geodetic(np.array([[10.0, 0], [0, 10.0]]))
    moved = np.array([ahead, left]) - (48.0, 11.0)
    signs = np.where(np.abs(moved) > 1e-7, np.sign(moved), 0)
    np.testing.assert_array_equal(signs, [change, (change[1], -change[0])])


def test_a_second_of_the_meridian_has_its_length() -> None:
    one = MapOrigin(0.0, 0.0, 0.0).to_geodetic(np.array([[30.715, 0.0]]))[0]
    assert one[0] * 3600 == pytest.approx(1.0, abs=1e-4)  # 30.715 m at the equator


@pytest.mark.parametrize('origin', [
    MUNICH, MapOrigin(-33.9, -70.6, 17.0), MapOrigin(70.0, 179.999, 200.0)])
def test_points_of_the_plane_are_as_far_from_each_other_on_the_ellipsoid(
    origin: MapOrigin, rng: np.random.Generator,
) -> None:
    points = rng.uniform(-500.0, 500.0, (20, 2))
    places = np.array([ecef(*each) for each in origin.to_geodetic(points)])
    centre = ecef(origin.latitude, origin.longitude)
    distances = np.linalg.norm(places - centre, axis=1)
    np.testing.assert_allclose(distances, np.linalg.norm(points, axis=1), atol=0.001)


@pytest.mark.parametrize(('given', 'complaint'), [
    ([48.0, 11.0], r'map_origin is \[48.0, 11.0\]: it must hold 3 numbers'),
    ([48.0, 'east', 0.0], 'it must hold 3 numbers'),
    ([91.0, 0.0, 0.0], 'map_origin has the latitude 91: it must be within 89.9 degrees'),
    ([0.0, 190.0, 0.0], 'map_origin has the longitude 190'),
    ([float('nan'), 0.0, 0.0], 'map_origin is nan')])
def test_origins_that_are_none_are_refused(given: list[object], complaint: str) -> None:
    with pytest.raises(SettingsError, match=complaint):
        from_mapping(AreaSettings, {'map_origin': given})


def test_an_area_has_no_origin_unless_it_is_given() -> None:
    assert read_map_origin(()) is None
    assert AreaSettings().origin_of_map is None
    assert AreaSettings(map_origin=(48.0, 11.0, 5.0)).origin_of_map == MapOrigin(48.0, 11.0, 5.0)
