"""What speaks for a track and a phone being one person's: numbers per pair, over one window.

Nothing here knows which pair is true. All of it is taken from when the track was first seen, so
tracks of any age are judged by what they share with each phone.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from utt_ros.association.candidates import Candidates
from utt_ros.association.dead_reckoning import headings
from utt_ros.association.translator import Translator
from utt_ros.geometry.camera import CameraModel
from utt_ros.geometry.compass import rotate, turn_field
from utt_ros.settings import AreaSettings
from utt_ros.types import CAMERA_CHANNELS, Array, FloatArray, MaskArray

Values = npt.NDArray[Any]

NAMES = (
    'range_mean_m', 'range_rms_m', 'range_std_m',  # FTM less the distance of the box
    'translated_range_mean_m', 'translated_range_rms_m',  # FTM less what the model expects of it
    'heading_along', 'heading_across',  # mean direction of travel in the frame of the phone
    'velocity_rms_mps', 'velocity_surprise', 'speed_difference_mps',  # of the model's velocity
    'path_rms_m', 'straight_m',  # the seen path less the model's; how long the seen path is
    'translated_column', 'translated_depth', 'translated_height',  # boxes less the model's
    'ranges', 'seconds',  # how much there is to judge by
)
EVERY_S = 1.0  # how often the model is asked for the velocity
VELOCITY_SPAN_S = 0.8  # to either side, over which the velocity of a track is taken
BOX_SCALE = np.array([350.0, 4.0, 55.0])  # of centre x [px], depth [m] and height [px]
BOX_CHANNELS = [0, 2, 4]
MAX_RESIDUAL_M = 15.0  # larger differences of a range are as wrong as this
MIN_SPEED_MPS = 0.3  # a direction of travel is told from faster walks


@dataclass(frozen=True, slots=True)
class Walks:
    """K tracks in the area frame; NaN where not seen."""

    position: Array  # (K, T, 2) [m], gaps filled in
    distance: Array  # (K, T) from the access point [m]
    velocity: Array  # (K, T, 2) [m/s]
    inside: MaskArray  # (K, T) from when a track was first seen


@dataclass(frozen=True, slots=True)
class Told:
    """What the model says of the velocities of P phones at E instants, area frame."""

    ends: npt.NDArray[np.intp]  # (E,) ticks, each behind the one spoken of
    velocity: Array  # (P, E, 2) [m/s]
    std: Array  # (P, E)
    known: MaskArray  # (P, E)


@dataclass(frozen=True, slots=True)
class Said:
    """What a model says of P phones at E instants, and of the ranges to K tracks."""

    ends: npt.NDArray[np.intp]  # (E,) ticks, each behind the last of a window of T' ticks
    velocity: FloatArray  # (P, E, 2) at the end of each window, heading frame [m/s]
    std: FloatArray  # (P, E, 2)
    known: MaskArray  # (P, E)
    boxes: FloatArray  # (P, E, T', 5) of each window
    ranges: FloatArray  # (K, T) [m]
    ranged: MaskArray  # (K, T)


def gather(
    seen: Candidates, area: AreaSettings, translator: Translator, heading_bias: float = 0.0,
) -> FloatArray:
    """Evidence (K, P, F) in the order of NAMES; NaN where nothing tells."""
    compass = headings(seen, area.magnetic_yaw + heading_bias)
    known = seen.track_ids and seen.phones
    return weigh(
        seen, area, compass,
        ask(seen, compass[1], translator, area.magnetic_yaw) if known else silence(seen))


def weigh(
    seen: Candidates, area: AreaSettings, compass: tuple[FloatArray, MaskArray], said: Said,
) -> FloatArray:
    """Evidence (K, P, F) in the order of NAMES, given where phones point (P, T); NaN: unknown."""
    evidence = np.full((len(seen.track_ids), len(seen.phones), len(NAMES)), np.nan)
    if not evidence.size:
        return evidence.astype(np.float32)
    walks = follow(seen, area)
    with np.errstate(invalid='ignore', divide='ignore'):
        evidence[..., 0:3], evidence[..., 15] = _ranges(seen, walks.distance, walks.inside)
        expected, _ = _ranges(seen, said.ranges.astype(np.float64), walks.inside & said.ranged)
        evidence[..., 3:5] = expected[..., :2]
        evidence[..., 5:7] = _directions(walks, *compass)
        evidence[..., 7:12] = _velocities(seen, walks, _turned(said, compass))
        evidence[..., 12:15] = _boxes(seen, said.ends, said.boxes)
    evidence[..., 16] = seen.period * walks.inside.sum(1)[:, None]
    return evidence.astype(np.float32)


def ask(
    seen: Candidates, heading_valid: MaskArray, translator: Translator, magnetic_yaw: float,
) -> Said:
    """Ask a model for everything: once a second of every phone, side by side of every track."""
    step = round(EVERY_S / seen.period)
    ends = np.arange(seen.ticks, 0, -step)[::-1]
    says = translator.phones(
        *phone_windows(seen, ends, translator.ticks, magnetic_yaw),
        heading_valid[:, ends - 1].reshape(-1))
    shape = (len(seen.phones), len(ends))
    boxes, mask = cut(seen.boxes, translator.ticks), cut(seen.boxes_mask, translator.ticks)
    ranges = translator.tracks(
        boxes.reshape(-1, *boxes.shape[2:]), mask.reshape(-1, mask.shape[2]))
    return Said(
        ends, says.velocity.reshape(*shape, 2), says.velocity_std.reshape(*shape, 2),
        heading_valid[:, ends - 1], says.boxes.reshape(*shape, translator.ticks, -1),
        ranges[..., 0].reshape(len(mask), -1)[:, -seen.ticks:],
        np.repeat(mask.any(2), translator.ticks, axis=1)[:, -seen.ticks:])


def silence(seen: Candidates) -> Said:
    """What no model says."""
    none = (len(seen.phones), 0)
    return Said(
        np.zeros(0, np.intp), np.zeros((*none, 2), np.float32), np.zeros((*none, 2), np.float32),
        np.zeros(none, bool), np.zeros((*none, 1, len(CAMERA_CHANNELS)), np.float32),
        np.zeros(seen.boxes_mask.shape, np.float32), np.zeros(seen.boxes_mask.shape, bool))


def phone_windows(
    seen: Candidates, ends: npt.NDArray[np.intp], ticks: int, magnetic_yaw: float,
) -> tuple[FloatArray, MaskArray, FloatArray, MaskArray]:
    """FTM and IMU with masks in windows (P * E, ...) that end before these ticks.

    Magnetic fields are turned towards the area, as models read them.
    """
    rows = seen.imu_rows
    ftm, ftm_mask, imu, imu_mask = (
        windows_at(values, ends, ticks, per_tick).reshape(-1, ticks * per_tick, *values.shape[2:])
        for values, per_tick in (
            (seen.ftm, 1), (seen.ftm_mask, 1), (seen.imu, rows), (seen.imu_mask, rows)))
    turned = turn_field(imu, imu_mask, seen.period / rows, magnetic_yaw)
    return ftm, ftm_mask, turned, imu_mask


def follow(seen: Candidates, area: AreaSettings) -> Walks:
    """Positions, gaps filled by straight lines, and velocities of tracks."""
    located, _ = CameraModel(area).locate(seen.boxes)
    ticks = np.arange(seen.ticks)
    position = np.full((len(seen.boxes), seen.ticks, 2), np.nan)
    inside = np.zeros(position.shape[:2], bool)
    for row, mask in enumerate(seen.boxes_mask):
        good = np.flatnonzero(mask & np.isfinite(located[row]).all(1))
        if good.size:
            inside[row] = ticks >= good[0]
            for axis in (0, 1):
                position[row, :, axis] = np.interp(ticks, good, located[row, good, axis])
    x, y, z = area.ap_position
    ground = np.hypot(position[..., 0] - x, position[..., 1] - y)
    span = max(1, round(VELOCITY_SPAN_S / seen.period))
    velocity = _slopes(position, inside, span) / seen.period
    return Walks(position, np.hypot(ground, z - area.phone_height), velocity, inside)


def _slopes(position: Array, inside: MaskArray, span: int) -> Array:
    """Slopes (K, T, 2) per tick of lines through the points up to `span` ticks away."""
    weight = np.where(inside, 1.0, 0.0)
    values = np.where(inside[..., None], position, 0.0)
    kernel = np.ones(2 * span + 1)
    ticks = np.arange(position.shape[1], dtype=np.float64)

    def around(rows: Array) -> Array:
        padded = np.pad(rows, ((0, 0), (span, span)))
        return np.stack([np.convolve(row, kernel, 'valid') for row in padded])

    total, first = around(weight), around(weight * ticks)
    second = around(weight * ticks**2)
    found = np.empty_like(position)
    for axis in (0, 1):
        level = around(weight * values[..., axis])
        moment = around(weight * values[..., axis] * ticks)
        spread = total * second - first**2
        found[..., axis] = np.where(
            spread > 1e-6, (total * moment - first * level) / np.where(spread > 1e-6, spread, 1.0),
            np.nan)
    return np.where(inside[..., None], found, np.nan)


def _mean(values: Array, use: MaskArray) -> Array:
    """Mean over the last axis of what is used; NaN where nothing is."""
    count = use.sum(-1)
    total = np.where(use, values, 0.0).sum(-1)
    return np.where(count > 0, total / np.maximum(count, 1), np.nan)


def _ranges(seen: Candidates, distance: Array, inside: MaskArray) -> tuple[Array, Array]:
    """Mean, rms and std of measured less told distance (K, P, 3), and how many (K, P)."""
    use = seen.ftm_mask[None] & inside[:, None]  # (K, P, T)
    error = np.clip(
        seen.ftm[None, :, :, 0] - np.nan_to_num(distance)[:, None],
        -MAX_RESIDUAL_M, MAX_RESIDUAL_M)
    mean, square = _mean(error, use), _mean(error**2, use)
    std = np.sqrt(np.maximum(square - mean**2, 0.0))
    return np.stack([mean, np.sqrt(square), std], axis=-1), np.asarray(use.sum(-1), np.float64)


def _directions(walks: Walks, angles: FloatArray, valid: MaskArray) -> Array:
    """Mean of the direction of travel, as (along, across) the phone's heading (K, P, 2)."""
    moving = np.linalg.norm(walks.velocity, axis=-1) > MIN_SPEED_MPS
    course = np.arctan2(walks.velocity[..., 1], walks.velocity[..., 0])
    turn = course[:, None] - angles[None]  # (K, P, T)
    use = moving[:, None] & valid[None]
    return np.stack([_mean(np.cos(turn), use), _mean(np.sin(turn), use)], axis=-1)


