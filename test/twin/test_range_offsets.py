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

"""Files of range offsets: what is written is read, and what is damaged is refused."""

from pathlib import Path

import numpy as np
import pytest

from utt_ros.access_point_list import AccessPoint
from utt_ros.errors import SettingsError
from utt_ros.settings import AreaSettings
from utt_ros.twin.range_offsets import (
    ApOffset,
    PhoneOffset,
    RangeOffsets,
    read_range_offsets,
    write_range_offsets,
)

OFFSETS = RangeOffsets(
    (ApOffset('AA:01', (0.0, 0.0, 2.5), -1.0, 0.15, 0.1, 0.01, -0.5),
     ApOffset('aa:02', (9.0, 1.0, 2.5), -1.4, 0.15, 0.2, 0.01, 0.0)),
    (PhoneOffset('anna', '', 0.3, 0.1), PhoneOffset('anna', 'aa:02', 0.5, 0.1)), 'digest')
AREA = AreaSettings(area='hall', access_points=(
    AccessPoint('aa:01', (0.0, 0.0, 2.5)), AccessPoint('aa:02', (9.0, 2.0, 2.5))))


def test_what_is_written_is_read(tmp_path: Path) -> None:
    write_range_offsets(tmp_path / 'offsets.yaml', OFFSETS)
    assert read_range_offsets(tmp_path / 'offsets.yaml') == OFFSETS


def test_offsets_belong_to_an_access_point_at_its_place_and_to_a_phone() -> None:
    first = OFFSETS.of_access_point(AREA, 0)
    assert first is OFFSETS.access_points[0]
    assert first.trend == pytest.approx([-1.0, 0.15])
    assert np.sqrt(np.diag(first.covariance)) == pytest.approx([0.1, 0.01])
    assert first.covariance[0, 1] == pytest.approx(-0.0005)
    assert OFFSETS.of_access_point(AREA, 1) is None, 'it was moved by a metre'
    assert OFFSETS.of_access_point(AreaSettings(area='hall'), 0) is first, 'without an address'
    assert OFFSETS.of_phone('anna', 'AA:01') is OFFSETS.phones[0]
    assert OFFSETS.of_phone('anna', 'aa:02') is OFFSETS.phones[1]
    assert OFFSETS.of_phone('ben', 'aa:02') is None


@pytest.mark.parametrize(('content', 'reason'), [
    ('[1]', 'lists "access_points"'), ('phones: 3', 'phones: a list of rows'),
    ('phones: [{phone: anna, what: 1}]', 'a list of rows with'),
    ('phones: [{phone: anna, error: .nan}]', 'error is nan'),
    ('access_points: [{position: [1.0]}]', 'position has 1 numbers'),
    ('access_points: [{offset: 1e9}]', 'offset'), ('source: [1]', 'source is'),
    ('{', 'not YAML'), (None, 'No such file')])
def test_damaged_file_is_refused_with_its_path_and_the_reason(
        content: str | None, reason: str, tmp_path: Path) -> None:
    path = tmp_path / 'offsets.yaml'
    if content is not None:
        path.write_text(content, encoding='utf-8')
    with pytest.raises(SettingsError, match=reason) as caught:
        read_range_offsets(path)
    assert str(caught.value).startswith(str(path))
