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

"""Cameras, ports and addresses that `utt setup` finds and shows."""

import socket
from importlib.util import find_spec
from pathlib import Path

import pytest

from utt_ros.cli import setup_devices
from utt_ros.cli.area_draft import AreaDraft
from utt_ros.cli.dialogue import Dialogue
from utt_ros.cli.setup_devices import (
    ask_camera,
    ask_phones,
    first_picture,
    free_port,
    listening_sources,
    own_address,
    qr_code,
)
from utt_ros.errors import SourceError
from utt_ros.orchestration.ros_environment import CHECKOUT

CAPTURE = CHECKOUT / 'docs/sources/captures/two_people.mp4'


def test_a_camera_gives_its_size_and_focal_length(tmp_path: Path) -> None:
    answers, draft = iter([str(tmp_path / 'none.mp4'), str(CAPTURE), '90']), AreaDraft({})
    told: list[str] = []
    ask_camera(Dialogue(lambda _: next(answers), told.append), draft, tmp_path / 'a/area.yaml')
    assert draft.values['fx'] == pytest.approx(draft.values['image_width'] / 2)
    assert draft.blocks['camera']['opencv'] == {'location': str(CAPTURE)}
    assert (tmp_path / 'a/area.jpg').is_file()
    assert any('none.mp4' in text for text in told)
    with pytest.raises(SourceError):
        first_picture(str(tmp_path / 'none.mp4'))


def test_phones_have_ports_and_addresses_as_their_apps_want_them() -> None:
    answers, draft = iter(['sensor_logger', '', 'none']), AreaDraft({})
    told: list[str] = []
    with socket.socket() as probe:
        probe.bind(('', 0))
        port = probe.getsockname()[1]
    answers = iter(['sensor_logger', str(port), 'none'])
    ask_phones(Dialogue(lambda _: next(answers), told.append), draft)
    assert draft.blocks == {'imu': {'source': 'sensor_logger', 'sensor_logger': {'port': port}}}
    assert f'address for the app: http://{own_address()}:{port}/data' in '\n'.join(told)


def test_apps_that_phones_send_with_are_offered() -> None:
    assert set(listening_sources('imu')) >= {'sensor_logger', 'hyper_imu'}
    assert listening_sources('ftm') == ['android_http', 'android_udp']


def test_a_port_that_is_taken_is_refused() -> None:
    with socket.socket() as held:
        held.bind(('', 0))
        held.listen()
        port = held.getsockname()[1]
        with pytest.raises(ValueError, match=f'port {port}: .*: choose another one'):
            free_port(str(port))
    with pytest.raises(ValueError, match='70000 is outside 1'):
        free_port('70000')


@pytest.mark.skipif(find_spec('segno') is None, reason='the extra `setup` is not installed')
def test_a_qr_code_is_drawn_in_blocks() -> None:
    drawn = qr_code('http://10.0.0.5:8000/data')
    assert len(drawn.splitlines()) > 10
    assert set('▀▄█') & set(drawn)


def test_without_segno_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(setup_devices, 'find_spec', lambda _: None)
    assert "pip install 'utt_ros[setup]'" in qr_code('http://10.0.0.5:8000/data')
