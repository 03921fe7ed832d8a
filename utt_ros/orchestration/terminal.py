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

"""Key presses of the terminal in whose foreground this process runs."""

import io
import os
import select
import sys
import termios
import threading
import tty
from collections.abc import Callable, Iterator
from contextlib import contextmanager

KEY_POLL_SEC = 0.1


def replace_unprintable() -> None:
    """Print `?` in place of characters that an output cannot encode, such as ASCII terminals."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors='replace')


@contextmanager
def listen_for_keys(on_key: Callable[[str], None]) -> Iterator[bool]:
    """Call `on_key` from a thread for every pressed key; yield False where there is no terminal.

    Ctrl-C stays a signal. The terminal's mode is restored at the end.
    """
    source = sys.stdin.fileno() if sys.stdin and sys.stdin.isatty() else -1
    if source < 0 or _is_in_background(source):
        yield False
        return
    mode = termios.tcgetattr(source)
    closed = threading.Event()

    def read() -> None:
        while not closed.is_set():
            if select.select([source], [], [], KEY_POLL_SEC)[0]:
                pressed = os.read(source, 64)
                if not pressed:
                    return
                for key in pressed.decode('utf-8', 'ignore'):
                    on_key(key)

    thread = threading.Thread(target=read, name='keys', daemon=True)
    tty.setcbreak(source, termios.TCSANOW)
    thread.start()
    try:
        yield True
    finally:
        closed.set()
        thread.join()
        termios.tcsetattr(source, termios.TCSANOW, mode)


def _is_in_background(terminal: int) -> bool:
    """Check whether the system would stop this process for changing the terminal's mode."""
    try:
        return os.tcgetpgrp(terminal) != os.getpgrp()
    except OSError:  # not the controlling terminal
        return False
