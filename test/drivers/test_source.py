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

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from utt_ros.drivers import camera, ftm, imu
from utt_ros.drivers.source import Source
from utt_ros.errors import SettingsError

METADATA = 'Metadata-Version: 2.1\nName: sonar\nVersion: 1.0\n'
MODULE = """
from utt_ros.drivers.imu.iio import IioSettings, IioSource
from utt_ros.drivers.source import SourceEntry

ENTRY = SourceEntry('sonar', IioSettings, lambda settings, _area: IioSource(settings), lambda: '')
"""


class Recorded(Source[int]):
    def __init__(self) -> None:
        super().__init__()
        self.calls: list[str] = []

    def open(self) -> None:
        self.calls.append('open')

    def read(self, timeout_s: float) -> Sequence[int]:
        raise NotImplementedError

    def close(self) -> None:
        self.calls.append('close')


def test_a_source_is_closed_when_its_context_ends_by_an_error() -> None:
    source = Recorded()
    with pytest.raises(KeyError), source:
        raise KeyError
    assert source.calls == ['open', 'close']
    assert (source.address, source.status()) == ('', {})


@pytest.mark.parametrize('kind', [camera, ftm, imu])
def test_a_source_of_another_package_is_found_by_its_entry_point(
    kind: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
) -> None:
    folder = tmp_path / 'sonar-1.0.dist-info'
    folder.mkdir()
    (folder / 'METADATA').write_text(METADATA)
    (folder / 'entry_points.txt').write_text(
        f'[{kind.SOURCES.group}]\nsonar = sonar_source:ENTRY\n')
    (tmp_path / 'sonar_source.py').write_text(MODULE)
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setattr(kind.SOURCES, '_values', dict(kind.SOURCES._values))
    assert 'sonar' in kind.SOURCES.names()
    assert kind.SOURCES['sonar'].title == 'sonar'


@pytest.mark.parametrize('kind', [camera, ftm, imu])
def test_an_unknown_source_is_refused_with_the_known_ones(kind: Any) -> None:
    with pytest.raises(SettingsError, match=f"source is 'sonar': .* {kind.DEFAULT}"):
        kind.SOURCES['sonar']
