"""What the area's model said at the last matches: every window is asked of it once."""

from dataclasses import dataclass

import numpy as np

from utt_ros.association.candidates import Candidates
from utt_ros.association.pair_features import EVERY_S, Said, phone_windows, silence
from utt_ros.association.translator import PhoneSays, Translator
from utt_ros.errors import ModelError
from utt_ros.types import FloatArray, MaskArray


@dataclass(frozen=True, slots=True)
class _Answer:
    """What was said at one match of the windows that ended there."""

    stamp_ns: int
    phones: dict[str, int]  # row of each
    says: PhoneSays
    valid: MaskArray  # (P,) whether the phone's heading was known
    tracks: dict[str, int]
    ranges: FloatArray  # (K, T') [m]


class Recall:
    """Asks a model at every match, and answers for the whole window from memory."""

    def __init__(self, magnetic_yaw: float) -> None:
        self._magnetic_yaw = magnetic_yaw
        self.translator: Translator | None = None  # from the next match on
        self.failures = 0  # matches at which the model gave no usable answer
        self.failure = ''
        self._answers: list[_Answer] = []

    def clear(self) -> None:
        """Forget what was said."""
        self._answers.clear()

    def hear(self, seen: Candidates, heading_valid: MaskArray) -> Said:
        """What the model says of these candidates; heading_valid is (P, T)."""
        translator = self.translator
        if translator is None or not seen.phones or not seen.track_ids:
            return silence(seen)
        try:
            self._answers.append(_ask(
                seen, heading_valid, translator, self._magnetic_yaw))
        except ModelError as err:
            self.failures += 1
            self.failure = str(err)
        span_ns = seen.ticks * seen.period * 1e9
        self._answers = [
            each for each in self._answers
            if 0 <= seen.stamp_ns - each.stamp_ns < span_ns
            and each.says.boxes.shape[1] == translator.ticks]
        return self._remember(seen, translator.ticks) if self._answers else silence(seen)

    def _remember(self, seen: Candidates, ticks: int) -> Said:
        """Velocities and boxes of about every second, ranges of windows side by side."""
        chosen = self._apart(EVERY_S, seen.period)
        ends = np.array([_end(seen, each) for each in chosen], np.intp)
        shape = (len(seen.phones), len(chosen))
        velocity, std = np.zeros((2, *shape, 2), np.float32)
        boxes = np.zeros((*shape, *chosen[0].says.boxes.shape[1:]), np.float32)
        known = np.zeros(shape, bool)
        for column, each in enumerate(chosen):
            rows, there = _places(seen.phones, each.phones)
            velocity[there, column] = each.says.velocity[rows]
            std[there, column] = each.says.velocity_std[rows]
            boxes[there, column] = each.says.boxes[rows]
            known[there, column] = each.valid[rows]
        std[std == 0.0] = 1.0
        return Said(ends, velocity, std, known, boxes, *self._ranges(seen, ticks))

    def _ranges(self, seen: Candidates, ticks: int) -> tuple[FloatArray, MaskArray]:
        ranges = np.zeros(seen.boxes_mask.shape, np.float32)
        told = np.zeros(ranges.shape, bool)
        for each in self._apart(ticks * seen.period, seen.period):
            rows, there = _places(seen.track_ids, each.tracks)
            end = _end(seen, each)
            begin = max(end - ticks, 0)
            ranges[there, begin:end] = each.ranges[rows, ticks - (end - begin):]
            told[there, begin:end] = True
        return ranges, told

    def _apart(self, span_s: float, period: float) -> list[_Answer]:
        """Answers at least about a span apart, the last included, in order."""
        chosen: list[_Answer] = []
        for each in reversed(self._answers):
            gap_ns = chosen[-1].stamp_ns - each.stamp_ns if chosen else np.inf
            if gap_ns >= (span_s - period / 2) * 1e9:
                chosen.append(each)
        return chosen[::-1]


def _ask(
    seen: Candidates, heading_valid: MaskArray, translator: Translator, magnetic_yaw: float,
) -> _Answer:
    ticks, end = translator.ticks, np.array([seen.ticks])
    says = translator.phones(
        *phone_windows(seen, end, ticks, magnetic_yaw), heading_valid[:, -1])
    ranges = translator.tracks(seen.boxes[:, -ticks:], seen.boxes_mask[:, -ticks:])[..., 0]
    return _Answer(
        seen.stamp_ns, _rows(seen.phones), says, heading_valid[:, -1], _rows(seen.track_ids),
        ranges)


def _rows(names: tuple[str, ...]) -> dict[str, int]:
    return {name: row for row, name in enumerate(names)}


def _places(names: tuple[str, ...], rows: dict[str, int]) -> tuple[list[int], list[int]]:
    """Rows of an answer, and the places of those among the names."""
    there = [place for place, name in enumerate(names) if name in rows]
    return [rows[names[place]] for place in there], there


def _end(seen: Candidates, answer: _Answer) -> int:
    """Behind which tick the windows of an answer ended."""
    return seen.ticks - round((seen.stamp_ns - answer.stamp_ns) / (seen.period * 1e9))
