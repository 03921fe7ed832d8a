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

"""Positions and clocks in a recorded bag of a demonstration."""

import re
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from utt_ros.demo.position_scores import PublishedPositions
from utt_ros.evaluation.recorded_people import iterate_messages
from utt_ros.types import Stamps, stamp_to_ns

POSITION = re.compile(r'/(?P<area>[^/]+)/twins/(?P<subject>[^/]+)/position')
CLOCK = re.compile(r'/(?P<area>[^/]+)/clock|/clock')


def read_published_positions(bag: Path) -> dict[str, PublishedPositions]:
    """Read positions by area, with the receive times of the recorder. Raises SessionError."""
    rows: dict[str, list[tuple[str, int, list[float], int]]] = defaultdict(list)
    for received_ns, match, message in iterate_messages(bag, POSITION):
        pose, stamp = message.pose, message.header.stamp
        place = pose.pose.position
        numbers = [place.x, place.y, *pose.covariance[[0, 1, 6, 7]].tolist()]
        rows[match['area']].append((match['subject'], stamp_to_ns(stamp), numbers, received_ns))
    positions = {}
    for area, all_rows in rows.items():
        subjects, stamps, places, received = zip(*all_rows, strict=True)
        table = np.array(places, np.float64)
        positions[area] = PublishedPositions(
            np.array(subjects), np.array(stamps), table[:, :2], table[:, 2:].reshape(-1, 2, 2),
            np.array(received))
    return positions


def read_replay_clocks(bag: Path, areas: Sequence[str]) -> dict[str, Stamps]:
    """Read clocks (M, 2) by area: replayed time and receive time of the recorder [ns].

    An unnamed clock is that of all `areas`. Raises SessionError.
    """
    rows: dict[str, list[tuple[int, int]]] = defaultdict(list)
    for received_ns, match, message in iterate_messages(bag, CLOCK):
        for area in [match['area']] if match['area'] else areas:
            rows[area].append((stamp_to_ns(message.clock), received_ns))
    return {area: np.array(pairs, np.int64) for area, pairs in rows.items()}
