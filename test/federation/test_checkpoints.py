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

"""Checkpoints survive a killed process, damaged files and a second aggregator."""

import os
import signal
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from utt_ros.errors import ModelError
from utt_ros.federation import checkpoints
from utt_ros.federation.checkpoints import (
    LOG,
    Checkpoint,
    CheckpointStore,
    LatestCheckpoint,
    list_checkpoints,
    read_checkpoint,
    read_round_log,
    write_checkpoint,
)
from utt_ros.federation.types import RoundStatus
from utt_ros.federation.wire import pack


def checkpoint(round_: int) -> Checkpoint:
    tensors = {'b': np.full((3,), round_, np.float32), 'a': np.array(1, np.float32)}
    return Checkpoint('f00d', round_, '{"width": 64}', tensors)


def closed(round_: int, **accepted: int) -> RoundStatus:
    return RoundStatus('f00d', round_, 'completed', 1, 0.0, accepted, {'x': 'why'}, 10, 20, 1.5)


def same(first: Checkpoint | None, second: Checkpoint) -> bool:
    if first is None or replace(first, tensors={}) != replace(second, tensors={}):
        return False
    return pack(first.tensors) == pack(second.tensors)


def save(store: CheckpointStore, *rounds: int) -> None:
    for round_ in rounds:
        saved = checkpoint(round_)
        store.save(saved, pack(saved.tensors).checksum)


@pytest.fixture
def store(tmp_path: Path) -> CheckpointStore:
    return CheckpointStore(tmp_path / 'deep' / 'state', keep=2)


def test_a_new_folder_has_no_checkpoint_and_no_rounds(store: CheckpointStore) -> None:
    assert store.newest() == (None, [])
    assert read_round_log(store.folder) == []


def test_the_newest_checkpoint_is_read_back(store: CheckpointStore) -> None:
    save(store, 0, 1)
    restored, problems = store.newest()
    assert same(restored, checkpoint(1))
    assert problems == []


def test_the_memory_of_a_server_optimizer_is_separate_from_the_model(
    store: CheckpointStore,
) -> None:
    saved = replace(checkpoint(1), memory={'fedadam/b': np.full(3, 0.5, np.float32)})
    store.save(saved, pack(saved.tensors).checksum)
    restored, problems = store.newest()
    assert (restored is not None, problems) == (True, [])
    assert pack(restored.tensors) == pack(saved.tensors)
    assert pack(restored.memory) == pack(saved.memory)


def test_a_damaged_memory_is_detected(store: CheckpointStore) -> None:
    saved = replace(checkpoint(1), memory={'fedadam/b': np.full(3, 0.5, np.float32)})
    store.save(saved, pack(saved.tensors).checksum)
    (path,) = list_checkpoints(store.folder)
    content, half = path.read_bytes(), np.float32(0.5).tobytes()
    assert content.count(half) == 3
    path.write_bytes(content.replace(half, np.float32(0.25).tobytes(), 1))
    with pytest.raises(ModelError, match='has checksum'):
        read_checkpoint(path)


def test_what_compressed_payloads_left_out_is_kept_beside_the_model(tmp_path: Path) -> None:
    saved = replace(checkpoint(1), residual={'b': np.full(3, 0.5, np.float32)}, compression='sign')
    path = tmp_path / 'model.safetensors'
    write_checkpoint(path, saved, pack(saved.tensors).checksum)
    restored = read_checkpoint(path)
    assert (restored.compression, restored.memory) == ('sign', {})
    assert pack(restored.tensors) == pack(saved.tensors)
    assert pack(restored.residual) == pack(saved.residual)
    path.write_bytes(path.read_bytes().replace(
        np.float32(0.5).tobytes(), np.float32(0.25).tobytes(), 1))
    with pytest.raises(ModelError, match='has checksum'):
        read_checkpoint(path)


def test_the_initial_and_the_newest_checkpoints_are_kept(store: CheckpointStore) -> None:
    save(store, *range(6))
    assert [read_checkpoint(path).round for path in list_checkpoints(store.folder)] == [0, 4, 5]


