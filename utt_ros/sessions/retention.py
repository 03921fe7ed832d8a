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

"""Retention of recordings: which are older than they may become, and their deletion."""

import shutil
from collections.abc import Iterator
from math import inf
from pathlib import Path

from utt_ros.errors import SessionError
from utt_ros.files import sync_folder
from utt_ros.sessions.bag_files import custom_data, read_metadata
from utt_ros.sessions.session_bags import is_bag
from utt_ros.types import NS_PER_S

KEEP_DAYS = 'keep_days'  # custom data of a recording that is deleted after so many days
DELETED = '.deleted-'  # before the name of a bag whose deletion has begun
NS_PER_DAY = 86_400 * NS_PER_S
MAX_KEEP_DAYS = 36_525.0  # a century
MAX_DEPTH = 3  # folders between the one that is searched and a bag


def expired_bags(
    folder: Path, now_ns: int, older_days: float | None = None, depth: int = MAX_DEPTH,
) -> Iterator[Path]:
    """Yield the bags of a folder that are too old.

    `older_days`: that all may become, as their newest message tells; None: recordings that hold
    a number of days of their own. Bags without readable metadata are kept.
    """
    for bag in _bags(folder, depth):
        if _end_ns(bag, older_days) < now_ns:
            yield bag


def delete_bag(bag: Path) -> None:
    """Delete a bag: first its name, then its files. Raises SessionError."""
    try:
        hidden = bag.with_name(f'{DELETED}{bag.name}')
        bag.rename(hidden)
        sync_folder(bag.parent)
        shutil.rmtree(hidden)
    except OSError as err:
        raise SessionError(f'{bag}: {err}') from err


def delete_expired(folder: Path, now_ns: int) -> list[Path]:
    """Delete the recordings beside which a new one begins, and finish begun deletions.

    Only those that were made with a number of days. Raises SessionError.
    """
    finish_deletions(folder, depth=1)
    expired = list(expired_bags(folder, now_ns, depth=1))
    for bag in expired:
        delete_bag(bag)
    return expired


def finish_deletions(folder: Path, depth: int = MAX_DEPTH) -> None:
    """Delete what a killed process had begun to delete in a folder, as deep as bags are found."""
    for level in range(depth):
        for left in list(folder.glob(f'{"*/" * level}{DELETED}*')):
            shutil.rmtree(left, ignore_errors=True)


def check_keep_days(days: float) -> float:
    """Return a number of days. Raises ValueError beyond its limits, as argparse expects."""
    if not 0.0 < days <= MAX_KEEP_DAYS:
        raise ValueError(f'{days:g} days: it must be more than 0 and at most {MAX_KEEP_DAYS:g}')
    return days


def _end_ns(bag: Path, older_days: float | None) -> float:
    """Return the time at which a bag is too old; infinite where it does not tell."""
    try:
        metadata = read_metadata(bag)
        end_ns = (metadata['starting_time']['nanoseconds_since_epoch']
                  + metadata['duration']['nanoseconds'])
        days = older_days
        if days is None:
            days = float(custom_data(metadata).get(KEEP_DAYS, 'inf'))
        return float(end_ns + days * NS_PER_DAY)
    except (SessionError, KeyError, TypeError, ValueError):
        return inf


def _bags(folder: Path, depth: int) -> Iterator[Path]:
    for path in sorted(folder.glob('[!.]*')):
        if is_bag(path):
            yield path
        elif depth > 1 and path.is_dir() and not path.is_symlink():
            yield from _bags(path, depth - 1)
