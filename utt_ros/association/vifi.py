"""Vi-Fi's bipartite association [S: Liu et al., IPSN 2022, and its released code].

    cost = w1 DTW(aligned dead reckoning, trajectory) + w2 DTW(heading of the phone, course)
         + w3 DTW(FTM range, depth)

with every DTW divided by the lengths of its sequences, and (w1, w2, w3) = (0.1, 0.1, 0.8).
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from utt_ros.association.candidates import Candidates
from utt_ros.association.dtw import pack, warp
from utt_ros.association.matching import Costs
from utt_ros.association.steps import dead_reckon, headings
from utt_ros.geometry.camera import CameraModel
from utt_ros.geometry.heading import wrap_angle
from utt_ros.records import MaskArray
from utt_ros.settings import AreaSettings

Array = npt.NDArray[np.float64]

PUBLISHED = (0.1, 0.1, 0.8)
COURSE_TICKS = 5  # to either side, over which the direction of a walk is taken


@dataclass(frozen=True, slots=True)
class BipartiteSettings:
    """What of the method is open to tuning."""

    weights: tuple[float, float, float] = PUBLISHED  # trajectory [m], heading [rad], range [m]
    step_m: float = 0.65
    slant: bool = False  # compare FTM with the distance from the access point, not with depth
    range_bias_m: float = 0.0  # taken off every range
    heading_bias: Mapping[str, float] = field(default_factory=dict)  # area -> [rad], taken off


class VifiBipartite:
    """One area's matcher."""

    def __init__(self, area: AreaSettings, settings: BipartiteSettings | None = None) -> None:
        self.area = area
        self.settings = settings or BipartiteSettings()

    def cost(self, seen: Candidates) -> Costs:
        """Weighted costs (K, P); a part that nothing tells weighs nothing."""
        parts = self.parts(seen)
        return combine(parts, self.settings.weights)

    def parts(self, seen: Candidates) -> Array:
        """DTW costs (3, K, P) of trajectory, heading and range."""
        area, own = self.area, self.settings
        yaw = area.magnetic_yaw + own.heading_bias.get(area.area, 0.0)
        where = CameraModel(area).back_project(seen.boxes)  # (K, T, 2)
        walked = dead_reckon(seen, yaw, own.step_m)  # (P, T, 2)
        phone_heading, heading_valid = headings(seen, yaw)
        return np.stack([
            compare_paths(where, seen.boxes_mask, walked),
            compare_courses(where, seen.boxes_mask, phone_heading, heading_valid),
            self._compare_ranges(seen, where)])

    def _compare_ranges(self, seen: Candidates, where: Array) -> Costs:
        far: Array = seen.boxes[..., 2].astype(np.float64)
        if self.settings.slant:
            x, y, z = self.area.ap_position
            ground = np.hypot(where[..., 0] - x, where[..., 1] - y)
            far = np.hypot(ground, z - self.area.phone_height)
        ranges = seen.ftm[..., 0].astype(np.float64) - self.settings.range_bias_m
        return np.stack([
            _warp_row(far[row], seen.boxes_mask[row], ranges,
                      seen.ftm_mask & _since(seen, row))
            for row in range(len(far))]) if len(far) else np.zeros((0, len(ranges)))


def combine(parts: Array, weights: tuple[float, ...]) -> Costs:
    """Weighted sums (K, P) of costs (n, K, P); one not known counts as the mean of its kind."""
    total = np.zeros(parts.shape[1:])
    for part, weight in zip(parts, weights, strict=True):
        known = np.isfinite(part)
        total += weight * np.where(known, part, part[known].mean() if known.any() else 0.0)
    return total


def compare_paths(where: Array, mask: MaskArray, walked: Array) -> Costs:
    """DTW of x plus that of y after the walked path is turned and moved onto the seen one.

    where (K, T, 2), mask (K, T), walked (P, T, 2); Procrustes without reflection or scale.
    """
    track = np.where(mask, where[..., 0], 0.0) + 1j * np.where(mask, where[..., 1], 0.0)
    phones = walked[..., 0] + 1j * walked[..., 1]
    costs = np.full((len(track), len(phones)), np.nan)
    for row, used in enumerate(mask):
        if not used.any():
            continue
        path = track[row, used]
        path = path - path.mean()
        moved = phones[:, used]
        moved = moved - moved.mean(1, keepdims=True)
        turn = (moved.conj() * path).sum(1, keepdims=True)
        turn = np.where(np.abs(turn) > 1e-9, turn / np.maximum(np.abs(turn), 1e-9), 1.0)
        aligned = moved * turn
        lengths = np.full(len(phones), len(path))
        costs[row] = sum(
            warp(np.abs(part(path)[None, :, None] - part(aligned)[:, None, :]), lengths, lengths)
            for part in (np.real, np.imag))
    return costs


def compare_courses(
    where: Array, mask: MaskArray, phone_heading: npt.NDArray[np.floating], valid: MaskArray,
) -> Costs:
    """DTW of the angle between the course of a walk and the heading of a phone [rad].

    where (K, T, 2), mask (K, T); headings and their validity (P, T).
    """
    costs = np.full((len(where), len(phone_heading)), np.nan)
    for row, used in enumerate(mask):
        course = _course(where[row, used])
        angles, numbers = pack(
            np.asarray(phone_heading, np.float64), valid & (np.arange(len(used)) >= used.argmax()))
        local = np.abs(wrap_angle(course[None, :, None] - angles[:, None, :]))
        costs[row] = warp(local, np.full(len(angles), len(course)), numbers)
    return costs


def _course(path: Array) -> Array:
    """Directions (n,) of a path (n, 2), between the points some ticks before and after."""
    index = np.arange(len(path))
    ahead = np.minimum(index + COURSE_TICKS, len(path) - 1)
    behind = np.maximum(index - COURSE_TICKS, 0)
    moved = path[ahead] - path[behind]
    return np.asarray(np.arctan2(moved[:, 1], moved[:, 0]))


def _since(seen: Candidates, row: int) -> MaskArray:
    """The ticks (1, T) from when a track was first seen."""
    return np.asarray(np.arange(seen.ticks)[None] >= seen.first_seen[row])


def _warp_row(far: Array, used: MaskArray, ranges: Array, ranged: MaskArray) -> Array:
    packed, numbers = pack(ranges, ranged)
    packed = packed[:, :max(int(numbers.max(initial=0)), 1)]
    mine = far[used]
    if not len(mine):
        return np.full(len(ranges), np.nan)
    local = np.abs(mine[None, :, None] - packed[:, None, :])
    return warp(local, np.full(len(ranges), len(mine)), numbers)
