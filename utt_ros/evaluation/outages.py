"""Cameras that fail: the same ticks without what the camera saw for a while."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from utt_ros.evaluation.ground_truth import Walk
from utt_ros.types import MaskArray, Stamps, SyncedBatch

BETWEEN_S = 10.0  # a camera works before each outage
IN_VIEW_S = 1.0  # somebody seen so shortly before an outage was in view when it began


def outage_mask(stamps_ns: Stamps, length_s: float) -> MaskArray:
    """Whether the camera is off (T,): for `length_s` after every `BETWEEN_S`; inf: always."""
    if np.isinf(length_s):
        return np.ones(len(stamps_ns), bool)
    seconds = (stamps_ns - stamps_ns[0]) / 1e9
    return np.asarray(seconds % (BETWEEN_S + length_s) >= BETWEEN_S)


def blind(batches: Sequence[SyncedBatch], off: MaskArray) -> list[SyncedBatch]:
    """Ticks as they are with a camera that is silent where `off` (T,): the clock ticks then."""
    return [
        replace(batch, camera_tick=False, camera=np.zeros_like(batch.camera),
                camera_mask=np.zeros_like(batch.camera_mask)) if away else batch
        for batch, away in zip(batches, off, strict=True)]


def blind_walk(walk: Walk, off: MaskArray) -> Walk:
    """The same of a walk; `off` is that of its session's ticks."""
    return replace(walk, camera_mask=walk.camera_mask & ~off[walk.ticks])


def overtaken(walk: Walk, off: MaskArray) -> MaskArray:
    """Ticks (T,) of outages that began while the camera saw the subject."""
    away = off[walk.ticks]
    age = walk.camera_age_s(walk.camera_mask & ~away)
    begin = np.flatnonzero(np.diff(off.astype(np.int8), prepend=0) > 0)  # session ticks
    number = np.searchsorted(begin, walk.ticks, side='right') - 1
    found = np.zeros(len(away), bool)
    for outage in np.unique(number[away]):
        rows = np.flatnonzero(away & (number == outage))
        found[rows] = age[rows[0]] <= IN_VIEW_S
    return found
