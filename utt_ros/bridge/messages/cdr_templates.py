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

"""Templates of serialized messages in which only numbers and stamps are replaced.

Building a Path of 30 poses from rclpy's classes and serializing it takes half a millisecond.
Patching its bytes takes microseconds, and many messages are patched at once. The layouts of
`utt_ros.cdr` do not serve here: they hold strings, then one block of numbers, while a Path repeats
stamp, frame name and numbers for every pose.
"""

import itertools
from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
from builtin_interfaces.msg import Time
from rclpy.serialization import serialize_message

from utt_ros.cdr import ENCAPSULATION
from utt_ros.types import NS_PER_S, Indices

FIRST_NUMBER = int(np.float64(7.0e300).view(np.int64))  # bits of the first placeholder
FIRST_SECOND = 0x40000000
MAX_PLACEHOLDERS = 2048  # numbers, and stamps, of one message
MAX_MESSAGES = 2**19  # until placeholders repeat


class Placeholders:
    """Numbers and stamps that no earlier message held.

    The middleware leaves padding uninitialised, so the padding of a message may hold placeholders
    of an earlier one.
    """

    _messages = itertools.count()

    def __init__(self) -> None:
        offset = next(self._messages) % MAX_MESSAGES * MAX_PLACEHOLDERS
        self.first_number = FIRST_NUMBER + offset
        self.first_second = FIRST_SECOND + offset

    def number(self, index: int) -> float:
        return float(np.int64(self.first_number + index).view(np.float64))

    def stamp(self, index: int) -> Time:
        return Time(sec=self.first_second + index, nanosec=index)


class CdrTemplate:
    """A message in which `numbers` float64 and `stamps` stamps hold placeholders."""

    def __init__(
        self, message: Any, placeholders: Placeholders, numbers: int, stamps: int,
    ) -> None:
        """Raise ValueError for a placeholder that is missing or repeated."""
        data = serialize_message(message)
        self.size = len(data)
        words = -(-self.size // 8) + 1
        self.row = np.zeros(8 * words, np.uint8)  # shifted so that doubles are aligned to 8
        self.row[ENCAPSULATION:ENCAPSULATION + self.size] = np.frombuffer(data, np.uint8)
        longs, ints = self.row.view('<i8'), self.row.view('<i4')
        self._numbers = _positions(longs, placeholders.first_number, numbers)
        self._stamps = _positions(ints, placeholders.first_second, stamps)

    def fill(
        self, numbers: npt.NDArray[np.floating[Any]], stamps_ns: npt.NDArray[np.int64],
    ) -> list[bytes]:
        """Return M messages with numbers (M, numbers) and stamps (M, stamps) or (stamps,)."""
        return self.fill_rows(np.tile(self.row, (len(numbers), 1)), numbers, stamps_ns)

    def fill_rows(
        self, rows: npt.NDArray[np.uint8], numbers: npt.NDArray[np.floating[Any]],
        stamps_ns: npt.NDArray[np.int64],
    ) -> list[bytes]:
        """Fill copies (M, bytes) of templates with the positions of this one, as `fill` does."""
        rows.view('<f8')[:, self._numbers] = numbers
        ints = rows.view('<i4')
        ints[:, self._stamps] = stamps_ns // NS_PER_S
        ints[:, self._stamps + 1] = stamps_ns % NS_PER_S
        end = ENCAPSULATION + self.size
        return [row[ENCAPSULATION:end].tobytes() for row in rows]


def fill_templates(
    templates: Sequence[CdrTemplate], numbers: npt.NDArray[np.floating[Any]],
    stamps_ns: npt.NDArray[np.int64],
) -> list[list[bytes]]:
    """Fill each template for M messages: numbers (T, M, numbers), stamps (M, stamps).

    Templates of one type and length, such as those that differ only in the letters of a name, are
    filled at once.
    """
    by_size: dict[int, list[int]] = {}
    for index, template in enumerate(templates):
        by_size.setdefault(template.size, []).append(index)
    filled: list[list[bytes]] = [[] for _ in templates]
    count = numbers.shape[1]
    for indices in by_size.values():
        rows = np.repeat(np.stack([templates[index].row for index in indices]), count, axis=0)
        messages = templates[indices[0]].fill_rows(
            rows, numbers[indices].reshape(len(rows), -1), np.tile(stamps_ns, (len(indices), 1)))
        for number, index in enumerate(indices):
            filled[index] = messages[number * count:(number + 1) * count]
    return filled


def _positions(words: npt.NDArray[Any], first: int, count: int) -> Indices:
    positions = []
    for index in range(count):
        matches = np.flatnonzero(words == first + index)
        if len(matches) != 1:
            raise ValueError(f'placeholder {index} is in the message {len(matches)} times')
        positions.append(int(matches[0]))
    return np.array(positions, np.intp)
