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

"""The page: what a scene holds is on it, and is changed rather than piled up."""

import urllib.request
from types import SimpleNamespace

import pytest

from utt_ros.errors import SettingsError

pytest.importorskip('viser', reason='viser is not installed')
from utt_ros.view.browser_window import BrowserWindow
from utt_ros.view.recorded_scene import RecordedScene
from utt_ros.view.scene_source import Playback
from utt_ros.view.view_choices import NOBODY
from utt_ros.view.view_session import ViewSession


@pytest.fixture
def page(evening):
    """Serve a bag to nobody, as if somebody looked."""
    with RecordedScene(evening) as recorded:
        window = BrowserWindow('127.0.0.1', 0, recorded.playback)
        window.is_watched = lambda: True
        yield SimpleNamespace(window=window, session=ViewSession(recorded, window),
                              playback=recorded.playback)
        window.close()


def nodes(window):
    return set(window._server.scene._handle_from_node_name)


def test_layers_of_the_scene_are_the_same_nodes_while_people_walk(page, steps):
    page.session.update(next(steps))
    for _ in range(12):
        page.session.update(next(steps))
    before = nodes(page.window)
    assert {'/dots/bodies', '/lines/trails', '/lines/futures', '/lines/ellipses', '/lines/views',
            '/lines/access_points', '/floor'} <= before
    for _ in range(10):
        page.session.update(next(steps))
    assert nodes(page.window) == before


def test_page_is_served_on_this_machine_alone_by_default(page):
    assert page.window.address.startswith('http://127.0.0.1:')
    with urllib.request.urlopen(page.window.address, timeout=10.0) as answer:
        assert b'<html' in answer.read()


def test_nothing_publishes_the_page_elsewhere(page):
    assert page.window._server.request_share_url() is None


def test_signals_are_plotted_of_the_chosen_person(page, steps):
    page.session.update(next(steps))
    page.window.choices.person, page.window.choices.signals = 'ann', True
    for _ in range(15):
        page.session.update(next(steps))
        page.window._panels_s = 0.0
    history = page.session.scene.signals.history
    assert set(history.measured) == {'camera', 'ftm', 'imu'}
    assert set(history.synthesized) == {'ftm', 'imu'}
    assert '/lines/ranges' in nodes(page.window)
    page.window.choices.person = NOBODY


def test_time_of_the_bag_follows_the_controls(page, steps):
    page.session.update(next(steps))
    time = page.window._controls._time
    time._on_play(None)
    assert not page.playback.playing
    time._slider.value = 9.0
    time._on_slider(SimpleNamespace(client=object()))
    page.session.update(next(steps))
    assert page.playback.at_s == pytest.approx(9.0)
    time._speed.value = '4'
    time._on_speed(None)
    assert page.playback.speed == 4.0


def test_addresses_of_other_machines_are_refused():
    with pytest.raises(SettingsError, match=r"no page can be served at '192\.0\.2\.1'"):
        BrowserWindow('192.0.2.1', 0, None)


@pytest.mark.parametrize('port', [-1, 70000])
def test_impossible_ports_are_refused(port):
    with pytest.raises(SettingsError, match=r'must be 0\.\.65535'):
        BrowserWindow('127.0.0.1', port, Playback(1.0))
