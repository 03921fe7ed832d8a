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

"""Map of estimated and true positions, as PNG."""

from collections.abc import Mapping
from pathlib import Path

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from utt_ros.demo.position_scores import PositionScores
from utt_ros.evaluation.metrics import position
from utt_ros.settings import AreaSettings

SHOWN_AREAS = 6
SHOWN_SECONDS = 45.0
VIEW_M = 18.0
TRUTH, SEEN, UNSEEN = '#555555', '#0072b2', '#d55e00'


def draw_position_map(
    path: Path, areas: Mapping[str, tuple[AreaSettings, PositionScores]],
) -> None:
    """Write a PNG with a panel per area, at most SHOWN_AREAS: ground truth and twin positions."""
    shown = list(areas.items())[:SHOWN_AREAS]
    columns = min(3, len(shown))
    rows = -(-len(shown) // columns)
    with mpl.rc_context({'font.size': 9, 'axes.spines.top': False, 'axes.spines.right': False}):
        figure = Figure(figsize=(4.6 * columns, 4.4 * rows + 0.5), layout='constrained')
        panels = np.atleast_1d(figure.subplots(rows, columns, squeeze=False)).ravel()
        for panel, (name, (settings, scores)) in zip(panels, shown, strict=False):
            _panel(panel, name, settings, scores)
        for panel in panels[len(shown):]:
            panel.set_axis_off()
        handles, labels = panels[0].get_legend_handles_labels()
        figure.legend(
            handles, labels, loc='outside lower center', ncols=len(labels), frameon=False)
        figure.savefig(path, dpi=110)


def _panel(panel: Axes, name: str, settings: AreaSettings, scores: PositionScores) -> None:
    has_camera = 'camera' in settings.modalities
    panel.set_title(f'{name} ({"+".join(settings.modalities)})')
    panel.set_xlabel('x, the way the camera looks [m]')
    panel.set_ylabel('y, to its left [m]')
    panel.set_aspect('equal', adjustable='datalim')
    if has_camera:
        half = np.arctan(settings.image_width / 2 / settings.fx)
        x, y = VIEW_M * np.cos(half), VIEW_M * np.sin(half)
        panel.fill([0, x, x], [0, y, -y], color='#f0e442', alpha=0.25, lw=0, label='camera view')
    panel.plot(*np.array(settings.ap_positions)[:, :2].T, 'k^', ms=7, label='access point')
    scores = _first_seconds(scores)
    for subject in sorted(set(scores.subjects)):
        rows = np.flatnonzero(scores.subjects == subject)
        rows = rows[np.argsort(scores.stamps_ns[rows])]
        breaks = np.flatnonzero(np.diff(scores.stamps_ns[rows]) > 1_000_000_000) + 1
        panel.plot(*np.insert(scores.truth_m[rows], breaks, np.nan, axis=0).T, color=TRUTH, lw=1.2)
        panel.annotate(subject, scores.truth_m[rows[0]], fontsize=7, color=TRUTH)
    conditions = position.camera_conditions(scores.camera_age_s)
    for condition, color in (('camera', SEEN), ('no_camera', UNSEEN)):
        x, y = scores.positions_m[conditions[condition]].T
        panel.scatter(x, y, s=3, color=color, alpha=0.6, lw=0)
    panel.plot([], [], color=TRUTH, lw=1.2, label='truth')
    panel.plot([], [], 'o', ms=4, color=SEEN, label='twin, camera sees the person')
    panel.plot([], [], 'o', ms=4, color=UNSEEN, label='twin, no camera for > 0.5 s')


def _first_seconds(scores: PositionScores) -> PositionScores:
    """Scores of the first SHOWN_SECONDS: minutes of walking would cover the map."""
    if not len(scores.stamps_ns):
        return scores
    rows = scores.stamps_ns <= scores.stamps_ns.min() + int(SHOWN_SECONDS * 1e9)
    return PositionScores(*(getattr(scores, name)[rows] for name in PositionScores.__slots__))
