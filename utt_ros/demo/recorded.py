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
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from utt_ros.demo.position_scores import PublishedPositions
from utt_ros.sessions.bag_io import open_bag
from utt_ros.sessions.message_types import typestore
from utt_ros.types import NS_PER_S, Stamps

POSITION = re.compile(r'/(?P<area>[^/]+)/twins/(?P<subject>[^/]+)/position')
CLOCK = re.compile(r'/(?P<area>[^/]+)/clock|/clock')


def read_published_positions(bag: Path) -> dict[str, PublishedPositions]:
    """Read positions by area, with the receive times of the recorder. Raises SessionError."""
    rows: dict[str, list[tuple[str, int, list[float], int]]] = defaultdict(list)
    for received_ns, match, message in _messages(bag, POSITION):
        pose, stamp = message.pose, message.header.stamp
        place = pose.pose.position
        numbers = [place.x, place.y, *pose.covariance[[0, 1, 6, 7]].tolist()]
        stamp_ns = stamp.sec * NS_PER_S + stamp.nanosec
        rows[match['area']].append((match['subject'], stamp_ns, numbers, received_ns))
    positions = {}
    for area, all_rows in rows.items():
        subjects, stamps, places, received = zip(*all_rows, strict=True)
        table = np.array(places, np.float64)
        positions[area] = PublishedPositions(
            np.array(subjects), np.array(stamps), table[:, :2], table[:, 2:].reshape(-1, 2, 2),
            np.array(received))
    return positions


def read_replay_clocks(bag: Path, only_area: str) -> dict[str, Stamps]:
    """Read clocks (M, 2) by area: replayed time and receive time of the recorder [ns].

    An unnamed clock belongs to `only_area`. Raises SessionError.
    """
    rows: dict[str, list[tuple[int, int]]] = defaultdict(list)
    for received_ns, match, message in _messages(bag, CLOCK):
        now_ns = message.clock.sec * NS_PER_S + message.clock.nanosec
        rows[match['area'] or only_area].append((now_ns, received_ns))
    return {area: np.array(pairs, np.int64) for area, pairs in rows.items()}


def _messages(
    bag: Path, topics: re.Pattern[str],
) -> Iterator[tuple[int, re.Match[str], Any]]:
    """Yield receive time [ns], topic match and message, of topics that match `topics`."""
    types = typestore()
    with open_bag(bag) as recorded:
        matches = {topic.name: (match, topic.type) for topic in recorded.topics
                   if (match := topics.fullmatch(topic.name))}
        for received_ns, name, data in recorded.messages(
                matches, recorded.start_ns, recorded.end_ns):
            match, kind = matches[name]
            yield received_ns, match, types.deserialize_cdr(data, kind)
