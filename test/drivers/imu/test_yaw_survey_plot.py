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

"""Figure of a yaw survey."""

from pathlib import Path

import numpy as np

from utt_ros.drivers.imu.yaw_survey_plot import draw_yaw_survey
from utt_ros.geometry.yaw_survey import HeadingSamples, YawFit


def test_figure_is_drawn(tmp_path: Path) -> None:
    samples = HeadingSamples(
        np.array([0, 0, 1]), np.array([[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]]), np.zeros(3),
        np.full(3, 0.5), ('anna', 'ben'))
    fit = YawFit(0.5, 0.02, 0.04, 0.1, np.zeros(2), samples, np.array([0.0, 0.1, -0.1]))
    draw_yaw_survey(tmp_path / 'yaw.png', fit)
    assert (tmp_path / 'yaw.png').read_bytes().startswith(b'\x89PNG')
