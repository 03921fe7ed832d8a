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

"""Picture of a lineage of task twins, from parents on the left to children on the right."""

from pathlib import Path

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from utt_ros.errors import TwinError
from utt_ros.task_twins.lineage import Lineage, twin_color, twin_label

COLUMN_INCH, ROW_INCH = 2.9, 0.95
PICTURE_SUFFIXES = ('.svg', '.png')


def draw_lineage(path: Path, lineage: Lineage) -> None:
    """Draw to an SVG or PNG file. Raises TwinError for another suffix or a failed write."""
    if path.suffix not in PICTURE_SUFFIXES:
        raise TwinError(f'{path}: a picture ends in {" or ".join(PICTURE_SUFFIXES)}')
    places = _places(lineage)
    columns = 1 + max((x for x, _ in places.values()), default=0)
    rows = 1 + max((y for _, y in places.values()), default=0)
    with mpl.rc_context({'font.size': 8, 'svg.hashsalt': 'utt_ros', 'svg.fonttype': 'none'}):
        figure = Figure(figsize=(COLUMN_INCH * columns, ROW_INCH * rows), layout='constrained')
        axes = figure.subplots()
        axes.set_axis_off()
        axes.set_xlim(-0.5, columns - 0.5)
        axes.set_ylim(rows - 0.5, -0.5)
        for name, (x, y) in places.items():
            box = {'boxstyle': 'round,pad=0.4', 'facecolor': twin_color(lineage, name)}
            axes.text(x, y, '\n'.join(twin_label(lineage, name)), ha='center', va='center',
                      bbox=box, zorder=3)
        _arrows(axes, lineage, places)
        try:
            figure.savefig(path, dpi=150)
        except OSError as err:
            raise TwinError(f'{path} cannot be written: {err}') from err


def _arrows(axes: Axes, lineage: Lineage, places: dict[str, tuple[int, float]]) -> None:
    for parent, children in lineage.children.items():
        for child in children:
            (x0, y0), (x1, y1) = places[parent], places[child]
            axes.annotate('', (x1 - 0.36, y1), (x0 + 0.36, y0), zorder=2,
                          arrowprops={'arrowstyle': '->', 'color': '#555555'})
            axes.text((x0 + x1) / 2, (y0 + y1) / 2, lineage.twins[child].operation, ha='center',
                      va='bottom', color='#555555', fontsize=7)


def _places(lineage: Lineage) -> dict[str, tuple[int, float]]:
    """Return columns by depth; within one, rows in the order of the mean row of the parents."""
    parents: dict[str, list[str]] = {}
    for parent, children in lineage.children.items():
        for child in children:
            parents.setdefault(child, []).append(parent)
    places: dict[str, tuple[int, float]] = {}
    for depth in range(1 + max(lineage.depths.values(), default=0)):
        names = sorted(
            (sum(rows) / len(rows) if rows else 0.0, name)
            for name, own in lineage.depths.items() if own == depth
            for rows in [[places[parent][1] for parent in parents.get(name, ())]])
        places |= {name: (depth, float(row)) for row, (_, name) in enumerate(names)}
    return places
