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

"""Figure of a yaw survey: deviations of compasses over the course, and over the room."""

from pathlib import Path

import matplotlib as mpl
import numpy as np
from matplotlib.figure import Figure

from utt_ros.geometry.yaw_survey import YawFit

MAX_SHOWN_DEG = 45.0


def draw_yaw_survey(path: Path, fit: YawFit) -> None:
    """Draw a point per sample. Raises OSError."""
    degrees = np.degrees(fit.deviations_rad)
    with mpl.rc_context({'font.size': 9, 'axes.spines.top': False, 'axes.spines.right': False}):
        figure = Figure(figsize=(9.5, 4.2), layout='constrained')
        over_course, over_room = figure.subplots(1, 2)
        for number, name in enumerate(fit.samples.names):
            own = fit.samples.phones == number
            over_course.plot(np.degrees(fit.samples.courses_rad[own]), degrees[own], '.', ms=4,
                             alpha=0.5, label=name)
        over_course.axhline(0.0, color='#999999', lw=1)
        over_course.set_ylim(-MAX_SHOWN_DEG, MAX_SHOWN_DEG)
        over_course.set_xlabel('course [degrees from the x axis]')
        over_course.set_ylabel('compass less course less yaw [degrees]')
        over_course.set_title(
            f'yaw {fit.yaw_rad:.3f} ± {fit.error_rad:.3f} rad', fontsize=9)
        over_course.legend(frameon=False, fontsize=8)
        points = over_room.scatter(
            *fit.samples.positions_m.T, c=degrees, s=12, cmap='coolwarm', vmin=-MAX_SHOWN_DEG / 2,
            vmax=MAX_SHOWN_DEG / 2)
        over_room.set_aspect('equal')
        over_room.set_xlabel('x [m]')
        over_room.set_ylabel('y [m]')
        figure.colorbar(points, ax=over_room, label='deviation [degrees]')
        figure.savefig(path, dpi=110)
