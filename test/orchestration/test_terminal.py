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

"""Keys of a terminal reach a callback, and the terminal's mode is restored."""

import os
import pty
import sys
import termios
from pathlib import Path

import pytest

from utt_ros.orchestration import terminal
from utt_ros.orchestration.terminal import listen_for_keys


@pytest.fixture
def keyboard(monkeypatch):
    writer, reader = pty.openpty()
    with os.fdopen(reader) as stdin:
        monkeypatch.setattr(sys, 'stdin', stdin)
        monkeypatch.setattr(terminal, '_is_in_background', lambda _: False)
        yield writer
    os.close(writer)


def test_keys_are_passed_on_and_the_mode_is_restored(keyboard, wait_until):
    mode, pressed = termios.tcgetattr(sys.stdin), []
    with listen_for_keys(pressed.append) as listening:
        assert listening
        os.write(keyboard, b' q')
        wait_until(lambda: pressed == [' ', 'q'])
        assert termios.tcgetattr(sys.stdin) != mode
    assert termios.tcgetattr(sys.stdin) == mode


def test_terminal_of_a_background_process_is_left_alone(keyboard, monkeypatch):
    monkeypatch.setattr(terminal, '_is_in_background', lambda _: True)
    mode = termios.tcgetattr(sys.stdin)
    with listen_for_keys(print) as listening:
        assert not listening
        assert termios.tcgetattr(sys.stdin) == mode


def test_input_that_is_not_a_terminal_has_no_keys(monkeypatch):
    with Path(os.devnull).open() as null:
        monkeypatch.setattr(sys, 'stdin', null)
        with listen_for_keys(print) as listening:
            assert not listening
