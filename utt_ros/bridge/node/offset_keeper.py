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

"""Range offsets of a twin node over restarts: read at the start, written by a worker thread."""

from collections.abc import Callable
from pathlib import Path
from time import monotonic

from rclpy.node import Node

from utt_ros.twin.kept_offsets import KeptOffsets
from utt_ros.twin.latest_worker import LatestOnlyWorker, describe_error
from utt_ros.twin.range_offsets import RangeOffsets
from utt_ros.twin.settings import TwinSettings

KEEP_SEC = 30.0  # between writes


class OffsetKeeper:
    """Reads offsets for a filter's start, and writes those that it learns."""

    def __init__(self, node: Node, settings: TwinSettings) -> None:
        """Raises SettingsError for a survey that cannot be read."""
        folder, survey = (Path(text).expanduser() if text else None
                          for text in (settings.state_dir, settings.range_offsets))
        self._node, self._kept = node, KeptOffsets(folder, survey)
        self._is_kept = folder is not None
        self.begin = self._kept.begin
        if self._kept.note:
            node.get_logger().warning(self._kept.note)
        if self.begin is not None:
            node.get_logger().info(
                f'begins with range offsets of {len(self.begin.access_points)} access points and '
                f'{len(self.begin.phones)} phones')
        self._worker = LatestOnlyWorker('offsets', self._kept.write, self._refuse)
        self._next_s = monotonic() + KEEP_SEC

    def keep(self, offsets: Callable[[], RangeOffsets]) -> None:
        """Write offsets now and then."""
        if self._is_kept and monotonic() >= self._next_s:
            self._next_s = monotonic() + KEEP_SEC
            self._put(offsets())

    def close(self, offsets: RangeOffsets) -> None:
        """Write the last offsets."""
        self._worker.close()
        if self._is_kept and (offsets.access_points or offsets.phones):
            try:
                self._kept.write(offsets)
            except OSError as err:
                self._refuse(offsets, err)

    def _put(self, offsets: RangeOffsets) -> None:
        if offsets.access_points or offsets.phones:
            self._worker.put(offsets)

    def _refuse(self, _: RangeOffsets, err: Exception) -> None:
        self._node.get_logger().warning(
            f'range offsets are not kept: {describe_error(err)}', throttle_duration_sec=600.0)
