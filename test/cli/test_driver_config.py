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

"""Settings of sensor sources in an area file, read as by the driver nodes."""

from pathlib import Path

import pytest
import yaml

from utt_ros.cli.driver_config import SOURCE_KINDS, read_driver_config
from utt_ros.drivers import camera, ftm, imu
from utt_ros.errors import SettingsError
from utt_ros.orchestration.launch_plan import AreaPlan, read_area_plan
from utt_ros.orchestration.ros_environment import CHECKOUT


def area(path: Path, **blocks: dict[str, object]) -> AreaPlan:
    """Write and read an area file; in names of blocks `__` means ** and `_` means /."""
    document = {'/**': {'ros__parameters': {'area': 'hall', 'drivers': ['ftm']}}}
    for name, settings in blocks.items():
        block = name.replace('__', '/**').replace('_', '/')
        document[block] = {'ros__parameters': settings}
    (path / 'area.yaml').write_text(yaml.safe_dump(document, sort_keys=False))
    return read_area_plan(path / 'area.yaml')


def test_source_that_is_not_chosen_is_the_default_of_its_node(tmp_path: Path) -> None:
    for kind, module in (('camera', camera), ('ftm', ftm), ('imu', imu)):
        assert read_driver_config(area(tmp_path), kind).name == module.DEFAULT


@pytest.mark.parametrize('block', ['__/ftm', '_hall_ftm', '_*_ftm', '__'])
def test_blocks_that_match_the_name_of_the_node_are_read(tmp_path: Path, block: str) -> None:
    settings = {'source': 'gtec', 'gtec': {'ports': ['/dev/ttyUSB0'], 'phones': ['ann']}}
    if block == '__':
        settings |= {'area': 'hall', 'drivers': ['ftm']}
    config = read_driver_config(area(tmp_path, **{block: settings}), 'ftm')
    assert (config.name, config.phones) == ('gtec', ('ann',))


def test_blocks_of_other_nodes_are_not_read(tmp_path: Path) -> None:
    config = read_driver_config(
        area(tmp_path, _yard_ftm={'source': 'iw'}, __imu={'source': 'iw'}), 'ftm')
    assert config.name == ftm.DEFAULT


def test_later_block_has_precedence_and_names_may_be_nested_or_dotted(tmp_path: Path) -> None:
    config = read_driver_config(area(
        tmp_path, **{'__/ftm': {'source': 'iw', 'esp_idf.ap': 'no address', 'first_wait': 2},
                     '_hall_ftm': {'source': 'esp_idf', 'esp_idf': {'ap': ''}}}), 'ftm')
    assert config.name == 'esp_idf'
    assert config.reader.first_wait == 2.0


@pytest.mark.parametrize(('settings', 'error'), [
    ({'source': ['iw']}, r"source is \['iw'\]: it must be one of android_http, android_udp"),
    ({'source': 5}, 'source is 5: it must be one of android_http, android_udp'),
    ({'android_udp': {'devices': 'ann'}}, "devices is 'ann': it must be a list"),
    ({'source': 'sonar'}, "source is 'sonar': it must be one of android_http"),
    ({'android_udp': {'prot': 3}}, "did you mean 'android_udp.port'"),
    ({'android_udp': {'port': 0}}, 'port is 0: it must be at least 1'),
    ({'queue': 0}, 'queue is 0')])
def test_settings_that_do_not_fit_are_refused(
    tmp_path: Path, settings: dict[str, object], error: str,
) -> None:
    with pytest.raises(SettingsError, match=error):
        read_driver_config(area(tmp_path, **{'__/ftm': settings}), 'ftm')


def test_a_camera_without_detector_is_refused_as_by_its_node(tmp_path: Path) -> None:
    settings = {'source': 'opencv', 'detection': {'detector': 'source'}}
    make = read_driver_config(area(tmp_path, **{'__/camera': settings}), 'camera').make
    with pytest.raises(SettingsError, match='opencv detects no people'):
        make()


def test_example_file_sets_every_kind() -> None:
    example = read_area_plan(CHECKOUT / 'config' / 'area.yaml')
    for kind, module in SOURCE_KINDS.items():
        assert read_driver_config(example, kind).name == module.DEFAULT
