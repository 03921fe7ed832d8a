"""Keys of the terminal that a process has for itself, and a line of progress."""

import os
import select
import sys
import termios
import threading
import tty
from collections.abc import Callable, Iterator
from contextlib import contextmanager

POLL_SEC = 0.1


@contextmanager
def keys(on_key: Callable[[str], None]) -> Iterator[bool]:
    """Call `on_key` from a thread for every key that is pressed; false where there is no terminal.

    Ctrl-C stays a signal.
    """
    source = sys.stdin.fileno() if sys.stdin and sys.stdin.isatty() else -1
    if source < 0 or _is_in_background(source):
        yield False
        return
    before = termios.tcgetattr(source)
    closed = threading.Event()

    def read() -> None:
        while not closed.is_set():
            if select.select([source], [], [], POLL_SEC)[0]:
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
        termios.tcsetattr(source, termios.TCSANOW, before)


def _is_in_background(terminal: int) -> bool:
    """Whether the system would stop this process for changing the terminal."""
    try:
        return os.tcgetpgrp(terminal) != os.getpgrp()
    except OSError:  # it does not control us
        return False


def show(line: str) -> None:
    """Write a line over the one before, on a terminal only."""
    if sys.stderr.isatty():
        sys.stderr.write(f'\r\x1b[K{line}')
        sys.stderr.flush()
