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

"""Scenes in a browser: layers of many segments are dotted, labels are used again."""

import numpy as np
import pytest

pytest.importorskip('viser', reason='viser is not installed')
import viser

from utt_ros.view.browser_scene import MAX_LINE_SEGMENTS, BrowserScene
from utt_ros.view.scene_drawing import Drawing, Label, Lines


@pytest.fixture
def server():
    """Serve an empty scene."""
    opened = viser.ViserServer('127.0.0.1', 0, verbose=False)
    yield opened
    opened.stop()


def drawing(segments, labels=()):
    points = np.arange(segments * 6, dtype=np.float32).reshape(-1, 2, 3)
    colors = np.full((segments, 2, 3), (10, 20, 30), np.uint8)
    return Drawing({'trails': Lines(points, colors)}, {}, tuple(
        Label(text, (float(len(text)), 0.0, 0.0)) for text in labels))


def handles(server, kind):
    return {name: handle for name, handle in server.scene._handle_from_node_name.items()
            if name.startswith(f'/{kind}/')}


def test_many_segments_are_dots_at_their_beginnings_and_few_are_lines_again(server):
    scene = BrowserScene(server.scene)
    scene.show(drawing(MAX_LINE_SEGMENTS), 'people')
    assert list(handles(server, 'lines')) == ['/lines/trails']
    assert not handles(server, 'dots')
    many = drawing(MAX_LINE_SEGMENTS + 1)
    scene.show(many, 'people')
    assert not handles(server, 'lines')
    dots = handles(server, 'dots')['/dots/trails']
    assert dots.points.tolist() == many.lines['trails'].points[:, 0].tolist()
    assert dots.colors.tolist() == many.lines['trails'].colors[:, 0].tolist()
    scene.show(drawing(3), 'people')
    assert not handles(server, 'dots')
    assert len(handles(server, 'lines')['/lines/trails'].points) == 3


def test_labels_are_those_of_the_newest_drawing_of_their_group(server):
    scene = BrowserScene(server.scene)
    scene.show(drawing(0, ['hall']), 'areas')
    for names in (['ann', 'bob', 'cy'], ['bob', 'eve'], ['eve', 'bob', 'dan']):
        scene.show(drawing(0, names), 'people')
        shown = [handle for handle in handles(server, 'labels').values()
                 if isinstance(handle, viser.LabelHandle)]
        assert sorted(label.text for label in shown) == sorted(['hall', *names])
        assert all(label.position[0] == len(label.text) for label in shown)
