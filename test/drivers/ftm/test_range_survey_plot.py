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

"""Figure of a range survey."""

from pathlib import Path

import numpy as np

from utt_ros.drivers.ftm.range_survey_plot import draw_range_survey
from utt_ros.geometry.range_survey import RangeSurvey


def test_figure_has_a_panel_per_access_point(tmp_path: Path) -> None:
    pair, count = np.zeros(2), np.full(2, 20)
    survey = RangeSurvey(
        ('aa:01', 'aa:02'), np.zeros((2, 3)), pair, pair, pair, ('anna',), pair[:1], pair[:1],
        pair, np.eye(2), count, count, pair, np.arange(40) % 2, np.linspace(1, 20, 40),
        np.linspace(-1, 3, 40), np.linspace(-1, 3, 40))
    draw_range_survey(tmp_path / 'ranges.png', survey)
    assert (tmp_path / 'ranges.png').read_bytes().startswith(b'\x89PNG')
