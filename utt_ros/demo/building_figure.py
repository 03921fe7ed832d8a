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

"""Map of a building: floor plan, true walks, and people as the building published them, as PNG."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from utt_ros.building.floor_plan import FloorPlan
from utt_ros.demo.figure import TRUTH, VIEW_M
from utt_ros.evaluation.metrics.crossings import ListedPeople, area_changes
from utt_ros.settings import AreaSettings
from utt_ros.types import GroundTruth

COLORS = ('#0072b2', '#d55e00', '#009e73', '#cc79a7', '#56b4e9', '#e69f00')


def draw_building_map(
    path: Path, plan: FloorPlan, areas: Sequence[AreaSettings], truth: Mapping[str, GroundTruth],
    listed: ListedPeople,
) -> None:
    """Write a PNG of `map`, with y to the right; a ring is a change of somebody's area."""
    with mpl.rc_context({'font.size': 9, 'axes.spines.top': False, 'axes.spines.right': False}):
        figure = Figure(figsize=(13.0, 6.6), layout='constrained')
        axes = figure.subplots()
        _draw_plan(axes, plan)
        for area in areas:
            _draw_area(axes, area)
        for number, (subject, true) in enumerate(truth.items()):
            axes.plot(*true.positions_m.T[::-1], color=TRUTH, lw=1.0, zorder=3)
            rows = listed.subjects == subject
            x, y = listed.positions_m[rows].T
            axes.scatter(y, x, s=4, lw=0, zorder=4, color=COLORS[number % len(COLORS)],
                         label=subject)
        x, y = listed.positions_m[area_changes(listed)].T
        axes.scatter(y, x, s=60, facecolors='none', edgecolors='k', lw=0.8, zorder=5,
                     label='change of area')
        axes.plot([], [], color=TRUTH, lw=1.0, label='truth')
        left, right, low, high = axes.images[0].get_extent()
        axes.set(xlabel='y of map [m]', ylabel='x of map [m]', aspect='equal', xlim=(left, right),
                 ylim=(high, low))  # x downwards: else the building would be mirrored
        figure.legend(loc='outside lower center', ncols=8, frameon=False)
        figure.savefig(path, dpi=100)


def _draw_plan(axes: Axes, plan: FloorPlan) -> None:
    """Draw occupied cells dark; a simulated plan is not turned."""
    rows, columns = plan.cells.shape
    x, y, size = plan.origin.x, plan.origin.y, plan.resolution_m
    shade = np.choose(np.clip(plan.cells.T.astype(int), -1, 1) + 1, [0.9, 1.0, 0.35])
    axes.imshow(shade, cmap='gray', vmin=0.0, vmax=1.0, origin='lower', zorder=0,
                extent=(y, y + rows * size, x, x + columns * size))


def _draw_area(axes: Axes, area: AreaSettings) -> None:
    pose = area.pose_in_map
    if 'camera' in area.modalities:
        half = np.arctan(area.image_width / 2 / area.fx)
        side = VIEW_M * np.array([np.cos(half), np.sin(half)])
        view = pose.to_map(np.array([[0.0, 0.0], side, side * (1, -1)]))
        axes.fill(*view.T[::-1], color='#f0e442', alpha=0.2, lw=0, zorder=1)
    points = pose.to_map(np.array(area.ap_positions)[:, :2])
    axes.plot(*points.T[::-1], 'k^', ms=6, zorder=6)
    middle = pose.to_map(np.array([[6.5, 0.0]]))[0]
    count = f'{len(points)} access point' + 's' * (len(points) > 1)
    axes.annotate(f'{area.area} ({"+".join(area.modalities)}), {count}',
                  (middle[1], 15.6), ha='center', va='bottom', fontsize=8)
