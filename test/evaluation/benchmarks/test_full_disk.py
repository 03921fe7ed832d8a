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

"""Full disks: a small tmpfs, or a limit of file sizes where none can be mounted."""

from collections.abc import Callable
from pathlib import Path

import pytest

from utt_ros.evaluation.benchmarks import full_disk
from utt_ros.evaluation.benchmarks.full_disk import (
    FullDiskReport,
    record_until_full,
    save_until_full,
    small_disk,
)

MAX_LOST_S = 5.0  # beside other tests; alone it is below 1 s

Fill = Callable[[Path], FullDiskReport]


@pytest.mark.parametrize('fill', [record_until_full, save_until_full])
@pytest.mark.parametrize('can_mount', [True, False])
def test_what_was_written_before_the_disk_was_full_is_read(
    fill: Fill, can_mount: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
) -> None:
    if not can_mount:
        monkeypatch.setattr(full_disk.shutil, 'which', lambda _: None)
    report = fill(tmp_path)
    assert report.problem == ''
    assert report.told
    assert report.files_left == 0
    assert 0.0 <= report.lost <= (MAX_LOST_S if fill is record_until_full else 0.0)
    assert can_mount or report.disk.startswith('files of at most')


def test_a_disk_is_gone_after_its_block(tmp_path: Path) -> None:
    with small_disk(tmp_path) as disk:
        (tmp_path / 'file').touch()
    assert (tmp_path / 'file').exists() == (not disk.startswith('tmpfs'))
