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

"""Plots of a browser window, by the uPlot of viser."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from utt_ros.types import CHANNELS, Array
from utt_ros.view.federation_history import FederationHistory
from utt_ros.view.person_signals import PersonSignals
from utt_ros.view.signal_history import PLOT_POINTS, PLOT_SPAN_S

MEASURED_COLOR, SYNTHESIZED_COLOR = '#e67814', '#1e78dc'
MARGIN = 0.05  # of the range of values, above and below
MIN_FILL = 0.4  # of the axis that values fill, or it is set anew
AREA_COLORS = ('#1e78dc', '#e67814', '#14703c', '#c81e6e', '#7050b0', '#808080')
ASPECT = 2.2


class ValueAxis:
    """Axis of the values of a plot.

    uPlot finds no range where a line has NaN. A new range makes the plot anew, so one is kept
    while the values lie in it and fill enough of it.
    """

    def __init__(self) -> None:
        self._low, self._high = 0.0, 1.0

    def fit(self, lines: Sequence[Array]) -> bool:
        """Fit the axis to the finite values of lines; return whether it has changed."""
        values = np.concatenate(lines)
        values = values[np.isfinite(values)]
        if not len(values):
            return False
        low, high = float(values.min()), float(values.max())
        length = self._high - self._low
        if self._low <= low and high <= self._high and high - low >= MIN_FILL * length:
            return False
        margin = MARGIN * (high - low) or MARGIN * max(abs(low), 1.0)
        before, (self._low, self._high) = (self._low, self._high), (low - margin, high + margin)
        return before != (self._low, self._high)

    def scales(self) -> dict[str, Any]:
        """Scales of a plot with this axis."""
        return {'x': {'time': False, 'auto': True},
                'y': {'auto': False, 'range': (self._low, self._high)}}


class SignalPlot:
    """One channel of a modality over the last seconds: measured and synthesized."""

    def __init__(self, gui: Any, modality: str) -> None:
        self._modality, self.channel = modality, 0
        self._title = ''
        self._axis = ValueAxis()
        seconds = np.linspace(-PLOT_SPAN_S, 0.0, PLOT_POINTS)
        empty = np.full(PLOT_POINTS, np.nan)
        self._plot = gui.add_uplot(
            data=(seconds, empty, empty),
            series=({'label': 's'}, _line('measured', MEASURED_COLOR),
                    _line('synthesized', SYNTHESIZED_COLOR)),
            scales=self._axis.scales(),
            legend={'show': True}, title=modality, aspect=ASPECT, visible=False)

    def set_visible(self, visible: bool) -> None:
        """Show or hide the plot."""
        self._plot.visible = visible

    def show(self, signals: PersonSignals) -> None:
        """Show the newest values."""
        data = signals.history.lines(self._modality, self.channel)
        if self._axis.fit(data[1:]):
            self._plot.scales = self._axis.scales()
        self._plot.data = data
        by = signals.twins.get(self._modality, '')
        title = f'{CHANNELS[self._modality][self.channel]}{" by " if by else ""}{by}'
        if title != self._title:
            self._title = self._plot.title = title


class NmsePlot:
    """Mean NMSE_var by round, a line for each area; made anew when an area comes."""

    def __init__(self, gui: Any) -> None:
        self._gui = gui
        self._folder = gui.add_folder('NMSE_var by round', expand_by_default=True, visible=False)
        self._plot: Any = None
        self._axis = ValueAxis()
        self._areas: tuple[str, ...] = ()
        self._count = 0

    def show(self, history: FederationHistory) -> None:
        """Show the lines when there are new points."""
        rounds, by_area = history.nmse_table()
        count = sum(int(np.isfinite(line).sum()) for line in by_area.values())
        if not count or (count == self._count and self._areas == tuple(by_area)):
            return
        self._count = count
        data = (rounds, *by_area.values())
        is_refitted = self._axis.fit(data[1:])
        if self._plot is not None and self._areas == tuple(by_area):
            if is_refitted:
                self._plot.scales = self._axis.scales()
            self._plot.data = data
            return
        if self._plot is not None:
            self._plot.remove()
        self._areas = tuple(by_area)
        self._folder.visible = True
        with self._folder:
            self._plot = self._gui.add_uplot(
                data=data, series=({'label': 'round'}, *(
                    _line(area, AREA_COLORS[number % len(AREA_COLORS)])
                    for number, area in enumerate(self._areas))),
                scales=self._axis.scales(), legend={'show': True}, aspect=ASPECT)


def _line(label: str, color: str) -> dict[str, Any]:
    return {'label': label, 'stroke': color, 'width': 1.5, 'spanGaps': True}
