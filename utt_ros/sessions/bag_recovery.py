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

"""Recovery of bags that were cut, damaged, or not closed: what is whole goes to a new bag."""

from dataclasses import dataclass
from pathlib import Path

from utt_ros.errors import SessionError
from utt_ros.files import scratch_folder, sync_folder
from utt_ros.sessions.bag_io import open_bag
from utt_ros.sessions.bag_writer import BagWriter

RECOVERED = '_recovered'  # appended to the name of a bag


@dataclass(frozen=True, slots=True)
class RecoveredBag:
    """Size of a recovered bag, and what was wrong with the damaged one."""

    messages: int
    topics: int
    remarks: tuple[str, ...]


def recovered_path(bag: Path) -> Path:
    """Return the default path of the recovered bag, beside the damaged one."""
    name = bag.name if bag.is_dir() else bag.name.removesuffix('.zstd').rpartition('.')[0]
    return bag.absolute().with_name(name + RECOVERED)


def recover_bag(bag: Path, folder: Path) -> RecoveredBag:
    """Write all whole messages of a bag to a new one, with its topics, QoS and custom data.

    The storage files are merged into one, in order of log times. The new bag appears completely or
    not at all. Raises SessionError when the bag cannot be read, or the folder exists or cannot be
    written.
    """
    if folder.exists():
        raise SessionError(f'{folder} exists: it is not overwritten')
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        with scratch_folder(folder) as scratch:
            recovered = _rewrite(bag, scratch / folder.name)
            (scratch / folder.name).rename(folder)
        sync_folder(folder.parent)
    except OSError as err:
        raise SessionError(f'{folder}: {err}') from err
    return recovered


def _rewrite(bag: Path, folder: Path) -> RecoveredBag:
    with open_bag(bag, scan=True) as reader:
        writer = BagWriter(folder, reader.custom_data)
        numbers = {topic.name: writer.add_topic(topic) for topic in reader.definitions()}
        count = 0
        for log_ns, name, data in reader.messages(numbers, reader.start_ns, reader.end_ns):
            writer.write(numbers[name], log_ns, data)
            count += 1
        writer.close()
        if not count and reader.remarks:
            raise SessionError(f'{bag}: no message of it is whole')
        return RecoveredBag(count, len(numbers), reader.remarks)
