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

"""Drafts of area files are read as `utt run` reads them, and written when they can be."""

from pathlib import Path

import pytest

from utt_ros.cli.area_draft import AreaDraft
from utt_ros.errors import SettingsError
from utt_ros.orchestration.launch_plan import read_area_plan


def test_a_draft_is_the_file_of_an_area_with_its_drivers(tmp_path: Path) -> None:
    draft = AreaDraft({'area': 'hall', 'camera_height': 3.0})
    draft.set_driver('imu', {'source': 'sensor_logger', 'sensor_logger': {'port': 8001}})
    draft.set_driver('ftm', {'source': 'android_udp'})
    draft.set_driver('ftm', None)
    draft.write(tmp_path / 'new' / 'area.yaml')
    area = read_area_plan(tmp_path / 'new' / 'area.yaml')
    assert (area.name, area.drivers, area.settings.modalities) == ('hall', ('imu',), ('imu',))
    assert draft.settings == area.settings
    with draft.plan() as same:
        assert same.settings == area.settings
        assert same.parameter_files[0].is_file()


def test_a_draft_that_no_node_would_read_is_not_written(tmp_path: Path) -> None:
    draft = AreaDraft({'area': 'hall', 'camera_height': -3.0})
    with pytest.raises(SettingsError, match=r'camera_height is -3\.0: it must be at least'):
        draft.write(tmp_path / 'area.yaml')
    assert list(tmp_path.iterdir()) == []
