"""How far each phone points left of where its owner goes, learned while it is worn [D]."""

from collections.abc import Sequence

import numpy as np

from utt_ros.association.candidates import Candidates
from utt_ros.association.pair_features import MIN_SPEED_MPS, follow
from utt_ros.settings import AreaSettings
from utt_ros.types import Array, FloatArray, MaskArray

KEPT_S = 60.0  # a phone may be taken into the other hand
PHONE_PRIOR = 30.0  # ticks that speak for a phone being worn as all are in this area [R]
AREA_PRIOR = 300.0  # ticks that speak for the area's magnetic yaw being right [R]


class Offsets:
    """Circular means of heading less course over confident matches, phone by phone.

    A phone of which little is known is taken to point as all of the area do on average, and the
    area's phones to point ahead. Sums are of unit vectors, one per tick, and fade.
    """

    def __init__(self) -> None:
        self.clear()

    def clear(self) -> None:
        """Forget all phones."""
        self._sums: dict[str, complex] = {}
        self._everybody = 0j

    def of(self, phones: Sequence[str]) -> Array:
        """The offsets (P,) [rad]."""
        common = np.angle(AREA_PRIOR + self._everybody)
        own = np.array([self._sums.get(name, 0j) for name in phones], complex)
        return np.asarray(np.angle(PHONE_PRIOR * np.exp(1j * common) + own), np.float64)

    def learn(
        self, seen: Candidates, area: AreaSettings, compass: tuple[FloatArray, MaskArray],
        pairs: Sequence[tuple[int, int]], ticks: int,
    ) -> None:
        """Take the last ticks of matches that are certain, (track, phone) rows.

        `compass`: where phones point (P, T), nothing taken off, and whether that is known.
        """
        keep = float(np.exp(-ticks * seen.period / KEPT_S))
        self._sums = {name: keep * total for name, total in self._sums.items()
                      if abs(total) > 1.0}
        self._everybody *= keep
        if not pairs:
            return
        rows = [track for track, _ in pairs]
        velocity = follow(seen.of_tracks(rows), area).velocity
        going = velocity[:, -ticks:, 0] + 1j * velocity[:, -ticks:, 1]
        for way, (_, phone) in zip(going, pairs, strict=True):
            angles, valid = (part[phone, -ticks:] for part in compass)
            use = valid & (np.abs(np.nan_to_num(way)) > MIN_SPEED_MPS)
            turn = complex(np.exp(1j * (angles[use] - np.angle(way[use]))).sum())
            name = seen.phones[phone]
            self._sums[name] = self._sums.get(name, 0j) + turn
            self._everybody += turn
