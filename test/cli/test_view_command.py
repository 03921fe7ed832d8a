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

"""`utt view`: films, refusals, and a page without a browser."""

import signal
import subprocess
import sys

import numpy as np
import pytest
from PIL import Image

from utt_ros.cli import view_command as module
from utt_ros.sessions.session_bags import write_area, write_session
from utt_ros.sessions.simulator.world import plan_sessions, simulate_session


@pytest.fixture(scope='module')
def walk(tmp_path_factory):
    """Simulate half a minute of one area."""
    folder = tmp_path_factory.mktemp('walk') / 'area0'
    (planned, *_) = plan_sessions(1, 0.5, 1, [])
    write_area(planned.area.settings, folder)
    write_session(simulate_session(planned), planned.area.settings, folder / planned.name)
    return folder / planned.name


def test_film_of_a_simulated_walk_moves(walk, utt, tmp_path):
    done = utt('view', walk, '--film', tmp_path / 'walk.gif')
    assert (done.code, done.err) == (0, '')
    with Image.open(tmp_path / 'walk.gif') as film:
        assert film.n_frames > 20
        assert done.out == f'{tmp_path / "walk.gif"}: {film.n_frames} pictures\n'
        first = np.asarray(film.convert('RGB')).astype(int)
        film.seek(film.n_frames - 1)
        last = np.asarray(film.convert('RGB')).astype(int)
    assert 0.0005 < (np.abs(first - last).max(axis=2) > 60).mean() < 0.2


@pytest.mark.parametrize(('words', 'complaint'), [
    (['--film', 'a.gif'], '--film needs a bag'),
    (['bag', '--film', 'a.mp4'], 'a film ends in .gif'),
    (['absent'], 'absent'), (['--wait', '0'], '--wait is 0')])
def test_impossible_requests_are_refused_in_one_sentence(words, complaint, utt):
    done = utt('view', *words)
    assert (done.code, done.out, done.err.count('\n')) == (2, '', 1)
    assert complaint in done.err


def test_missing_viser_is_named_with_the_command_that_installs_it(walk, utt, monkeypatch):
    monkeypatch.setattr('utt_ros.cli.main.find_spec', lambda _: None)
    done = utt('view', walk)
    assert done.code == 2
    assert done.err == ('utt view: viser not installed: run '
                        f'`{sys.executable} -m pip install viser`\n')


def test_address_is_printed_at_once_and_ctrl_c_ends_it(walk):
    pytest.importorskip('viser')
    process = subprocess.Popen(
        [sys.executable, '-c', 'import sys; from utt_ros.cli.main import main; sys.exit(main())',
         'view', str(walk), '--port', '0'],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    try:
        address = process.stdout.readline()
        assert address.startswith('http://127.0.0.1:')
    finally:
        process.send_signal(signal.SIGINT)
        _, complaints = process.communicate(timeout=20.0)
    assert process.returncode == 0
    assert complaints == ''


def test_display_is_looked_for_in_the_environment(monkeypatch):
    for name in ('DISPLAY', 'WAYLAND_DISPLAY'):
        monkeypatch.delenv(name, raising=False)
    assert not module.has_display()
    monkeypatch.setenv('WAYLAND_DISPLAY', 'wayland-0')
    assert module.has_display()
