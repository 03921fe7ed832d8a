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

"""Checkpoints survive the kill of their writer; the long form runs by `utt bench faults`."""

from pathlib import Path

from utt_ros.evaluation.benchmarks.killed_checkpoints import kill_checkpoint_writers


def test_killed_writers_of_checkpoints_lose_no_round_and_leave_no_file(tmp_path: Path) -> None:
    for report in kill_checkpoint_writers(tmp_path, 8):
        assert report.problems == ()
        assert (report.kills, report.unreadable, report.files_left) == (8, 0, 0)
        assert report.lost <= 1
