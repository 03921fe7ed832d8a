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

"""Picture of a lineage: an SVG or PNG file that names every twin."""

from pathlib import Path

import matplotlib.image
import pytest

from utt_ros.errors import TwinError
from utt_ros.task_twins.lineage import trace_lineage
from utt_ros.task_twins.lineage_figure import draw_lineage
from utt_ros.task_twins.types import TaskTwin

NATIVE = TaskTwin('hall_tracking', 'hall', 'tracking', ('imu',))
CHILD = TaskTwin('hall_position_2', 'hall', 'position', ('imu',), operation='transfer',
                 parents=('hall_tracking', 'stairs_trajectory'))


def test_a_picture_names_every_twin_and_operation(tmp_path: Path) -> None:
    path = tmp_path / 'lineage.svg'
    draw_lineage(path, trace_lineage([NATIVE, CHILD]))
    text = path.read_text()
    for word in ('hall_tracking', 'hall_position_2', 'stairs_trajectory', 'unseen', 'transfer'):
        assert word in text


def test_the_suffix_decides_the_format(tmp_path: Path) -> None:
    path = tmp_path / 'lineage.png'
    draw_lineage(path, trace_lineage([]))
    assert matplotlib.image.imread(path).ndim == 3
    with pytest.raises(TwinError, match=r'lineage.pdf: a picture ends in .svg or .png'):
        draw_lineage(tmp_path / 'lineage.pdf', trace_lineage([]))
    with pytest.raises(TwinError, match='cannot be written'):
        draw_lineage(tmp_path / 'none/lineage.svg', trace_lineage([]))
