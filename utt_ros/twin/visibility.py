"""What it says that a camera does not see somebody."""

import numpy as np

from utt_ros.geometry.camera import DEPTH_LIMITS_M, CameraModel
from utt_ros.types import FloatArray, MaskArray

CELL_M = 0.25
MISSED = 0.1  # probability that somebody in view is missed for INTERVAL_TICKS
HIDDEN = 0.1  # probability of being hidden behind something, for about HIDDEN_TAU_S
HIDDEN_TAU_S = 3.0
INTERVAL_TICKS = 5  # misses of neighbouring frames say the same


class View:
    """The floor that a camera oversees, as a table, since it is asked for every particle."""

    def __init__(self, camera: CameraModel) -> None:
        reach = DEPTH_LIMITS_M[1] * 1.5  # depth is less than distance
        centres = np.arange(-reach, reach, CELL_M) + CELL_M / 2
        self._table = camera.in_view(np.stack(np.meshgrid(centres, centres, indexing='ij'), -1))
        self._table[[0, -1]] = self._table[:, [0, -1]] = False  # and so beyond
        self._reach = np.float32(reach)

    def covers(self, x: FloatArray, y: FloatArray) -> MaskArray:
        """Whether people at x, y (...) [m] are in view (...)."""
        last = len(self._table) - 1
        i, j = (np.clip((at + self._reach) / np.float32(CELL_M), 0, last) for at in (x, y))
        return np.asarray(self._table[i.astype(np.intp), j.astype(np.intp)])

    def unseen(
            self, x: FloatArray, y: FloatArray, hidden: FloatArray, elapsed: FloatArray,
    ) -> tuple[FloatArray, FloatArray]:
        """Likelihood (S, P) of not being seen, and the probability (S, P) of being hidden then.

        Somebody in view is missed because of chance or because something hides him. What is
        hidden tends to stay so: `hidden` (S, P) is that probability for each particle, given that
        it was not seen so far; in `elapsed` seconds (S, 1) without evidence it goes back towards
        HIDDEN. So long silence proves no more than that he is out of view or hidden, and one
        glance at a covered camera cannot rule its whole view out [D].
        """
        hidden = HIDDEN + (hidden - HIDDEN) * np.exp(-elapsed / np.float32(HIDDEN_TAU_S))
        inside = self.covers(x, y)
        likelihood = np.where(inside, hidden + (1 - hidden) * np.float32(MISSED), np.float32(1))
        return likelihood, np.where(inside, hidden / likelihood, hidden)
