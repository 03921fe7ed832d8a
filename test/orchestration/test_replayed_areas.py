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

"""Recordings of areas, by their topics; test_arguments has those that agree or not."""

from collections.abc import Callable
from pathlib import Path

import pytest

from utt_ros.errors import SessionError, SettingsError
from utt_ros.orchestration.launch_plan import AreaPlan
from utt_ros.orchestration.replayed_areas import (
    recorded_areas,
    renamed_recordings,
    with_recordings,
)
from utt_ros.settings import AreaSettings

MakeBag = Callable[..., Path]
HALL = AreaPlan(AreaSettings(area='hall'))


@pytest.mark.parametrize(('topics', 'roots'), [
    (('/hall/camera/tracks',), ('/hall',)),
    (('/hall/phones/ann/ftm', '/hall/phones/ann/imu/data_raw'), ('/hall',)),
    (('/b/camera/tracks', '/a/phones/ann/imu/mag'), ('/a', '/b')),
    (('/site/floor/hall/camera/tracks',), ('/site/floor/hall',)),
    (('/hall/truth/ann/odom', '/hall/synced', '/tf', '/camera/tracks'), ()),
    (('/hall/twins/t1/phones/ann/ftm', '/hall/twins/t1/camera/tracks'), ()),
])
def test_areas_of_a_bag_are_those_with_measurements(
    topics: tuple[str, ...], roots: tuple[str, ...], tmp_path: Path, make_bag: MakeBag,
) -> None:
    assert recorded_areas(make_bag(tmp_path / 'bag', *topics)) == roots


def test_missing_bag_is_named(tmp_path: Path) -> None:
    with pytest.raises(SessionError, match='none does not exist'):
        recorded_areas(tmp_path / 'none')


def test_every_recording_of_an_area_is_followed(tmp_path: Path, make_bag: MakeBag) -> None:
    bags = (make_bag(tmp_path / 'a', '/hall/camera/tracks'),
            make_bag(tmp_path / 'b', '/site/hall/camera/tracks', '/site/attic/camera/tracks'))
    area = with_recordings(HALL, bags)
    assert area.bags == bags
    assert area.recorded == ('/hall', '/site/hall')
    assert renamed_recordings(area) == []
    other = make_bag(tmp_path / 'c', '/attic/camera/tracks')
    with pytest.raises(SettingsError, match=r"recording of area attic, but .* named 'hall'"):
        with_recordings(HALL, (*bags, other))
    renamed = with_recordings(HALL, (*bags, other), rename=True)
    assert renamed_recordings(renamed) == ['hall: the recording of /attic is replayed as /hall']