def test_rounds_beyond_the_width_of_a_file_name_are_still_in_order(store: CheckpointStore) -> None:
    save(store, 0, 999_999, 1_000_000)
    restored, _ = store.newest()
    assert same(restored, checkpoint(1_000_000))


@pytest.mark.parametrize('damage', ['empty', 'truncated', 'flipped', 'foreign'])
def test_a_damaged_checkpoint_is_reported_and_the_previous_one_is_used(
    store: CheckpointStore, damage: str,
) -> None:
    save(store, 0, 1)
    path = list_checkpoints(store.folder)[-1]
    content = bytearray(path.read_bytes())
    content[-1] ^= 1
    path.write_bytes({
        'empty': b'', 'truncated': content[:-4], 'flipped': content, 'foreign': b'x' * 1000,
    }[damage])
    restored, problems = store.newest()
    assert same(restored, checkpoint(0))
    assert len(problems) == 1
    assert 'model-000001.safetensors' in problems[0]


def test_a_folder_of_damaged_checkpoints_is_never_started_anew(store: CheckpointStore) -> None:
    save(store, 0)
    list_checkpoints(store.folder)[0].write_bytes(b'')
    with pytest.raises(ModelError, match=r'no checkpoint that can be read .*move the folder away'):
        store.newest()


def test_a_log_without_checkpoints_is_never_started_anew(store: CheckpointStore) -> None:
    store.log(closed(0))
    with pytest.raises(ModelError, match=r'there is none.*move the folder away'):
        store.newest()


def test_rounds_are_logged_in_order_and_a_repeated_one_counts_once(store: CheckpointStore) -> None:
    for entry in (closed(0, north=5), closed(1, north=6), closed(1, south=7)):
        store.log(entry)
    assert read_round_log(store.folder) == [closed(0, north=5), closed(1, south=7)]


def test_an_incomplete_line_is_skipped_and_removed_at_the_next_start(
    store: CheckpointStore,
) -> None:
    store.log(closed(0))
    with (store.folder / LOG).open('ab') as file:
        file.write(b'{"round": 1, "fede')
    assert read_round_log(store.folder) == [closed(0)]
    store.close()
    again = CheckpointStore(store.folder, keep=2)
    again.log(closed(1))
    assert read_round_log(store.folder) == [closed(0), closed(1)]


@pytest.mark.parametrize('line', [b'not json\n', b'[]\n', b'{"round": 1}\n', b'\xff\n'])
def test_a_damaged_line_in_the_middle_is_an_error_that_names_it(
    store: CheckpointStore, line: bytes,
) -> None:
    store.log(closed(0))
    with (store.folder / LOG).open('ab') as file:
        file.write(line)
    store.log(closed(1))
    with pytest.raises(ModelError, match='line 2 is not a round'):
        read_round_log(store.folder)


def test_a_second_aggregator_is_refused_until_the_first_is_gone(store: CheckpointStore) -> None:
    with pytest.raises(ModelError, match='in use by another aggregator') as refused:
        CheckpointStore(store.folder, keep=2)
    assert refused.value.__cause__ is None  # no error of the machine, which would be tried again
    store.close()
    CheckpointStore(store.folder, keep=2).close()


def test_a_folder_that_cannot_be_created_is_an_error_that_names_it(tmp_path: Path) -> None:
    (tmp_path / 'file').write_text('')
    with pytest.raises(ModelError, match=r'file/state cannot hold the state'):
        CheckpointStore(tmp_path / 'file' / 'state', keep=2)


def test_a_temporary_file_of_a_killed_process_is_removed_at_the_next_start(
    store: CheckpointStore,
) -> None:
    save(store, 0)
    left = store.folder / '.model-000001.safetensors.abc.tmp'
    left.write_bytes(b'half')
    store.close()
    CheckpointStore(store.folder, keep=2)
    assert not left.exists()
    assert len(list_checkpoints(store.folder)) == 1


def test_a_missing_log_is_an_error_that_names_it(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=r'nowhere/rounds\.jsonl'):
        read_round_log(tmp_path / 'nowhere')