def _turned(said: Said, compass: tuple[FloatArray, MaskArray]) -> Told:
    """What was said of the velocities, in the area frame."""
    angle = compass[0][:, said.ends - 1]
    std = np.hypot(said.std[..., 0], said.std[..., 1]) / np.sqrt(2)
    return Told(said.ends, rotate(said.velocity, angle), std, said.known)


def _velocities(seen: Candidates, walks: Walks, told: Told) -> Array:
    ends, velocity, std, known = told.ends, told.velocity, told.std, told.known
    walked = walks.velocity[:, None, ends - 1]  # (K, 1, E, 2)
    use = np.isfinite(walked).all(-1) & known[None]  # (K, P, E)
    error = np.where(use[..., None], walked - velocity[None], 0.0)
    square = (error**2).sum(-1)
    speeds = np.linalg.norm(np.nan_to_num(walked), axis=-1) - np.linalg.norm(velocity, axis=-1)
    surprise = square / std[None]**2 / 2 + 2 * np.log(std[None])
    step = np.diff(ends, prepend=0)[:, None] * seen.period
    path = np.cumsum(np.where(known[..., None], velocity, 0.0) * step, axis=1)[None]
    gap = np.where(use[..., None], np.nan_to_num(walks.position[:, None, ends - 1]) - path, 0.0)
    centred = gap - np.stack([_mean(gap[..., axis], use) for axis in (0, 1)], -1)[:, :, None]
    away = np.sqrt(_mean((centred**2).sum(-1), use))
    straight = np.nansum(np.linalg.norm(walks.velocity, axis=-1), axis=1) * seen.period
    return np.stack([
        np.sqrt(_mean(square, use)), _mean(surprise, use), np.abs(_mean(speeds, use)), away,
        np.broadcast_to(straight[:, None], away.shape)], axis=-1)


