"""Vi-Fi's bipartite association [S: Liu et al., IPSN 2022, and its released code].

    cost = w1 DTW(aligned dead reckoning, trajectory) + w2 DTW(heading of the phone, course)
         + w3 DTW(FTM range, depth)

with every DTW divided by the lengths of its sequences, and (w1, w2, w3) = (0.1, 0.1, 0.8).
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from utt_ros.association.assignment import Costs
from utt_ros.association.candidates import Candidates
from utt_ros.association.dead_reckoning import dead_reckon, headings
from utt_ros.association.dtw import pack, warp
from utt_ros.geometry.camera import CameraModel
from utt_ros.geometry.compass import wrap_angle
from utt_ros.settings import AreaSettings
from utt_ros.types import Array, MaskArray

PUBLISHED = (0.1, 0.1, 0.8)
COURSE_TICKS = 5  # to either side, over which the direction of a walk is taken


@dataclass(frozen=True, slots=True)
class BipartiteSettings:
    """What of the method is open to tuning."""

    weights: tuple[float, float, float] = PUBLISHED  # trajectory [m], heading [rad], range [m]
    step_m: float = 0.65
    slant: bool = False  # compare FTM with the distance from the access point, not with depth
    every: int = 1  # walks are compared at every so manyth tick; that is faster by its square
    range_bias_m: float = 0.0  # taken off every range
    heading_bias: Mapping[str, float] = field(default_factory=dict)  # area -> [rad], taken off


class VifiBipartite:
    """One area's matcher."""

    def __init__(self, area: AreaSettings, settings: BipartiteSettings | None = None) -> None:
        self.area = area
        self.settings = settings or BipartiteSettings()

    def cost(self, seen: Candidates, turned: float | Array = 0.0) -> Costs:
        """Weighted costs (K, P); a part that nothing tells weighs nothing.

        `turned`: how far phones point left of where their owners go, one for all or (P,) [rad].
        """
        parts = self.parts(seen, turned)
        return combine(parts, self.settings.weights)

    def parts(self, seen: Candidates, turned: float | Array = 0.0) -> Array:
        """DTW costs (3, K, P) of trajectory, heading and range."""
        area, own = self.area, self.settings
        yaw = area.magnetic_yaw + own.heading_bias.get(area.area, 0.0) + turned
        where = CameraModel(area).back_project(seen.boxes)  # (K, T, 2)
        walked = dead_reckon(seen, yaw, own.step_m)  # (P, T, 2)
        phone_heading, heading_valid = headings(seen, yaw)
        some = slice((seen.ticks - 1) % own.every, None, own.every)
        mask = seen.boxes_mask[:, some]
        return np.stack([
            compare_paths(where[:, some], mask, walked[:, some]),
            compare_courses(where[:, some], mask, phone_heading[:, some],
                            heading_valid[:, some], max(1, COURSE_TICKS // own.every)),
            self._compare_ranges(seen, where, some)])

    def _compare_ranges(self, seen: Candidates, where: Array, some: slice) -> Costs:
        far: Array = seen.boxes[..., 2].astype(np.float64)
        if self.settings.slant:
            x, y, z = self.area.ap_position
            ground = np.hypot(where[..., 0] - x, where[..., 1] - y)
            far = np.hypot(ground, z - self.area.phone_height)
        ranges = seen.ftm[..., 0].astype(np.float64) - self.settings.range_bias_m
        since = np.arange(seen.ticks) >= seen.first_seen[:, None]
        used = seen.ftm_mask & since[:, None]  # (K, P, T)
        return _warp_all(far[:, some], seen.boxes_mask[:, some],
                         np.broadcast_to(ranges, used.shape), used)


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
    aligned = np.zeros((len(track), *phones.shape), complex)
    for row, used in enumerate(mask):
        if not used.any():
            continue
        path = track[row, used]
        track[row, used] = path = path - path.mean()
        moved = phones[:, used]
        moved = moved - moved.mean(1, keepdims=True)
        turn = (moved.conj() * path).sum(1, keepdims=True)
        turn = np.where(np.abs(turn) > 1e-9, turn / np.maximum(np.abs(turn), 1e-9), 1.0)
        aligned[row][:, used] = moved * turn
    both = np.broadcast_to(mask[:, None], aligned.shape)
    return np.asarray(sum(
        _warp_all(part(track), mask, part(aligned), both) for part in (np.real, np.imag)))


def compare_courses(
    where: Array, mask: MaskArray, phone_heading: npt.NDArray[np.floating], valid: MaskArray,
    reach: int = COURSE_TICKS,
) -> Costs:
    """DTW of the angle between the course of a walk and the heading of a phone [rad].

    where (K, T, 2), mask (K, T); headings and their validity (P, T).
    """
    course = np.zeros(mask.shape)
    for row, used in enumerate(mask):
        course[row, used] = _course(where[row, used], reach)
    usable = valid & (np.arange(mask.shape[1]) >= mask.argmax(1)[:, None])[:, None]
    angles = np.broadcast_to(np.asarray(phone_heading, np.float64), usable.shape)
    return _warp_all(course, mask, angles, usable, circular=True)


def _course(path: Array, reach: int) -> Array:
    """Directions (n,) of a path (n, 2), between the points `reach` before and after."""
    index = np.arange(len(path))
    ahead = np.minimum(index + reach, len(path) - 1)
    behind = np.maximum(index - reach, 0)
    moved = path[ahead] - path[behind]
    return np.asarray(np.arctan2(moved[:, 1], moved[:, 0]))


def _warp_all(
    walks: Array, seen: MaskArray, told: Array, known: MaskArray, *, circular: bool = False,
) -> Costs:
    """DTW costs (K, P) between what is seen of walks (K, n) and told for each (K, P, m)."""
    first, ones = pack(walks, seen)
    second, others = pack(told, known)
    tracks, phones = others.shape
    first, second = first[:, :max(ones.max(initial=0), 1)], second[..., :max(
        others.max(initial=0), 1)]
    local = first[:, None, :, None] - second[:, :, None, :]
    local = np.abs(wrap_angle(local) if circular else local)
    return warp(local.reshape(tracks * phones, *local.shape[2:]), np.repeat(ones, phones),
                others.reshape(-1)).reshape(tracks, phones)
