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

"""Page on which a demonstration can be watched, by `utt view`, and a film of its test."""

import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path

from utt_ros.orchestration.child import child_environment
from utt_ros.orchestration.spec import UTT_PROGRAM
from utt_ros.sessions.simulator.live_area import free_ports
from utt_ros.settings import AreaSettings
from utt_ros.view.recorded_film import film_pictures
from utt_ros.view.recorded_scene import RecordedScene
from utt_ros.view.scene_film import write_film

END_SEC = 5.0


@contextmanager
def demo_page(log: Path) -> Iterator[str]:
    """Serve a page while the context lasts; yield its address, '' where viser is missing."""
    if find_spec('viser') is None:
        yield ''
        return
    port = free_ports()[0]
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open('wb') as file:
        process = subprocess.Popen(
            [*UTT_PROGRAM, 'view', '--port', str(port), '--open'],
            stdin=subprocess.DEVNULL, stdout=file, stderr=file,
            env=child_environment(colour=False))
    try:
        yield f'http://127.0.0.1:{port}'
    finally:
        process.terminate()
        try:
            process.wait(END_SEC)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def film_test(path: Path, bag: Path, areas: Sequence[AreaSettings]) -> None:
    """Write a moving picture of recorded positions in their areas. Raises UttError."""
    with RecordedScene(bag, {area.area: area for area in areas}) as recorded:
        write_film(path, film_pictures(recorded))
