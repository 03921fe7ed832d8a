"""Messages that are serialized once and then only exchange their numbers and stamps.

Building a Path of 30 poses from rclpy's classes and serializing it takes half a millisecond.
Patching its bytes takes microseconds, and many messages are patched at once.
"""

from collections.abc import Iterator, Sequence
from itertools import count
from typing import Any

import numpy as np
import numpy.typing as npt
from builtin_interfaces.msg import Time
from rclpy.serialization import serialize_message

from utt_ros.types import NS_PER_S

HEADER = 4  # bytes of encapsulation; the fields behind it are aligned to their size
NUMBER = int(np.float64(7.0e300).view(np.int64))  # the first placeholders; each next double
STAMP = 0x40000000  # or second is another one
PLACES = 2048  # of a kind in a message
RUNS = 2**19


class Placeholders:
    """Numbers and stamps that no earlier message held.

    The middleware leaves padding uninitialised: there a message holds what lay in memory before,
    which may be placeholders of an earlier one.
    """

    _runs = count()

    def __init__(self) -> None:
        run = next(self._runs) % RUNS
        self.first_number = NUMBER + run * PLACES
        self.first_stamp = STAMP + run * PLACES

    def number(self, index: int) -> float:
        """Placeholder of the number with this index."""
        return float(np.int64(self.first_number + index).view(np.float64))

    def stamp(self, index: int) -> Time:
        """Placeholder of the stamp with this index."""
        return Time(sec=self.first_stamp + index, nanosec=index)


class CdrTemplate:
    """A message in which `numbers` float64 and `stamps` stamps hold placeholders."""

    def __init__(self, message: Any, made: Placeholders, numbers: int, stamps: int) -> None:
        """Raises ValueError when a placeholder is missing, or there more than once."""
        data = serialize_message(message)
        self.size = len(data)
        words = -(-self.size // 8) + 1
        self.row = np.zeros(8 * words, np.uint8)
        self.row[HEADER:HEADER + self.size] = np.frombuffer(data, np.uint8)  # so 8 divides
        longs, ints = self.row.view('<i8'), self.row.view('<i4')
        self._numbers = np.array(list(_places(longs, made.first_number, numbers)), np.intp)
        self._stamps = np.array(list(_places(ints, made.first_stamp, stamps)), np.intp)

    def fill(
        self, numbers: npt.NDArray[np.floating[Any]], stamps_ns: npt.NDArray[np.int64],
    ) -> list[bytes]:
        """M messages with these numbers (M, numbers) and stamps (M, stamps) or (stamps,)."""
        return self.fill_rows(np.tile(self.row, (len(numbers), 1)), numbers, stamps_ns)

    def fill_rows(
        self, rows: npt.NDArray[np.uint8], numbers: npt.NDArray[np.floating[Any]],
        stamps_ns: npt.NDArray[np.int64],
    ) -> list[bytes]:
        """As `fill`, on copies (M, bytes) of templates that are laid out as this one."""
        rows.view('<f8')[:, self._numbers] = numbers
        ints = rows.view('<i4')
        ints[:, self._stamps] = stamps_ns // NS_PER_S
        ints[:, self._stamps + 1] = stamps_ns % NS_PER_S
        end = HEADER + self.size
        return [row[HEADER:end].tobytes() for row in rows]


def fill_each(
    templates: Sequence[CdrTemplate], numbers: npt.NDArray[np.floating[Any]],
    stamps_ns: npt.NDArray[np.int64],
) -> list[list[bytes]]:
    """Fill each template for M messages: numbers (T, M, numbers), stamps (M, stamps).

    Templates of one type that are equally long, such as those that differ in the letters of a name
    only, are filled at once.
    """
    alike: dict[int, list[int]] = {}
    for place, template in enumerate(templates):
        alike.setdefault(template.size, []).append(place)
    found: list[list[bytes]] = [[] for _ in templates]
    each = numbers.shape[1]
    for places in alike.values():
        rows = np.repeat(np.stack([templates[place].row for place in places]), each, axis=0)
        messages = templates[places[0]].fill_rows(
            rows, numbers[places].reshape(len(rows), -1), np.tile(stamps_ns, (len(places), 1)))
        for number, place in enumerate(places):
            found[place] = messages[number * each:(number + 1) * each]
    return found


def _places(words: npt.NDArray[Any], first: int, how_many: int) -> Iterator[int]:
    for index in range(how_many):
        found = np.flatnonzero(words == first + index)
        if len(found) != 1:
            raise ValueError(f'placeholder {index} is in the message {len(found)} times')
        yield int(found[0])
