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

"""Registries of extension points."""

import subprocess
import sys
from pathlib import Path

import pytest

from utt_ros.errors import ModelError, SettingsError
from utt_ros.plugins import Registry

GROUP = 'utt_ros.test_colours'


def colours(**builtin: int) -> Registry[int]:
    return Registry('colour', GROUP, builtin)


@pytest.fixture
def installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder on the path with a package that offers three entry points."""
    (tmp_path / 'paint.py').write_text('green, red = 3, 4\n')
    info = tmp_path / 'paint-1.0.dist-info'
    info.mkdir()
    (info / 'METADATA').write_text('Metadata-Version: 2.1\nName: paint\nVersion: 1.0\n')
    (info / 'entry_points.txt').write_text(
        f'[{GROUP}]\ngreen = paint:green\nred = paint:red\nbroken = paint:missing\n')
    monkeypatch.syspath_prepend(tmp_path)
    return tmp_path


def test_a_registered_value_is_found_beside_built_in_ones() -> None:
    registry = colours(red=1)
    registry.register('blue', 2)
    assert (registry['red'], registry['blue']) == (1, 2)
    assert registry.names() == ['red', 'blue']
    assert 'blue' in registry
    assert 'green' not in registry


def test_the_same_value_can_be_registered_twice_and_another_one_cannot() -> None:
    registry = colours(red=1)
    registry.register('red', 1)
    with pytest.raises(SettingsError, match="colour 'red' is registered already"):
        registry.register('red', 2)
    assert registry['red'] == 1


def test_an_empty_name_cannot_be_registered() -> None:
    with pytest.raises(SettingsError, match="name of a colour is '': it must be a text"):
        colours().register('', 1)


def test_an_extended_copy_has_registered_values_and_leaves_its_origin_as_it_was(
    installed: Path,
) -> None:
    registry = colours(red=1)
    registry.register('blue', 2)
    extended = registry.extended({'grey': 5})
    assert [extended[name] for name in ('red', 'blue', 'grey', 'green')] == [1, 2, 5, 3]
    assert 'grey' not in registry
    with pytest.raises(SettingsError, match="colour 'blue' is registered already"):
        registry.extended({'blue': 6})
    del sys.modules['paint']


def test_an_unknown_name_is_refused_with_all_known_names(installed: Path) -> None:
    with pytest.raises(SettingsError, match=r"colour is 'pink': it must be one of .*green, red"):
        colours(red=1)['pink']


def test_errors_are_of_the_type_that_the_registry_was_given() -> None:
    with pytest.raises(ModelError, match='must be one of blue'):
        Registry('colour', GROUP, {'blue': 1}, ModelError)['pink']


def test_an_entry_point_is_imported_when_its_name_is_first_used(installed: Path) -> None:
    registry = colours(red=1)
    assert registry.names() == ['red', 'broken', 'green']
    assert 'paint' not in sys.modules
    assert registry['green'] == 3
    assert registry['red'] == 1, 'a built-in name precedes an entry point'
    del sys.modules['paint']


def test_an_entry_point_that_cannot_be_imported_is_refused_with_its_reference(
    installed: Path,
) -> None:
    with pytest.raises(SettingsError, match=r"'broken' cannot be imported from paint:missing"):
        colours()['broken']
    sys.modules.pop('paint', None)


def test_two_packages_that_offer_one_name_are_both_named(installed: Path) -> None:
    info = installed / 'dye-1.0.dist-info'
    info.mkdir()
    (info / 'METADATA').write_text('Metadata-Version: 2.1\nName: dye\nVersion: 1.0\n')
    (info / 'entry_points.txt').write_text(f'[{GROUP}]\ngreen = dye:green\n')
    with pytest.raises(SettingsError, match=r'more than once, by dye:green, paint:green'):
        colours()['green']


def test_another_process_finds_entry_points(installed: Path) -> None:
    code = ('from utt_ros.plugins import Registry; '
            f"print(Registry('colour', '{GROUP}', {{}})['red'])")
    found = subprocess.run(
        [sys.executable, '-c', code], capture_output=True, text=True, check=True,
        env={'PYTHONPATH': f'{installed}:{Path(__file__).parents[1]}'})
    assert found.stdout == '4\n'
