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

"""Summary of a replayed demonstration, for JSON: errors, latencies, traffic and times."""

import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import numpy.typing as npt
import psutil

from utt_ros.demo.demo_page import film_test
from utt_ros.demo.figure import draw_position_map
from utt_ros.demo.model_scores import ModelScores
from utt_ros.demo.position_scores import (
    PositionScores,
    PublishedPositions,
    concatenate_scores,
    score_positions,
    summarize_scores,
)
from utt_ros.demo.recorded import read_published_positions, read_replay_clocks
from utt_ros.demo.replay_clock import (
    merge_segments,
    replay_latency_ms,
    select_segment,
    split_clock,
)
from utt_ros.demo.scenes import DemoArea
from utt_ros.errors import UttError
from utt_ros.federation.types import RoundStatus
from utt_ros.sessions.bag_io import open_bag
from utt_ros.sessions.session_bags import read_session
from utt_ros.types import NS_PER_S, Stamps

MOVED_M = 0.5  # from the first position of a person, who then walks for a viewer


def seconds_since_start() -> float:
    """Return the age of this process, the time of its imports included [s]."""
    return time.time() - psutil.Process().create_time()


def summarize_replay(
    areas: Sequence[DemoArea], log: Sequence[RoundStatus], out: Path, rate: float,
    models: ModelScores,
) -> dict[str, Any]:
    """Score the replays recorded in `out`, and draw map.png and demo.gif there. Raises UttError.

    `first_person_s` is the age of this process when the first twin published a position MOVED_M
    from where its person was first.
    """
    names = [area.name for area in areas]
    replayed = SimpleNamespace(
        test=read_published_positions(out / 'test'),
        test_clock=read_replay_clocks(out / 'test', names),
        training=read_published_positions(out / 'training'),
        training_clock=read_replay_clocks(out / 'training', names), rate=rate)
    summaries, scores_by_area = {}, {}
    for area in areas:
        summaries[area.name], scores = _area_summary(area, models, log, replayed)
        scores_by_area[area.name] = (area.settings, scores)
    draw_position_map(out / 'map.png', scores_by_area)
    film_test(out / 'demo.gif', out / 'test', [area.settings for area in areas])
    traffic = [status.bytes_received + status.bytes_sent for status in log]
    moved_s = first_moved_s(replayed.training)
    return {
        'rounds': len(log), 'bytes_per_round': round(sum(traffic) / len(traffic)),
        'replay_rate': rate, 'areas': summaries,
        'first_person_s': moved_s and moved_s - psutil.Process().create_time()}


def first_moved_s(positions: Mapping[str, PublishedPositions]) -> float | None:
    """Return when a position MOVED_M from its person's first one arrived [s], on the wall clock.

    None when nobody moved.
    """
    arrivals_ns = [
        ns for area in positions.values() for subject in np.unique(area.subjects)
        for ns in _moved_ns(area, area.subjects == subject)]
    return float(min(arrivals_ns)) / NS_PER_S if arrivals_ns else None


def _moved_ns(area: PublishedPositions, rows: npt.NDArray[np.bool_]) -> Stamps:
    """Return arrivals of one person's positions that are MOVED_M from the first one."""
    arrivals_ns, places = area.received_ns[rows], area.positions_m[rows]
    distance = np.linalg.norm(places - places[np.argmin(arrivals_ns)], axis=1)
    moved_ns: Stamps = arrivals_ns[distance >= MOVED_M]
    return moved_ns


def _area_summary(
    area: DemoArea, models: ModelScores, log: Sequence[RoundStatus],
    replayed: SimpleNamespace,
) -> tuple[dict[str, Any], PositionScores]:
    first, last = models.nmse(area.name)
    if area.name not in replayed.test:
        raise UttError(f'the twin of {area.name!r} published no position in the test')
    scores = _score(area, _by_bag(replayed.test[area.name], replayed.test_clock[area.name], area))
    untrained = _score(area, models.untrained(area.name))
    counted = [status.accepted[area.name] for status in log if area.name in status.accepted]
    summary = {
        'modalities': list(area.settings.modalities),
        'windows': counted[-1] if counted else 0,
        'rounds': len(counted),
        'nmse': {name: {'first': first[name], 'last': last[name]} for name in sorted(first)},
        'position_error_m': summarize_scores(scores),
        'untrained_m': summarize_scores(untrained),
        'latency_ms': replay_latency_ms(
            replayed.test[area.name], replayed.test_clock[area.name], replayed.rate),
        'latency_training_ms': replay_latency_ms(
            replayed.training[area.name], replayed.training_clock[area.name], replayed.rate),
    }
    return summary, scores


def _by_bag(
    predictions: PublishedPositions, clock: npt.NDArray[np.int64], area: DemoArea,
) -> list[PublishedPositions]:
    """Split positions by the time of their arrival, since bags of one area may overlap in time."""
    ends_ns = []
    for bag in area.replayed:
        with open_bag(bag) as recorded:
            ends_ns.append(recorded.end_ns)
    parts = merge_segments(split_clock(clock), ends_ns)
    if len(parts) != len(area.replayed):
        raise UttError(
            f'the replay of {area.name!r} had {len(parts)} parts: '
            f'{len(area.replayed)} bags were to be played')
    return [select_segment(predictions, part) for part in parts]


def _score(area: DemoArea, by_bag: Sequence[PublishedPositions]) -> PositionScores:
    """`by_bag`: predictions during each replayed bag."""
    use_camera = 'camera' in area.settings.modalities
    return concatenate_scores([
        score_positions(predictions, read_session(bag), use_camera=use_camera)
        for bag, predictions in zip(area.replayed, by_bag, strict=True)])
