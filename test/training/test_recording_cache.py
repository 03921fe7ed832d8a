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

"""Disk cache of recorded sequences."""

from dataclasses import asdict, fields
from pathlib import Path

import numpy as np
import pytest

from utt_ros.training.recording_cache import read_cache, write_cache
from utt_ros.training.recordings import Recordings


def same(a: object, b: object) -> bool:
    if isinstance(a, dict) and isinstance(b, dict):
        return a.keys() == b.keys() and all(same(a[name], b[name]) for name in a)
    if isinstance(a, np.ndarray):
        return np.array_equal(a, b, equal_nan=a.dtype.kind == 'f')
    return a == b


def test_a_sequence_survives_the_cache(data: Recordings, tmp_path: Path) -> None:
    item = data.recordings[0]
    write_cache(tmp_path / 'kept.npz', item.session, item.batches)
    kept = read_cache(tmp_path / 'kept.npz')
    assert kept is not None
    assert same(asdict(kept[0]), asdict(item.session))
    assert len(kept[1]) == len(item.batches)
    for ours, theirs in zip(kept[1], item.batches, strict=True):
        assert all(same(getattr(ours, field.name), getattr(theirs, field.name))
                   for field in fields(ours))


def test_a_sequence_without_a_camera_survives_the_cache(data: Recordings, tmp_path: Path) -> None:
    item = data.of('train', 'area1')[0]
    write_cache(tmp_path / 'kept.npz', item.session, item.batches)
    kept = read_cache(tmp_path / 'kept.npz')
    assert kept is not None
    assert same(asdict(kept[0]), asdict(item.session))


@pytest.mark.parametrize('content', [b'', b'PK\x03\x04 half a file'])
def test_a_damaged_cache_file_is_ignored(tmp_path: Path, content: bytes) -> None:
    (tmp_path / 'kept.npz').write_bytes(content)
    assert read_cache(tmp_path / 'kept.npz') is None
