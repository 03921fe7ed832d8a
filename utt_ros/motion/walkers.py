"""How fast the subjects of an area walk, as its camera tells it from tick to tick."""

import numpy as np

from utt_ros.motion import velocity
from utt_ros.settings import AreaSettings
from utt_ros.types import Array, FloatArray, MaskArray, SyncedBatch

MAX_UNSEEN_S = 0.5  # up to which a velocity tells a model anything, as in training


class Walkers:
    """The filters that tell the course of training windows, one step per tick."""

    def __init__(self, area: AreaSettings) -> None:
        self._area = area
        self._known: dict[str, tuple[Array, Array, int, int]] = {}  # state, spread, stamp, seen

    def forget(self) -> None:
        """Begin anew."""
        self._known = {}

    def push(self, batch: SyncedBatch) -> tuple[FloatArray, MaskArray]:
        """Courses (S, 5, 2) `velocity.COURSE` in the area frame; known (S,)."""
        now_ns, names = batch.stamp_ns, batch.subjects
        state, spread = velocity.strangers(len(names))
        elapsed, seen_ns = np.zeros(len(names)), np.zeros(len(names), np.int64)
        for row, name in enumerate(names):
            if name in self._known:
                state[row], spread[row], stamp_ns, seen_ns[row] = self._known[name]
                elapsed[row] = (now_ns - stamp_ns) / 1e9
        seen = velocity.see(batch.camera, batch.camera_mask, self._area)
        state, spread = velocity.step(state, spread, elapsed, seen)
        seen_ns[seen.mask] = now_ns
        self._known = {name: (state[row], spread[row], now_ns, int(seen_ns[row]))
                       for row, name in enumerate(names)}
        fresh = (now_ns - seen_ns <= MAX_UNSEEN_S * 1e9) & (seen_ns > 0)
        told, sure = velocity.course(state, spread)
        known = fresh & sure
        return np.where(known[:, None, None], told, 0.0).astype(np.float32), known
