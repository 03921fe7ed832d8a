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

"""Controls and panels of a browser window, by viser."""

from collections.abc import Sequence
from typing import Any

from utt_ros.types import CHANNELS, MODALITIES
from utt_ros.view.panel_text import areas_html, federation_html, people_html, twins_html
from utt_ros.view.scene import Scene, ScenePerson
from utt_ros.view.scene_source import Playback
from utt_ros.view.signal_plots import NmsePlot, SignalPlot
from utt_ros.view.view_choices import NO_CAMERA, NOBODY, ViewChoices

SPEEDS = ('0.25', '0.5', '1', '2', '4', '8', '16')
TIME_STEP_S = 0.1


class TimeControls:
    """Slider, pause and speed of a bag. The viewer's hand on the slider is a jump."""

    def __init__(self, gui: Any, playback: Playback) -> None:
        self._playback = playback
        self._shown_s = 0.0
        with gui.add_folder('Time', expand_by_default=True):
            self._slider = gui.add_slider(
                'seconds', min=0.0, max=max(playback.length_s, TIME_STEP_S), step=TIME_STEP_S,
                initial_value=0.0)
            self._play = gui.add_button('Pause')
            self._speed = gui.add_dropdown('speed', SPEEDS, initial_value='1')
        self._slider.on_update(self._on_slider)
        self._play.on_click(self._on_play)
        self._speed.on_update(self._on_speed)

    def show(self) -> None:
        """Show the time of the bag."""
        at_s = round(self._playback.at_s / TIME_STEP_S) * TIME_STEP_S
        if self._playback.seek_s is None and at_s != self._shown_s:
            self._shown_s = at_s
            self._slider.value = at_s
        label = 'Pause' if self._playback.playing else 'Play'
        if self._play.label != label:
            self._play.label = label

    def _on_slider(self, event: Any) -> None:
        if event.client is not None:  # else it is this program that has moved it
            self._playback.seek_s = float(self._slider.value)

    def _on_play(self, _: Any) -> None:
        playback = self._playback
        if not playback.playing and playback.at_s >= playback.length_s:
            playback.seek_s = 0.0
        playback.playing = not playback.playing

    def _on_speed(self, _: Any) -> None:
        self._playback.speed = float(self._speed.value)


class BrowserControls:
    """Panels of a scene: people, signals, camera, federation, task twins."""

    def __init__(self, gui: Any, playback: Playback | None, choices: ViewChoices) -> None:
        self._gui, self._choices = gui, choices
        self._texts: dict[str, tuple[Any, str]] = {}
        self._plots: dict[str, SignalPlot] = {}
        self._time = TimeControls(gui, playback) if playback is not None else None
        tabs = gui.add_tab_group()
        with tabs.add_tab('People'):
            self._add_text('areas')
            self._add_text('people')
        with tabs.add_tab('Signals'):
            self._add_signals()
        self._camera_tab = tabs.add_tab('Camera')
        with self._camera_tab:
            self._camera = gui.add_dropdown('camera', (NO_CAMERA,), initial_value=NO_CAMERA)
            self._camera.on_update(self._on_camera)
            self._picture: Any = None
        with tabs.add_tab('Rounds'):
            self._add_text('federation')
            self._nmse = NmsePlot(gui)
        with tabs.add_tab('Twins'):
            self._add_text('twins')

    def show_time(self) -> None:
        """Show the time of a bag."""
        if self._time is not None:
            self._time.show()

    def show(self, scene: Scene, people: Sequence[ScenePerson]) -> None:
        """Show texts, plots and the picture."""
        self._show_options(self._person, [NOBODY, *dict.fromkeys(item.title for item in people)])
        self._show_options(self._camera, [NO_CAMERA, *sorted(scene.areas)])
        self._show_text('areas', areas_html(scene))
        self._show_text('people', people_html(people))
        self._show_text('federation', federation_html(scene.federation))
        self._show_text('twins', twins_html(scene.federation))
        self._nmse.show(scene.federation)
        if self._choices.signals:
            for plot in self._plots.values():
                plot.show(scene.signals)
        self._show_picture(scene)

    def _add_signals(self) -> None:
        gui = self._gui
        self._person = gui.add_dropdown('person', (NOBODY,), initial_value=NOBODY)
        switch = gui.add_checkbox('measured and synthesized', initial_value=False)
        for modality in MODALITIES:
            names = CHANNELS[modality]
            channel = gui.add_dropdown(
                modality, names, initial_value=names[self._choices.channels[modality]])
            self._plots[modality] = SignalPlot(gui, modality)
            channel.on_update(
                lambda event, modality=modality: self._on_channel(modality, event.target.value))
            self._on_channel(modality, channel.value)
        self._person.on_update(self._on_person)
        switch.on_update(lambda event: self._switch_signals(bool(event.target.value)))

    def _switch_signals(self, shown: bool) -> None:
        self._choices.signals = shown
        for plot in self._plots.values():
            plot.set_visible(shown)

    def _on_person(self, event: Any) -> None:
        self._choices.person = event.target.value

    def _on_camera(self, event: Any) -> None:
        self._choices.camera = event.target.value

    def _on_channel(self, modality: str, name: str) -> None:
        self._choices.choose_channel(modality, name)
        self._plots[modality].channel = self._choices.channels[modality]

    def _add_text(self, name: str) -> None:
        self._texts[name] = self._gui.add_html(''), ''

    def _show_text(self, name: str, text: str) -> None:
        handle, shown = self._texts[name]
        if text != shown:
            handle.content = text
            self._texts[name] = handle, text

    def _show_options(self, dropdown: Any, names: Sequence[str]) -> None:
        """Change the names to choose from; what is chosen stays among them."""
        names = tuple(dict.fromkeys((*names, dropdown.value)))
        if tuple(dropdown.options) != names:
            dropdown.options = names

    def _show_picture(self, scene: Scene) -> None:
        picture = scene.picture.draw()
        if picture is None:
            if self._picture is not None:
                self._picture.visible = False
        elif self._picture is None:
            with self._camera_tab:
                self._picture = self._gui.add_image(picture, label='camera', format='jpeg')
        else:
            self._picture.image, self._picture.visible = picture, True