WRITER = """
import sys
from dataclasses import replace
from pathlib import Path
import numpy as np
from utt_ros.federation.checkpoints import Checkpoint, CheckpointStore
from utt_ros.federation.wire import pack
store = CheckpointStore(Path(sys.argv[1]), keep=2)
for round_ in range(10**6):
    tensors = {'w': np.full(100_000, round_, np.float32)}
    store.save(Checkpoint('f00d', round_, '{}', tensors), pack(tensors).checksum)
    print(round_, flush=True)
"""


def test_kill_9_at_any_moment_leaves_a_readable_checkpoint(tmp_path: Path) -> None:
    for attempt in range(3):
        folder = tmp_path / str(attempt)
        with subprocess.Popen(
            [sys.executable, '-c', WRITER, str(folder)], stdout=subprocess.PIPE, text=True,
        ) as writer:
            assert writer.stdout is not None
            done = [int(writer.stdout.readline()) for _ in range(5 + attempt)][-1]
            os.kill(writer.pid, signal.SIGKILL)
        restored, problems = CheckpointStore(folder, keep=2).newest()
        assert problems == []
        assert restored is not None
        assert restored.round >= done
        assert np.all(restored.tensors['w'] == restored.round)
        assert not list(folder.glob('.*.tmp'))


def write(latest: LatestCheckpoint, *rounds: int) -> None:
    for number in rounds:
        latest.write(checkpoint(number), pack(checkpoint(number).tensors).checksum)


def test_a_damaged_latest_checkpoint_goes_back_one_round(tmp_path: Path) -> None:
    latest = LatestCheckpoint(tmp_path / 'model.safetensors')
    assert (latest.exists, latest.read()) == (False, (None, []))
    write(latest, 1, 2, 3)
    latest.path.write_bytes(b'damaged')
    found, problems = latest.read()
    assert same(found, checkpoint(2))
    assert len(problems) == 1
    assert latest.read()[1] == []  # it is put aside
    write(latest, 4)
    latest.path.write_bytes(b'damaged')
    assert same(latest.read()[0], checkpoint(2))  # never replaced by a damaged one


@pytest.mark.parametrize(('written', 'damaged'), [
    (b'"round":"3"', b'"round":"7"'), (b'"federation":"', b'"federation":"x'),
    (b'"config":"', b'"config":"['), (b'"memory":"', b'"memory":"0')])
def test_damaged_metadata_go_back_one_round_too(
    tmp_path: Path, written: bytes, damaged: bytes,
) -> None:
    latest = LatestCheckpoint(tmp_path / 'model.safetensors')
    write(latest, 2, 3)
    content = latest.path.read_bytes()
    length = int.from_bytes(content[:8], 'little')
    header = content[8:][:length]
    assert written in header
    header = header.replace(written, damaged)
    latest.path.write_bytes(len(header).to_bytes(8, 'little') + header + content[8 + length:])
    found, problems = latest.read()
    assert same(found, checkpoint(2))
    assert len(problems) == 1


def test_a_checkpoint_of_former_releases_has_no_checksum_of_its_metadata(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
) -> None:
    latest = LatestCheckpoint(tmp_path / 'model.safetensors')
    monkeypatch.setattr(checkpoints, 'METADATA_CHECKSUM', 'other')
    write(latest, 2)
    monkeypatch.undo()
    assert same(latest.read()[0], checkpoint(2))


def test_a_writer_killed_between_two_checkpoints_leaves_the_former(tmp_path: Path) -> None:
    latest = LatestCheckpoint(tmp_path / 'model.safetensors')
    write(latest, 1)
    latest.path.rename(tmp_path / 'model.former.safetensors')
    assert latest.exists
    assert same(latest.read()[0], checkpoint(1))


def test_both_latest_checkpoints_damaged_are_none(tmp_path: Path) -> None:
    latest = LatestCheckpoint(tmp_path / 'model.safetensors')
    for path in (latest.path, tmp_path / 'model.former.safetensors'):
        path.write_bytes(b'damaged')
    found, errors = latest.read()
    assert found is None
    assert len(errors) == 2
