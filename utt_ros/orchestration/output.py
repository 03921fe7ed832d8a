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

"""Output of child processes, each line prefixed with the process's name, and log files."""

from collections.abc import Iterable
from contextlib import ExitStack
from pathlib import Path
from typing import NamedTuple, TextIO

COLOURS = ('36', '32', '33', '35', '34', '96', '92', '93', '95', '94')
RESET = '\x1b[0m'
UNWRITTEN_EVENTS = frozenset({'started'})  # for listeners only


class ProcessEvent(NamedTuple):
    """Event in the life of a process, or of the whole run, and the line about it."""

    process: str  # empty: the run
    kind: str  # started, done, restarting, unit_stopped, failed, hung, killed, stopping
    text: str


class RunListener:
    """Listener of a run, called by the thread of its supervisor: it must not wait."""

    closed = False  # the reader of its output has ended

    def take_line(self, process: str, line: str) -> bool:  # noqa: ARG002
        """Take a line of a process; False leaves it to the output."""
        return False

    def take_event(self, event: ProcessEvent) -> None:
        """Take an event, which is also written."""


class PrefixedOutput:
    """Writer of the lines of several processes to one stream and, given a folder, to log files."""

    def __init__(
        self, names: Iterable[str], stream: TextIO | None, log_dir: Path | None,
        listener: RunListener | None = None,
    ) -> None:
        names = tuple(names)
        self._stream = stream
        self._listener = listener or RunListener()
        self.colour = stream is not None and stream.isatty()
        width = max((len(name) for name in names), default=0)
        self._prefixes = {name: self._prefix(name, width, i) for i, name in enumerate(names)}
        self._files = ExitStack()
        self._logs = {}
        if log_dir is not None:
            log_dir.mkdir(parents=True, exist_ok=True)
            for name in names:
                path = log_dir / f'{name.replace("/", "_")}.log'
                self._logs[name] = self._files.enter_context(path.open('ab', buffering=0))

    def write(self, name: str, line: bytes) -> bool:
        """Write a line; return False when the reader of the stream, or of a listener, is gone."""
        if name in self._logs:
            self._logs[name].write(line + b'\n')
        text = line.decode('utf-8', errors='replace')
        if self._listener.take_line(name, text):
            return not self._listener.closed
        return self._write_text(self._prefixes[name] + text)

    def note(self, process: str, kind: str, text: str) -> None:
        """Write an event of a process, as `ProcessEvent` describes it."""
        self._listener.take_event(ProcessEvent(process, kind, text))
        if kind not in UNWRITTEN_EVENTS:
            self._write_text(f'utt: {text}')

    def close(self) -> None:
        """Close the log files."""
        self._files.close()

    def _prefix(self, name: str, width: int, index: int) -> str:
        text = f'[{name}]'.ljust(width + 2) + ' '
        return f'\x1b[{COLOURS[index % len(COLOURS)]}m{text}{RESET}' if self.colour else text

    def _write_text(self, text: str) -> bool:
        if self._stream is None:
            return True
        try:
            self._stream.write(text + '\n')
            self._stream.flush()
        except (BrokenPipeError, ValueError):  # ValueError: closed
            self._stream = None
            return False
        return True
