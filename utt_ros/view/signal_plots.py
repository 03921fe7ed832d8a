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

from typing import Any

import numpy as np

from utt_ros.types import CHANNELS
from utt_ros.view.federation_history import FederationHistory
from utt_ros.view.person_signals import PersonSignals
from utt_ros.view.signal_history import PLOT_POINTS, PLOT_SPAN_S

MEASURED_COLOR, SYNTHESIZED_COLOR = '#e67814', '#1e78dc'
AREA_COLORS = ('#1e78dc', '#e67814', '#14703c', '#c81e6e', '#7050b0', '#808080')
ASPECT = 2.2


class SignalPlot:
    """One channel of a modality over the last seconds: measured and synthesized."""

    def __init__(self, gui: Any, modality: str) -> None:
        self._modality, self.channel = modality, 0
        self._title = ''
        seconds = np.linspace(-PLOT_SPAN_S, 0.0, PLOT_POINTS)
        empty = np.full(PLOT_POINTS, np.nan)
        self._plot = gui.add_uplot(
            data=(seconds, empty, empty),
            series=({'label': 's'}, _line('measured', MEASURED_COLOR),
                    _line('synthesized', SYNTHESIZED_COLOR)),
            scales={'x': {'time': False, 'auto': True}, 'y': {'auto': True}},
            legend={'show': True}, title=modality, aspect=ASPECT, visible=False)

    def set_visible(self, visible: bool) -> None:
        """Show or hide the plot."""
        self._plot.visible = visible

    def show(self, signals: PersonSignals) -> None:
        """Show the newest values."""
        self._plot.data = signals.history.lines(self._modality, self.channel)
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
        if self._plot is not None and self._areas == tuple(by_area):
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
                scales={'x': {'time': False, 'auto': True}, 'y': {'auto': True}},
                legend={'show': True}, aspect=ASPECT)


def _line(label: str, color: str) -> dict[str, Any]:
    return {'label': label, 'stroke': color, 'width': 1.5, 'spanGaps': True}
