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

"""Figure of a camera survey: what was seen and what the fitted pose expects, and residuals."""

from pathlib import Path

import matplotlib as mpl
import numpy as np
from matplotlib.figure import Figure

from utt_ros.geometry.camera_survey import CameraFit

SEEN_COLOR, POSE_COLOR = '#0072b2', '#d55e00'


def draw_camera_survey(path: Path, fit: CameraFit, *, walkers: bool) -> None:
    """Draw heads over feet of walkers, or floor points in the image. Raises OSError."""
    with mpl.rc_context({'font.size': 9, 'axes.spines.top': False, 'axes.spines.right': False}):
        figure = Figure(figsize=(9.5, 4.2), layout='constrained')
        seen, residual = figure.subplots(1, 2)
        style = {'color': SEEN_COLOR, 'ms': 3 if walkers else 7, 'alpha': 0.3 if walkers else 0.9}
        seen.plot(*fit.measured.T, '.', **style, label='measured')
        order = np.argsort(fit.fitted[:, 0])
        seen.plot(*fit.fitted[order].T, '.' if walkers else 'x', color=POSE_COLOR,
                  ms=2 if walkers else 7, label='fitted pose')
        seen.invert_yaxis()
        names = ('row of the feet', 'row of the head') if walkers else ('column', 'row')
        seen.set_xlabel(f'{names[0]}, without roll [px]' if walkers else f'{names[0]} [px]')
        seen.set_ylabel(f'{names[1]}, without roll [px]' if walkers else f'{names[1]} [px]')
        seen.set_title(f'height {fit.height_m:.2f} ± {fit.height_error_m:.2f} m, '
                       f'pitch {fit.pitch_rad:.4f} ± {fit.pitch_error_rad:.4f} rad', fontsize=9)
        seen.legend(frameon=False)
        deviation = fit.measured - fit.fitted
        for column in range(1 if walkers else 0, 2):
            residual.plot(fit.distances_m, deviation[:, column], '.x'[1 - column], **style)
        residual.axhline(0.0, color=POSE_COLOR)
        limit = max(4.0, 5 * fit.residual_px)
        residual.set_ylim(-limit, limit)
        residual.set_xlabel('distance ahead [m]')
        residual.set_ylabel('residual [px]')
        figure.savefig(path, dpi=110)
