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

"""Figure of a range survey: excess of ranges over the distance, a panel per access point."""

from pathlib import Path

import matplotlib as mpl
import numpy as np
from matplotlib.figure import Figure

from utt_ros.geometry.range_survey import RangeSurvey

PANELS_PER_ROW = 4
MARGIN_M = 0.5
SHOWN_SHARE = 0.98  # of the excesses, within the axes


def draw_range_survey(path: Path, survey: RangeSurvey) -> None:
    """Draw a point per range, and the fit. Raises OSError."""
    count = len(survey.addresses)
    rows, columns = -(-count // PANELS_PER_ROW), min(count, PANELS_PER_ROW)
    span = np.quantile(survey.excess_m, [(1 - SHOWN_SHARE) / 2, (1 + SHOWN_SHARE) / 2])
    with mpl.rc_context({'font.size': 8, 'axes.spines.top': False, 'axes.spines.right': False}):
        figure = Figure(figsize=(3.2 * columns, 2.8 * rows), layout='constrained')
        panels = figure.subplots(rows, columns, sharex=True, sharey=True, squeeze=False)
        for number, panel in enumerate(panels.ravel()):
            if number >= count:
                panel.set_axis_off()
                continue
            own = survey.access_points == number
            panel.plot(survey.distances_m[own], survey.excess_m[own], '.', ms=2, alpha=0.4,
                       label='range less distance')
            panel.plot(survey.distances_m[own], survey.fitted_m[own], '.', ms=2, label='fit')
            panel.set_ylim(span[0] - MARGIN_M, span[1] + MARGIN_M)
            panel.set_title(f'{survey.addresses[number]}\n{survey.offsets_m[number]:+.2f} ± '
                            f'{survey.offset_errors_m[number]:.2f} m', fontsize=8)
        panels[0, 0].set_ylabel('range less distance [m]')
        panels[-1, 0].set_xlabel('distance [m]')
        panels[0, 0].legend(frameon=False, fontsize=7)
        figure.savefig(path, dpi=110)
