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

"""Recordings survive the kill of their writer; the long forms run by `utt bench faults`."""

from pathlib import Path

from utt_ros.evaluation.benchmarks.killed_writers import kill_recordings

MAX_LOST_S = 3.0  # beside other tests; alone it is below 1 s


def test_killed_recordings_open_in_every_reader_and_lose_little(tmp_path: Path) -> None:
    report = kill_recordings(tmp_path, 4)
    assert report.problems == ()
    assert (report.kills, report.unreadable) == (4, 0)
    assert 0.0 < report.lost < MAX_LOST_S