def _boxes(seen: Candidates, ends: npt.NDArray[np.intp], boxes: FloatArray) -> Array:
    """Rms (K, P, 3) of seen less translated boxes (P, E, T', 5), per channel, scaled."""
    ticks = boxes.shape[2]
    mask = windows_at(seen.boxes_mask, ends, ticks, 1).reshape(len(seen.boxes), -1)  # (K, E T')
    true = windows_at(seen.boxes, ends, ticks, 1).reshape(*mask.shape, len(CAMERA_CHANNELS))
    count = mask.sum(1, keepdims=True)
    found = []
    for channel, scale in zip(BOX_CHANNELS, BOX_SCALE, strict=True):
        one = np.where(mask, true[..., channel] / scale, 0.0)
        other = (boxes[..., channel] / scale).reshape(len(boxes), -1)  # (P, E T')
        square = (one**2).sum(1)[:, None] - 2.0 * one @ other.T + mask @ (other**2).T
        found.append(np.sqrt(np.where(count, np.maximum(square, 0.0) / count, np.nan)))
    return np.stack(found, axis=-1)


def windows_at(
    values: Values, ends: npt.NDArray[np.intp], ticks: int, per_tick: int,
) -> Values:
    """The windows (N, E, ticks * per_tick, ...) that end before each tick; zeros before 0."""
    rows = ticks * per_tick
    padded = np.concatenate([np.zeros_like(values[:, :1]).repeat(rows, 1), values], axis=1)
    index = (ends * per_tick)[:, None] + np.arange(rows)
    return np.asarray(padded[:, index])


def cut(values: Values, ticks: int) -> Values:
    """Windows (N, E, ticks, ...) side by side, the last at the end; zeros before the first."""
    length = values.shape[1]
    ends = np.arange(length, 0, -ticks)[::-1]
    return windows_at(values, ends, ticks, 1)
