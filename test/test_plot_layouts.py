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

"""Layouts of Foxglove and PlotJuggler name topics and fields that exist."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import pytest
from rosbags.interfaces import Nodetype

from utt_ros.sessions.message_types import typestore

ROOT = Path(__file__).resolve().parents[1]
FOXGLOVE = json.loads((ROOT / 'config/foxglove.json').read_text(encoding='utf-8'))
NUMBERS = {'bool', 'float32', 'float64', 'int8', 'int16', 'int32', 'int64', 'uint8', 'uint16',
           'uint32', 'uint64'}


def topics() -> dict[str, str]:
    """Return the types of the documented topics, of an area `area` with a person `walker0`."""
    table = (ROOT / 'docs/reference/topics.md').read_text(encoding='utf-8')
    found = {}
    for names, kind in re.findall(r'^\| (`\S.*?) \| `(\w+/\w+)`', table, re.MULTILINE):
        for name in re.findall(r'`([^`]+)`', names):
            name = re.sub(r'<(phone|subject)>', 'walker0', name)
            found[name if name.startswith('/') else f'/area/{name}'] = kind.replace('/', '/msg/')
    return found


def plotted() -> list[str]:
    """Return the paths of all curves, with the field's parts separated by dots."""
    foxglove = [path['value'] for panel in FOXGLOVE['configById'].values()
                for path in panel.get('paths', ())]
    curves = ET.parse(ROOT / 'config/plotjuggler.xml').iter('curve')
    juggled = [with_dots(curve.attrib['name']) for curve in curves]
    return [*foxglove, *juggled]


def with_dots(name: str) -> str:
    topic = max((each for each in topics() if name.startswith(f'{each}/')), key=len, default='')
    return f'{topic}.{name.removeprefix(f"{topic}/").replace("/", ".")}' if topic else name


def kind_of(path: str) -> str:
    """Return the type of a field such as /area/twin_status.position_std[:]."""
    topic, *parts = re.split(r'\.(?![^{]*})', path)
    kind = topics()[topic]
    for part in parts:
        name, index = re.fullmatch(r'(\w+)(\[\d+\]|\[:\](?:\{(?:\w+==\$\w+)\})?)?', part).groups()
        node, detail = dict(typestore().fielddefs[kind][1])[name]
        is_list = node in (Nodetype.ARRAY, Nodetype.SEQUENCE)
        assert is_list == bool(index), f'{path}: {name} is {"a" if is_list else "no"} list'
        node, detail = detail[0] if is_list else (node, detail)
        kind = detail if node == Nodetype.NAME else detail[0]
        for condition in re.findall(r'\{(\w+)==\$(\w+)\}', part):
            assert condition[0] in dict(typestore().fielddefs[kind][1])
            assert condition[1] in FOXGLOVE['globalVariables']
    return kind


def panels(layout: Any) -> Iterator[str]:
    if isinstance(layout, str):
        yield layout
    else:
        for side in ('first', 'second'):
            yield from panels(layout[side])


@pytest.mark.parametrize('path', plotted())
def test_a_curve_is_a_number_of_a_message(path: str) -> None:
    assert kind_of(path) in NUMBERS


def test_shown_topics_exist() -> None:
    panes = FOXGLOVE['configById']
    shown = [*panes['3D!building']['topics'], panes['RawMessages!twins']['topicPath'],
             panes['DiagnosticSummary!nodes']['topicToRender'],
             *panes['Image!camera']['imageMode'].values()]
    assert len(shown) == 7
    assert not set(shown) - set(topics())


def test_every_panel_of_foxglove_is_placed_once() -> None:
    assert sorted(panels(FOXGLOVE['layout'])) == sorted(FOXGLOVE['configById'])


def test_every_pane_of_plotjuggler_has_its_share() -> None:
    for splitter in ET.parse(ROOT / 'config/plotjuggler.xml').iter('DockSplitter'):
        shares = [float(share) for share in splitter.attrib['sizes'].split(';')]
        assert len(shares) == int(splitter.attrib['count']) == len(splitter.findall('DockArea'))
        assert sum(shares) == pytest.approx(1.0, abs=1e-4)


@pytest.mark.parametrize('path', ['/area/twin_status.no_such', '/area/twin_status.position_std'])
def test_a_field_that_does_not_exist_is_found(path: str) -> None:
    with pytest.raises((KeyError, AssertionError)):
        kind_of(path)
