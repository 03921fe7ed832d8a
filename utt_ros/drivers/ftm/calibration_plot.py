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

"""Figure of an FTM calibration: ranges over distances, and residuals of the fit."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from utt_ros.drivers.ftm.ftm_calibration import (
    CalibrationPoint,
    FtmFit,
    distance_medians,
    points_of,
)

MAX_PANELS = 6
RANGE_COLOR, FIT_COLOR = '#0072b2', '#d55e00'


def draw_calibration(
    path: Path, fits: Mapping[tuple[str, str], FtmFit], points: Sequence[CalibrationPoint],
) -> None:
    """Draw a column per phone and access point, MAX_PANELS at most. Raises OSError."""
    shown = list(fits.items())[:MAX_PANELS]
    with mpl.rc_context({'font.size': 9, 'axes.spines.top': False, 'axes.spines.right': False}):
        figure = Figure(figsize=(3.6 * len(shown) + 1, 5.2), layout='constrained')
        panels = figure.subplots(
            2, len(shown), squeeze=False, sharex='col', height_ratios=(2, 1))
        for (pair, fit), (upper, lower) in zip(shown, panels.T, strict=True):
            _column(upper, lower, fit, points_of(pair, points))
        panels[0, 0].set_ylabel('range [m]')
        panels[1, 0].set_ylabel('residual [m]')
        panels[0, 0].legend(frameon=False)
        figure.savefig(path, dpi=110)


def _column(upper: Axes, lower: Axes, fit: FtmFit, points: Sequence[CalibrationPoint]) -> None:
    distance = np.array([point.distance_m for point in points])
    measured = np.array([point.range_m for point in points])
    ends = np.array([0.0, distance.max() * 1.05])
    upper.set_title(f'{fit.phone}  {fit.ap}\n{fit.offset:+.2f} ± {fit.offset_error:.2f} m, '
                    f'scale {fit.scale:.3f}', fontsize=9)
    upper.plot(ends, ends, color='#999999', lw=1, label='no error')
    upper.plot(ends, fit.offset + fit.scale * ends, color=FIT_COLOR, label='fit')
    upper.plot(distance, measured, '.', color=RANGE_COLOR, ms=3, alpha=0.3, label='ranges')
    centres, medians, _ = distance_medians(points)
    upper.plot(centres, medians, 'o', color=RANGE_COLOR, ms=5, label='median of a place')
    lower.axhline(0.0, color=FIT_COLOR)
    lower.plot(distance, measured - fit.offset - fit.scale * distance, '.', color=RANGE_COLOR,
               ms=3, alpha=0.3)
    lower.plot(centres, medians - fit.offset - fit.scale * centres, 'o', color=RANGE_COLOR, ms=5)
    lower.set_xlabel('distance [m]')
