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

"""Window of a view in any browser, by viser: a web server on this machine.

viser is a kept library that needs no account, no desktop and no files from elsewhere: its page is
part of its wheel. Its button that publishes a view at a server of strangers is taken away.
"""

import socket
from collections.abc import Sequence
from time import monotonic
from typing import Any

import numpy as np
import rich
import viser

from utt_ros.errors import SettingsError
from utt_ros.types import Array
from utt_ros.view.browser_controls import BrowserControls
from utt_ros.view.browser_page import light_page
from utt_ros.view.browser_scene import BrowserScene
from utt_ros.view.scene import Scene, ScenePerson
from utt_ros.view.scene_drawing import (
    draw_areas,
    draw_people,
    drawn_bounds,
    nearest_people,
    range_rings,
)
from utt_ros.view.scene_source import Playback
from utt_ros.view.view_choices import NOBODY, ViewChoices

PANEL_SEC = 0.25  # between updates of texts and plots
MAX_PORT = 65535


class BrowserWindow:
    """Page with the scene and its panels. All browsers see the same choices."""

    def __init__(self, host: str, port: int, playback: Playback | None) -> None:
        """`port`: 0 or one that is taken leads to a free one. Raises SettingsError."""
        if not 0 <= port <= MAX_PORT:
            raise SettingsError(f'port is {port}: it must be 0..{MAX_PORT}')
        self.choices = ViewChoices()
        _check_host(host)
        rich.reconfigure(quiet=True)  # viser prints a banner otherwise
        with light_page():
            self._server: Any = viser.ViserServer(host=host, port=port, label='utt', verbose=False)
        self.host = host
        self._keep_private()
        self._server.scene.configure_default_lights(enabled=False)  # nothing drawn is lit
        self._server.scene.configure_environment_map(None)
        self._scene = BrowserScene(self._server.scene)
        self._controls = BrowserControls(self._server.gui, playback, self.choices)
        self._version = -1
        self._panels_s = 0.0
        self._center: Array = np.zeros(2)
        self._size: Array = np.full(2, 20.0)
        self._server.on_client_connect(self._look_at_all)

    @property
    def address(self) -> str:
        """Return the address of the page."""
        name = '127.0.0.1' if self.host in ('', '0.0.0.0') else self.host  # noqa: S104
        return f'http://{name}:{self._server.get_port()}'

    def is_watched(self) -> bool:
        """Return whether a browser shows the page."""
        return bool(self._server.get_clients())

    def show(self, scene: Scene, people: Sequence[ScenePerson]) -> None:
        """Show the newest state: the scene always, panels less often."""
        with self._server.atomic():
            if scene.version != self._version:
                self._version = scene.version
                self._show_fixed(scene, people)
            chosen = '' if self.choices.person == NOBODY else self.choices.person
            named = nearest_people(people, self._looked_at(), chosen)
            self._scene.show(draw_people(scene, people, chosen, named), 'people')
            self._scene.show_lines('ranges', range_rings(
                scene, scene.signals.root, scene.signals.newest_ranges()))
            self._controls.show_time()
        if monotonic() - self._panels_s >= PANEL_SEC:
            self._panels_s = monotonic()
            self._controls.show(scene, people)

    def close(self) -> None:
        """Stop the server."""
        self._server.stop()

    def _show_fixed(self, scene: Scene, people: Sequence[ScenePerson]) -> None:
        low, high = drawn_bounds(scene, people)
        self._center, self._size = (low + high) / 2, high - low
        self._scene.show(draw_areas(scene), 'areas')
        if scene.floor is not None:
            self._scene.show_floor(scene.floor)
        for client in self._server.get_clients().values():
            self._look_at_all(client)

    def _looked_at(self) -> Array:
        """Return the place (2,) [m] on which the camera of a browser is turned."""
        clients = list(self._server.get_clients().values())
        return np.array(clients[0].camera.look_at)[:2] if clients else self._center

    def _look_at_all(self, client: Any) -> None:
        """Turn the camera of a browser to all that is drawn, from above and behind."""
        (x, y), (length, width) = self._center.tolist(), self._size.tolist()
        back = 0.35 * max(length, width)
        client.camera.up_direction = (0.0, 0.0, 1.0)
        client.camera.position = (
            (x, y - back, 0.7 * length) if length > width else (x - back, y, 0.7 * width))
        client.camera.look_at = (x, y, 0.0)

    def _keep_private(self) -> None:
        def refuse(*_: Any, **__: Any) -> None:
            """Refuse to publish the page elsewhere."""

        self._server.request_share_url = refuse
        self._server.gui.configure_theme(
            control_width='medium', dark_mode=False, show_logo=False, show_share_button=False)


def _check_host(host: str) -> None:
    """Raise SettingsError for an address that is none of this machine: viser would try on."""
    family = socket.AF_INET6 if ':' in host else socket.AF_INET
    try:
        socket.create_server((host, 0), family=family).close()
    except OSError as err:
        raise SettingsError(f'no page can be served at {host!r:.80}: {err}') from err
