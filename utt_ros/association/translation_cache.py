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

"""Cache of model translations: each window is translated once, at the match at which it ends."""

from dataclasses import dataclass

import numpy as np

from utt_ros.association.candidates import Candidates
from utt_ros.association.model_evidence import (
    QUERY_PERIOD_S,
    ModelEvidence,
    no_model_evidence,
    phone_windows,
)
from utt_ros.association.translator import PhoneTranslation, Translator
from utt_ros.errors import ModelError
from utt_ros.types import FloatArray, MaskArray


@dataclass(frozen=True, slots=True)
class _CachedTranslation:
    """Translations of the windows that ended at one match."""

    stamp_ns: int
    phone_rows: dict[str, int]
    translation: PhoneTranslation
    heading_valid: MaskArray  # (P,)
    track_rows: dict[str, int]
    ranges: FloatArray  # (K, T') [m]


class TranslationCache:
    """Queries the model for the newest windows and keeps the translations of the whole span."""

    def __init__(self, magnetic_yaw: float) -> None:
        self._magnetic_yaw = magnetic_yaw
        self.translator: Translator | None = None  # used from the next match on
        self.failures = 0  # matches at which the model raised an error
        self.last_failure = ''
        self._cached: list[_CachedTranslation] = []

    def clear(self) -> None:
        """Remove all translations; the model stays."""
        self._cached.clear()

    def update(self, candidates: Candidates, heading_valid: MaskArray) -> ModelEvidence:
        """Query the model for the newest windows and return the cached evidence of the whole span.

        `heading_valid` is (P, T). A ModelError is counted and leaves the older translations.
        """
        translator = self.translator
        if translator is None or not candidates.phones or not candidates.track_ids:
            return no_model_evidence(candidates)
        try:
            self._cached.append(_translate(
                candidates, heading_valid, translator, self._magnetic_yaw))
        except ModelError as err:
            self.failures += 1
            self.last_failure = str(err)
        span_ns = candidates.ticks * candidates.period * 1e9
        self._cached = [
            item for item in self._cached
            if 0 <= candidates.stamp_ns - item.stamp_ns < span_ns
            and item.translation.boxes.shape[1] == translator.ticks]
        if not self._cached:
            return no_model_evidence(candidates)
        return self._evidence(candidates, translator.ticks)

    def _evidence(self, candidates: Candidates, ticks: int) -> ModelEvidence:
        """Collect velocities and boxes about QUERY_PERIOD_S apart, ranges of adjacent windows."""
        chosen = self._spaced(QUERY_PERIOD_S, candidates.period)
        ends = np.array([_end(candidates, item) for item in chosen], np.intp)
        shape = (len(candidates.phones), len(chosen))
        velocity, std = np.zeros((2, *shape, 2), np.float32)
        boxes = np.zeros((*shape, *chosen[0].translation.boxes.shape[1:]), np.float32)
        known = np.zeros(shape, bool)
        for column, item in enumerate(chosen):
            rows, present = _common_rows(candidates.phones, item.phone_rows)
            velocity[present, column] = item.translation.velocity[rows]
            std[present, column] = item.translation.velocity_std[rows]
            boxes[present, column] = item.translation.boxes[rows]
            known[present, column] = item.heading_valid[rows]
        std[std == 0.0] = 1.0
        return ModelEvidence(ends, velocity, std, known, boxes, *self._ranges(candidates, ticks))

    def _ranges(self, candidates: Candidates, ticks: int) -> tuple[FloatArray, MaskArray]:
        ranges = np.zeros(candidates.boxes_mask.shape, np.float32)
        ranged = np.zeros(ranges.shape, bool)
        for item in self._spaced(ticks * candidates.period, candidates.period):
            rows, present = _common_rows(candidates.track_ids, item.track_rows)
            end = _end(candidates, item)
            start = max(end - ticks, 0)
            ranges[present, start:end] = item.ranges[rows, ticks - (end - start):]
            ranged[present, start:end] = True
        return ranges, ranged

    def _spaced(self, span_s: float, period: float) -> list[_CachedTranslation]:
        """Select translations at least about a span apart, the newest included, in order."""
        chosen: list[_CachedTranslation] = []
        for item in reversed(self._cached):
            gap_ns = chosen[-1].stamp_ns - item.stamp_ns if chosen else np.inf
            if gap_ns >= (span_s - period / 2) * 1e9:
                chosen.append(item)
        return chosen[::-1]


def _translate(
    candidates: Candidates, heading_valid: MaskArray, translator: Translator, magnetic_yaw: float,
) -> _CachedTranslation:
    ticks, end = translator.ticks, np.array([candidates.ticks])
    translation = translator.translate_phones(
        *phone_windows(candidates, end, ticks, magnetic_yaw), heading_valid[:, -1])
    ranges = translator.translate_tracks(
        candidates.boxes[:, -ticks:], candidates.boxes_mask[:, -ticks:])[..., 0]
    return _CachedTranslation(
        candidates.stamp_ns, _rows(candidates.phones), translation, heading_valid[:, -1],
        _rows(candidates.track_ids), ranges)


def _rows(names: tuple[str, ...]) -> dict[str, int]:
    return {name: row for row, name in enumerate(names)}


def _common_rows(names: tuple[str, ...], rows: dict[str, int]) -> tuple[list[int], list[int]]:
    """Return rows of a cached translation, and the positions of their names in `names`."""
    present = [position for position, name in enumerate(names) if name in rows]
    return [rows[names[position]] for position in present], present


def _end(candidates: Candidates, item: _CachedTranslation) -> int:
    """Return the tick after the last one of an item's windows."""
    return candidates.ticks - round(
        (candidates.stamp_ns - item.stamp_ns) / (candidates.period * 1e9))
