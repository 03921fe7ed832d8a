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

"""People of a building, and counters of nodes, in a recorded bag."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from utt_ros.evaluation.metrics.crossings import ListedPeople, list_people
from utt_ros.sessions.bag_io import open_bag
from utt_ros.sessions.message_types import typestore
from utt_ros.types import stamp_to_ns

PEOPLE = re.compile('/utt/people')
DIAGNOSTICS = re.compile('/diagnostics')


def read_listed_people(bag: Path) -> ListedPeople:
    """Read the people of the building. Raises SessionError."""
    return list_people(
        (number, person.id, person.area, stamp_to_ns(person.stamp), (person.x, person.y))
        for number, (_, _, message) in enumerate(iterate_messages(bag, PEOPLE))
        for person in message.people)


def read_newest_values(bag: Path, key: str) -> dict[str, str]:
    """Read the newest value of a key of /diagnostics by node. Raises SessionError."""
    return {node: values[key] for node, values in read_diagnostics(bag).items() if key in values}


def read_diagnostics(bag: Path) -> dict[str, dict[str, str]]:
    """Read the newest value of each key of /diagnostics by node and key. Raises SessionError."""
    newest: dict[str, dict[str, str]] = {}
    for _, _, message in iterate_messages(bag, DIAGNOSTICS):
        for status in message.status:
            newest.setdefault(status.name, {}).update(
                (each.key, each.value) for each in status.values)
    return newest


def iterate_messages(
    bag: Path, topics: re.Pattern[str],
) -> Iterator[tuple[int, re.Match[str], Any]]:
    """Yield receive time [ns], topic match and message, of topics that match `topics`.

    Raises SessionError.
    """
    types = typestore()
    with open_bag(bag) as recorded:
        matches = {topic.name: (match, topic.type) for topic in recorded.topics
                   if (match := topics.fullmatch(topic.name))}
        for received_ns, name, data in recorded.messages(
                matches, recorded.start_ns, recorded.end_ns):
            match, kind = matches[name]
            yield received_ns, match, types.deserialize_cdr(data, kind)
