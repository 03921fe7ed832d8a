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

"""Figure of a camera survey."""

from pathlib import Path

import numpy as np
import pytest

from utt_ros.drivers.camera.camera_survey_plot import draw_camera_survey
from utt_ros.geometry.camera_survey import CameraFit


@pytest.mark.parametrize('walkers', [True, False])
def test_figure_is_drawn_for_walkers_and_for_points(tmp_path: Path, walkers: bool) -> None:
    measured = np.array([[500.0, 300.0], [400.0, 280.0], [350.0, 275.0]])
    fit = CameraFit(2.5, 0.2, 0.0, 0.05, 0.001, 0.001, 1.5, measured, measured + 1.0,
                    np.array([3.0, 6.0, 9.0]))
    draw_camera_survey(tmp_path / 'new.png', fit, walkers=walkers)
    assert (tmp_path / 'new.png').read_bytes().startswith(b'\x89PNG')
