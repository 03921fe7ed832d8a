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

"""Range offsets that a twin keeps over its restarts, in a file of its area's state folder."""

from collections.abc import Collection
from hashlib import sha256
from pathlib import Path

from utt_ros.errors import SettingsError, UttError
from utt_ros.files import read_limited
from utt_ros.twin.range_offsets import (
    MAX_OFFSETS_BYTES,
    RangeOffsets,
    dump_range_offsets,
    parse_range_offsets,
    read_range_offsets,
    write_range_offsets,
)

OFFSETS_FILE = 'range_offsets.yaml'


class KeptOffsets:
    """Offsets at the start of a twin: those it kept, else those of a survey, else none."""

    def __init__(self, folder: Path | None, survey: Path | None) -> None:
        """Read them. Raises SettingsError for a survey that cannot be read, not for kept ones."""
        self.note = ''  # what became of a damaged file
        self._path = folder / OFFSETS_FILE if folder else None
        surveyed, self._source = _read_survey(survey)
        kept = self._read_kept()
        self.begin = kept if kept is not None and kept.source == self._source else surveyed
        self._content = b''

    def write(self, offsets: RangeOffsets) -> None:
        """Write offsets for the next start, unless they are as before. Raises OSError."""
        content = dump_range_offsets(
            RangeOffsets(offsets.access_points, offsets.phones, self._source))
        if self._path is None or content == self._content:
            return
        self._path.parent.mkdir(parents=True, exist_ok=True)
        write_range_offsets(self._path, RangeOffsets(
            offsets.access_points, offsets.phones, self._source))
        self._content = content

    def _read_kept(self) -> RangeOffsets | None:
        if self._path is None or not self._path.exists():
            return None
        try:
            return read_range_offsets(self._path)
        except UttError as err:
            damaged = self._path.with_name(f'{self._path.name}.damaged')
            self.note = f'{err}: offsets begin anew, the file is kept as {damaged.name}'
            self._path.replace(damaged)
            return None


def _read_survey(path: Path | None) -> tuple[RangeOffsets | None, str]:
    """Return the offsets of a survey and the digest of its file."""
    if path is None:
        return None, ''
    try:
        content = read_limited(path, MAX_OFFSETS_BYTES)
        return parse_range_offsets(content), sha256(content).hexdigest()
    except (OSError, UttError, TypeError) as err:
        raise SettingsError(f'{path}: {err}') from err


def forget_phones(
    state: Path, names: Collection[str], *, dry_run: bool = False,
) -> dict[Path, int]:
    """Remove phones from the kept offsets of all areas of a state folder; return rows by file.

    Damaged files that were set aside are removed as well. Raises SettingsError for a file that
    cannot be read, OSError for one that cannot be written.
    """
    removed = {}
    for path in sorted(state.glob(f'*/{OFFSETS_FILE}')):
        offsets = read_range_offsets(path)
        phones = tuple(row for row in offsets.phones if row.phone not in names)
        count = len(offsets.phones) - len(phones)
        if count:
            removed[path] = count
        if count and not dry_run:
            write_range_offsets(path, RangeOffsets(offsets.access_points, phones, offsets.source))
    for path in state.glob(f'*/{OFFSETS_FILE}.damaged'):
        if not dry_run:
            path.unlink()
    return removed
