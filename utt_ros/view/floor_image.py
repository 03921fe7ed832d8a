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

"""Floor plan of a building as an image with its place in `map`."""

from dataclasses import dataclass
from math import atan2
from typing import Any

import cv2
import numpy as np

from utt_ros.errors import MeasurementError
from utt_ros.map_pose import MapPose
from utt_ros.types import Image

MAX_FLOOR_CELLS = 2**24
MAX_FLOOR_SIDE_PX = 2048  # of the drawn image
FREE_SHADE, WALL_SHADE, UNKNOWN_SHADE = 250, 90, 228


@dataclass(frozen=True, slots=True)
class FloorImage:
    """Picture (H, W, 3) of a floor plan, the first row at the far side; its lower left corner."""

    image: Image
    origin: MapPose
    width_m: float
    height_m: float

    @property
    def center(self) -> tuple[float, float]:
        """Centre in `map` [m]."""
        shift = self.origin.rotation() @ np.array([self.width_m / 2, self.height_m / 2])
        return self.origin.x + float(shift[0]), self.origin.y + float(shift[1])


def floor_image(message: Any) -> FloorImage:
    """Convert an OccupancyGrid. Raises MeasurementError for a grid that does not fit its size."""
    info = message.info
    rows, columns, cell_m = int(info.height), int(info.width), float(info.resolution)
    cells = np.frombuffer(np.asarray(message.data, np.int8), np.int8)
    if not 1 <= rows * columns <= MAX_FLOOR_CELLS or cells.size != rows * columns:
        raise MeasurementError(f'a floor plan of {columns} x {rows} cells with {cells.size} '
                               f'values: it must have 1..{MAX_FLOOR_CELLS}, all of them')
    place, turn = info.origin.position, info.origin.orientation
    numbers = np.array([cell_m, place.x, place.y, place.z, turn.z, turn.w], np.float64)
    if not np.isfinite(numbers).all() or not 0.0 < cell_m <= 10.0:
        raise MeasurementError(f'a floor plan with cells of {cell_m} m: it must be 0..10')
    shade = np.where(cells < 0, UNKNOWN_SHADE, FREE_SHADE - cells.clip(0, 100).astype(np.float32)
                     * ((FREE_SHADE - WALL_SHADE) / 100)).astype(np.uint8)
    picture = np.flipud(shade.reshape(rows, columns))
    factor = MAX_FLOOR_SIDE_PX / max(rows, columns)
    if factor < 1.0:
        size = max(1, round(columns * factor)), max(1, round(rows * factor))
        picture = np.asarray(cv2.resize(picture, size, interpolation=cv2.INTER_AREA), np.uint8)
    yaw = 2 * atan2(float(turn.z), float(turn.w))
    return FloorImage(np.repeat(picture[..., None], 3, axis=2),
                      MapPose(float(place.x), float(place.y), float(place.z), yaw),
                      columns * cell_m, rows * cell_m)
