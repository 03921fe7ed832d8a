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
from utt_ros.association.dead_reckoning import dead_reckon, window_headings
from utt_ros.association.dtw import compact, dtw_distance
from utt_ros.geometry.camera import CameraModel
from utt_ros.geometry.compass import wrap_angle
from utt_ros.settings import AreaSettings
from utt_ros.types import Array, FloatArray, MaskArray

PUBLISHED_WEIGHTS = (0.1, 0.1, 0.8)
COURSE_TICKS = 5  # to either side of a tick, for the direction of a trajectory
VIFI_FEATURES = ('vifi_cost', 'ranges', 'seconds')


@dataclass(frozen=True, slots=True)
class BipartiteSettings:
    """Tunable parameters of the method."""

    weights: tuple[float, float, float] = PUBLISHED_WEIGHTS  # path [m], heading [rad], range [m]
    step_m: float = 0.65
    slant: bool = False  # compare FTM with the distance from the access point, not with depth
    every: int = 1  # stride in ticks of the compared trajectories; cost falls by its square
    range_bias_m: float = 0.0  # subtracted from every range
    heading_bias: Mapping[str, float] = field(default_factory=dict)  # area -> [rad], subtracted


# Weights: the best of seven on simulated walks (docs/association.md). With a stride of 1, matches
# of 20 phones take too long.
LIVE_SETTINGS = BipartiteSettings((0.3, 3.0, 0.8), slant=True, every=4)


class VifiBipartite:
    """Cost of each pair in one area."""

    def __init__(self, area: AreaSettings, settings: BipartiteSettings | None = None) -> None:
        self.area = area
        self.settings = settings or BipartiteSettings()

    def cost(self, candidates: Candidates, heading_offsets: float | Array = 0.0) -> Costs:
        """Return weighted costs (K, P); see `combine` for parts that are unknown.

        `heading_offsets` [rad], counter-clockwise from the direction of travel: a scalar or (P,).
        """
        parts = self.parts(candidates, heading_offsets)
        return combine(parts, self.settings.weights)

    def parts(self, candidates: Candidates, heading_offsets: float | Array = 0.0) -> Array:
        """Return DTW costs (3, K, P) of trajectory, heading and range."""
        area, own = self.area, self.settings
        yaw = area.magnetic_yaw + own.heading_bias.get(area.area, 0.0) + heading_offsets
        positions = CameraModel(area).back_project(candidates.boxes)  # (K, T, 2)
        walked = dead_reckon(candidates, yaw, own.step_m)  # (P, T, 2)
        headings, valid = window_headings(candidates, yaw)
        strided = slice((candidates.ticks - 1) % own.every, None, own.every)
        mask = candidates.boxes_mask[:, strided]
        return np.stack([
            compare_paths(positions[:, strided], mask, walked[:, strided]),
            compare_courses(positions[:, strided], mask, headings[:, strided],
                            valid[:, strided], max(1, COURSE_TICKS // own.every)),
            self._compare_ranges(candidates, positions, strided)])

    def features(self, candidates: Candidates, heading_offsets: Array) -> FloatArray:
        """Return VIFI_FEATURES (K, P, 3): cost, number of ranges and age of the track [s]."""
        ranges = _shared_ranges(candidates).sum(2)
        seconds = np.broadcast_to(candidates.ages_s[:, None], ranges.shape)
        return np.stack([self.cost(candidates, heading_offsets), ranges, seconds], axis=-1).astype(
            np.float32)

    def _compare_ranges(self, candidates: Candidates, positions: Array, strided: slice) -> Costs:
        distance: Array = candidates.boxes[..., 2].astype(np.float64)
        if self.settings.slant:
            x, y, z = self.area.ap_position
            ground = np.hypot(positions[..., 0] - x, positions[..., 1] - y)
            distance = np.hypot(ground, z - self.area.phone_height)
        ranges = candidates.ftm[..., 0].astype(np.float64) - self.settings.range_bias_m
        shared = _shared_ranges(candidates)
        return _dtw_pairs(distance[:, strided], candidates.boxes_mask[:, strided],
                          np.broadcast_to(ranges, shared.shape), shared)


def _shared_ranges(candidates: Candidates) -> MaskArray:
    """Return the mask (K, P, T) of ranges measured since each track was first seen."""
    since = np.arange(candidates.ticks) >= candidates.first_seen[:, None]
    return np.asarray(candidates.ftm_mask & since[:, None])


def combine(parts: Array, weights: tuple[float, ...]) -> Costs:
    """Return weighted sums (K, P) of costs (n, K, P); unknown costs count as their part's mean."""
    total = np.zeros(parts.shape[1:])
    for part, weight in zip(parts, weights, strict=True):
        known = np.isfinite(part)
        total += weight * np.where(known, part, part[known].mean() if known.any() else 0.0)
    return total


def compare_paths(positions: Array, mask: MaskArray, walked: Array) -> Costs:
    """Return DTW costs (K, P) of x plus those of y, after aligning each walked path to the track.

    positions (K, T, 2), mask (K, T), walked (P, T, 2); Procrustes without reflection or scale.
    """
    track = np.where(mask, positions[..., 0], 0.0) + 1j * np.where(mask, positions[..., 1], 0.0)
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
        _dtw_pairs(part(track), mask, part(aligned), both) for part in (np.real, np.imag)))


def compare_courses(
    positions: Array, mask: MaskArray, headings: npt.NDArray[np.floating], valid: MaskArray,
    reach: int = COURSE_TICKS,
) -> Costs:
    """Return DTW costs (K, P) [rad] between courses of tracks and headings of phones.

    positions (K, T, 2), mask (K, T); headings and their validity (P, T).
    """
    course = np.zeros(mask.shape)
    for row, used in enumerate(mask):
        course[row, used] = _course(positions[row, used], reach)
    usable = valid & (np.arange(mask.shape[1]) >= mask.argmax(1)[:, None])[:, None]
    angles = np.broadcast_to(np.asarray(headings, np.float64), usable.shape)
    return _dtw_pairs(course, mask, angles, usable, circular=True)


def _course(path: Array, reach: int) -> Array:
    """Return directions (n,) of a path (n, 2), between the points `reach` before and after."""
    index = np.arange(len(path))
    ahead = np.minimum(index + reach, len(path) - 1)
    behind = np.maximum(index - reach, 0)
    moved = path[ahead] - path[behind]
    return np.asarray(np.arctan2(moved[:, 1], moved[:, 0]))


def _dtw_pairs(
    tracks: Array, tracks_mask: MaskArray, phones: Array, phones_mask: MaskArray, *,
    circular: bool = False,
) -> Costs:
    """Return DTW costs (K, P) of series of tracks (K, n) and of phones, per track (K, P, m)."""
    first, first_lengths = compact(tracks, tracks_mask)
    second, second_lengths = compact(phones, phones_mask)
    track_count, phone_count = second_lengths.shape
    first = first[:, :max(first_lengths.max(initial=0), 1)]
    second = second[..., :max(second_lengths.max(initial=0), 1)]
    local = first[:, None, :, None] - second[:, :, None, :]
    local = np.abs(wrap_angle(local) if circular else local)
    return dtw_distance(
        local.reshape(track_count * phone_count, *local.shape[2:]),
        np.repeat(first_lengths, phone_count), second_lengths.reshape(-1),
    ).reshape(track_count, phone_count)
