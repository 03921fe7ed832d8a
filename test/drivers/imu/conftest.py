"""Phones as processes."""

import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

PEER = Path(__file__).parents[1] / 'peers' / 'imu_apps.py'


@pytest.fixture
def free_port() -> int:
    with socket.create_server(('127.0.0.1', 0)) as server:
        return server.getsockname()[1]


@pytest.fixture
def start_phone() -> Iterator[Callable[..., subprocess.Popen]]:
    """`start_phone(APP, PORT, '--rate', 100)` runs until killed, at the latest at the end."""
    phones = []

    def start(app: str, port: int, *options: object) -> subprocess.Popen:
        command = [sys.executable, PEER, app, '127.0.0.1', port, *options]
        phones.append(subprocess.Popen([str(word) for word in command]))
        return phones[-1]

    yield start
    for phone in phones:
        phone.kill()
        phone.wait()
