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

"""Removal of people from recordings: each bag is rewritten without them, or left as it is."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path

from utt_ros.errors import SessionError
from utt_ros.files import replace_folder, scratch_folder, sync_folder
from utt_ros.sessions.bag_io import BagReader, open_bag
from utt_ros.sessions.bag_writer import BagWriter
from utt_ros.sessions.person_traces import OBSERVED_TYPES, PersonTraces
from utt_ros.sessions.recorded_topics import PICTURE_TYPES


@dataclass(frozen=True, slots=True)
class ForgottenPeople:
    """Changes of a bag, and the rounds of models that areas used while they saw the people."""

    removed: int  # messages
    changed: int
    pictures: int  # of the removed ones
    rounds: Mapping[str, tuple[int, ...]]  # by area

    @property
    def is_unchanged(self) -> bool:
        return not (self.removed or self.changed)


def forget_in_bag(bag: Path, names: Collection[str], *, dry_run: bool = False) -> ForgottenPeople:
    """Rewrite a bag without people, by their names in topics; return what was, or would be, done.

    A bag without a trace of them stays as it is, with its pictures. The new bag replaces the old
    one when it is complete and on the disk. Raises SessionError.
    """
    try:
        with open_bag(bag) as reader:
            traces = _observe(reader, names)
            found = _count(reader, traces)
            if not found.is_unchanged and not dry_run:
                _rewrite(bag, reader, traces)
            return found
    except OSError as err:
        raise SessionError(f'{bag}: {err}') from err


def _observe(reader: BagReader, names: Collection[str]) -> PersonTraces:
    traces = PersonTraces(names)
    kinds = {topic.name: topic.type for topic in reader.topics if topic.type in OBSERVED_TYPES}
    for _, topic, data in reader.messages(kinds, reader.start_ns, reader.end_ns):
        traces.observe(topic, kinds[topic], data)
    return traces


def _count(reader: BagReader, traces: PersonTraces) -> ForgottenPeople:
    """Count what is to be done; pictures alone are no trace."""
    removed = changed = pictures = 0
    kinds = {topic.name: topic.type for topic in reader.topics}
    for _, topic, data in reader.messages(kinds, reader.start_ns, reader.end_ns):
        if kinds[topic] in PICTURE_TYPES:
            pictures += 1
        else:
            stripped = traces.strip(topic, kinds[topic], data)
            removed += stripped is None
            changed += stripped is not None and stripped is not data
    rounds = {area: tuple(sorted(numbers)) for area, numbers in sorted(traces.rounds.items())}
    if not removed and not changed:
        return ForgottenPeople(0, 0, 0, rounds)
    return ForgottenPeople(removed + pictures, changed, pictures, rounds)


def _rewrite(bag: Path, reader: BagReader, traces: PersonTraces) -> None:
    if not bag.is_dir():
        raise SessionError(f'{bag} is a file of a bag: give its folder')
    with scratch_folder(bag) as scratch:
        new = scratch / bag.name
        custom = {name: text for name, text in reader.custom_data.items()
                  if not traces.mentions(text.encode())}
        writer = BagWriter(new, custom)
        kinds = {topic.name: topic.type for topic in reader.topics}
        numbers = {topic.name: writer.add_topic(topic) for topic in reader.definitions()
                   if not traces.is_own(topic.name) and topic.type not in PICTURE_TYPES}
        for log_ns, topic, data in reader.messages(numbers, reader.start_ns, reader.end_ns):
            stripped = traces.strip(topic, kinds[topic], data)
            if stripped is not None:
                writer.write(numbers[topic], log_ns, stripped)
        writer.close()
        replace_folder(bag, new)
        sync_folder(bag.parent)
