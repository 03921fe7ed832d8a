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

"""Lines of processes are prefixed with their names, coloured on a terminal, and logged."""

import io

import pytest

from utt_ros.orchestration.output import PrefixedOutput, ProcessEvent, RunListener


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_lines_are_prefixed_with_names_of_one_width():
    stream = io.StringIO()
    output = PrefixedOutput(['hall/twin', 'a'], stream, None)
    assert output.write('a', b'ready \xff')
    output.note('a', 'started', 'a is started')
    output.note('a', 'done', 'a is done')
    assert stream.getvalue() == '[a]         ready \ufffd\nutt: a is done\n'
    assert not output.colour


def test_prefix_is_coloured_on_a_terminal_only():
    stream = Terminal()
    output = PrefixedOutput(['a'], stream, None)
    output.write('a', b'ready')
    assert stream.getvalue().startswith('\x1b[36m[a] ')


def test_lines_are_appended_to_a_log_file_per_process(tmp_path):
    for _ in range(2):
        output = PrefixedOutput(['hall/twin'], None, tmp_path / 'log')
        output.write('hall/twin', b'\xff ready')
        output.close()
    assert (tmp_path / 'log/hall_twin.log').read_bytes() == b'\xff ready\n' * 2


@pytest.mark.parametrize('error', [BrokenPipeError, ValueError])
def test_stream_without_a_reader_is_reported_once_and_ignored_after_that(error, monkeypatch):
    stream = io.StringIO()
    monkeypatch.setattr(stream, 'write', lambda text: (_ for _ in ()).throw(error()))
    output = PrefixedOutput(['a'], stream, None)
    assert not output.write('a', b'ready')
    assert output.write('a', b'ready')


class Listener(RunListener):
    def __init__(self) -> None:
        self.lines, self.events = [], []

    def take_line(self, process: str, line: str) -> bool:
        self.lines.append((process, line))
        return process == 'status'

    def take_event(self, event: ProcessEvent) -> None:
        self.events.append(event)


def test_listener_takes_lines_in_place_of_the_stream_and_events_beside_it(tmp_path):
    stream, listener = io.StringIO(), Listener()
    output = PrefixedOutput(['a', 'status'], stream, tmp_path, listener)
    started = ProcessEvent('a', 'started', 'a is started')
    output.note(*started)
    assert output.write('status', b'{}')
    assert output.write('a', b'ready')
    output.close()
    assert listener.lines == [('status', '{}'), ('a', 'ready')]
    assert listener.events == [started]
    assert stream.getvalue() == '[a]      ready\n'
    assert (tmp_path / 'status.log').read_bytes() == b'{}\n'


def test_closed_listener_ends_the_output():
    listener = Listener()
    listener.closed = True
    assert not PrefixedOutput(['status'], None, None, listener).write('status', b'{}')
