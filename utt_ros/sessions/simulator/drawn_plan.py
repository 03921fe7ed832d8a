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

"""Floor plan of a simulated building, as files of map_server."""

from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np

from utt_ros.errors import SessionError
from utt_ros.files import write_atomically
from utt_ros.sessions.simulator.crossing import WALL_M, room_corners
from utt_ros.settings import AreaSettings

FLOOR_PLAN = 'plan.yaml'
CELL_M = 0.1
MARGIN_M = 1.0  # beyond the walls
FLOOR, WALL, OUTSIDE = 254, 0, 128  # shades
THICKNESS_CELLS = 3  # of a wall


def write_floor_plan(areas: Sequence[AreaSettings], folder: Path) -> Path:
    """Draw the rooms of a building side by side along y; return the YAML file.

    The walls between them are open but at their ends: nobody walks through a wall. Raises
    SessionError when the files cannot be written.
    """
    rooms = np.stack([room_corners(area) for area in areas])  # (areas, 2, 2)
    origin = rooms[:, 0].min(axis=0) - MARGIN_M
    size = np.rint((rooms[:, 1].max(axis=0) + MARGIN_M - origin) / CELL_M).astype(int)
    image = np.full(size[::-1], OUTSIDE, np.uint8)  # row 0 at the origin
    cells = np.rint((rooms - origin) / CELL_M).astype(int)
    for low, high in cells.tolist():
        cv2.rectangle(image, low, high, FLOOR, cv2.FILLED)
    for low, high in cells.tolist():
        cv2.rectangle(image, low, high, WALL, THICKNESS_CELLS)
    stub = round(WALL_M / CELL_M)
    for (left, _), (right, top) in sorted(cells.tolist(), key=lambda room: room[1][1])[:-1]:
        cv2.rectangle(image, (left + stub, top - THICKNESS_CELLS),
                      (right - stub, top + THICKNESS_CELLS), FLOOR, cv2.FILLED)
    _, png = cv2.imencode('.png', np.flipud(image))
    text = (f'image: plan.png\nresolution: {CELL_M}\norigin: [{origin[0]:.2f}, {origin[1]:.2f}, '
            '0.0]\n')
    try:
        folder.mkdir(parents=True, exist_ok=True)
        write_atomically(folder / 'plan.png', png.tobytes())
        write_atomically(folder / FLOOR_PLAN, text.encode())
    except OSError as err:
        raise SessionError(f'{folder}: {err}') from err
    return folder / FLOOR_PLAN
