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

"""Bar charts and curves of the report, as PNG."""

import io
from collections.abc import Callable, Mapping, Sequence

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

COLORS = ('#0072b2', '#d55e00', '#009e73', '#cc79a7', '#e69f00', '#56b4e9', '#000000', '#999999',
          '#f0e442')
STYLE = {'font.size': 10, 'axes.spines.top': False, 'axes.spines.right': False}
Bars = Mapping[str, Sequence[tuple[float, float]]]  # series -> mean and deviation per group
Series = Mapping[str, Sequence[tuple[float, ...]]]
Curves = Mapping[str, Sequence[tuple[float, float, float]]]  # series -> mean, low, high per group


def draw_bars(panels: Mapping[str, tuple[Sequence[str], Bars]], ylabel: str) -> bytes:
    """Draw a PNG with a panel of grouped bars for each title."""
    return _draw(panels, ylabel, _draw_panel)


def draw_curves(panels: Mapping[str, tuple[Sequence[str], Curves]], ylabel: str) -> bytes:
    """Draw a PNG with a panel of lines through the groups, with intervals, for each title."""
    return _draw(panels, ylabel, _draw_lines)


def _draw(
    panels: Mapping[str, tuple[Sequence[str], Series]], ylabel: str,
    draw_panel: Callable[[Axes, Sequence[str], Series, Sequence[str]], None],
) -> bytes:
    count = max(len(panels), 1)
    columns = min(2, count)
    rows = -(-count // columns)
    with mpl.rc_context(STYLE):
        figure = Figure(figsize=(5.2 * columns, 3.4 * rows + 0.6), layout='constrained')
        axes = figure.subplots(rows, columns, squeeze=False).ravel()
        for panel in axes[len(panels):]:
            panel.set_axis_off()
        series = sorted({name for _, bars in panels.values() for name in bars}, key=_order)
        for panel, (title, (groups, bars)) in zip(axes, panels.items(), strict=False):
            draw_panel(panel, groups, bars, series)
            panel.set_title(title, fontsize=11)
            panel.set_ylabel(ylabel)
        handles = [mpl.patches.Patch(color=COLORS[number % len(COLORS)], label=name)
                   for number, name in enumerate(series)]
        figure.legend(handles=handles, loc='outside lower center', ncols=min(9, len(series) or 1),
                      frameon=False)
        buffer = io.BytesIO()
        figure.savefig(buffer, format='png', dpi=130)
    return buffer.getvalue()


def _draw_panel(
    axes: Axes, groups: Sequence[str], bars: Series, series: Sequence[str],
) -> None:
    width = 0.8 / max(len(series), 1)
    places = np.arange(len(groups))
    for number, name in enumerate(series):
        if name in bars:
            means, stds = np.array(bars[name], np.float64).reshape(-1, 2).T
            axes.bar(places + (number - (len(series) - 1) / 2) * width, means, width, yerr=stds,
                     color=COLORS[number % len(COLORS)], error_kw={'linewidth': 0.7})
    axes.set_xticks(places, groups)


def _draw_lines(
    axes: Axes, groups: Sequence[str], curves: Series, series: Sequence[str],
) -> None:
    places = np.arange(len(groups))
    for number, name in enumerate(series):
        if name in curves:
            means, low, high = np.array(curves[name], np.float64).reshape(-1, 3).T
            color = COLORS[number % len(COLORS)]
            axes.plot(places, means, 'o-', color=color, markersize=4)
            axes.fill_between(places, low, high, color=color, alpha=0.15, linewidth=0)
    axes.set_xticks(places, groups)
    axes.set_ylim(bottom=0.0)


def _order(name: str) -> tuple[int, str]:
    """Sort key that puts the methods of the paper first."""
    first = ('gating', 'gating_sum', 'utt', 'utt_past')
    return (first.index(name) if name in first else len(first)), name
