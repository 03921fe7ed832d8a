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

"""Measurements that the belief expects in a replay, merged with windows."""

import numpy as np
import pytest

from utt_ros.evaluation.belief_replay import (
    ExpectedTrack,
    merge_windows_with_tracks,
    replay_expected,
)
from utt_ros.evaluation.outages import mask_modality
from utt_ros.models.onnx_export import export_onnx
from utt_ros.models.settings import ModelSettings
from utt_ros.models.twin import UnifiedTwin
from utt_ros.settings import WindowSettings
from utt_ros.training.recordings import Recordings
from utt_ros.twin import model_service

WINDOW = WindowSettings(ticks=4, period=0.1)


def test_boxes_that_were_hidden_are_expected_where_somebody_was(data: Recordings) -> None:
    item = data.of('test')[0]
    twin = UnifiedTwin(ModelSettings(width=8, heads=2, feedforward=8), data.window)
    off = np.arange(len(item.batches)) % 20 >= 10  # a second of every two
    batches = mask_modality(item.batches, 'camera', off)
    tracks = replay_expected(item.area, data.window, export_onnx(twin, 1), batches, 'camera')
    errors = []
    for index in np.flatnonzero(off):
        batch = item.batches[index]
        for row in np.flatnonzero(batch.camera_mask):
            track = tracks.get(batch.subjects[row])
            if track is not None and batch.stamp_ns in track.stamps_ns:
                at = np.flatnonzero(track.stamps_ns == batch.stamp_ns)[0]
                errors.append(abs(track.mean[at, 2] - batch.camera[row, 2]))
    assert len(errors) > 50
    assert np.median(errors) < 0.5  # m of depth


def test_fields_of_phones_that_were_hidden_are_expected_as_they_were_held(
    data: Recordings,
) -> None:
    item = data.of('test')[0]
    twin = UnifiedTwin(ModelSettings(width=8, heads=2, feedforward=8), data.window)
    off = np.arange(len(item.batches)) % 40 >= 20  # two seconds of every four
    batches = mask_modality(item.batches, 'imu', off)
    tracks = replay_expected(item.area, data.window, export_onnx(twin, 1), batches, 'imu')
    errors, fields = [], []
    for index in np.flatnonzero(off):
        batch = item.batches[index]
        for row in np.flatnonzero(batch.imu_mask.any(1)):
            track = tracks.get(batch.subjects[row])
            if track is not None and batch.stamp_ns in track.stamps_ns:
                at = np.flatnonzero(track.stamps_ns == batch.stamp_ns)[0]
                fields.append(batch.imu[row, batch.imu_mask[row], 6:].mean(0))
                errors.append(np.linalg.norm(track.mean[at, 6:] - fields[-1]))
    assert len(errors) > 50
    assert np.median(errors) < 0.5 * np.mean(np.linalg.norm(fields - np.mean(fields, 0), axis=1))


def test_a_model_that_answers_late_is_waited_for(
    data: Recordings, monkeypatch: pytest.MonkeyPatch,
) -> None:
    item = data.of('test')[0]
    twin = UnifiedTwin(ModelSettings(width=8, heads=2, feedforward=8), data.window)
    graph, batches, tracks = export_onnx(twin, 1), item.batches[:60], []
    for limit_s in (model_service.MAX_WAIT_S, 0.0):
        monkeypatch.setattr(model_service, 'MAX_WAIT_S', limit_s)
        tracks.append(replay_expected(item.area, data.window, graph, batches, 'ftm'))
    assert tracks[0].keys() == tracks[1].keys() != set()
    for name, track in tracks[0].items():
        np.testing.assert_array_equal(track.mean, tracks[1][name].mean)
        np.testing.assert_array_equal(track.std, tracks[1][name].std)


def test_a_window_is_merged_row_by_row_at_the_stamps_of_its_ticks() -> None:
    decoded = np.zeros((2, 4, 2), np.float32)
    last_ns = 1_000_000_000
    stamps = last_ns - np.array([500, 201, 0, -100]) * 1_000_000  # before, row 1, row 3, after
    track = ExpectedTrack(stamps, np.full((4, 2), 6.0), np.full((4, 2), 1.0))
    keys = np.array(['a/1', 'a/1']), np.array(['ann', 'bob']), np.array([last_ns] * 2)
    merged = merge_windows_with_tracks(
        decoded, np.array([1.0, np.nan]), keys, {('a/1', 'ann'): track}, WINDOW)
    assert merged[0, :, 0] == pytest.approx([0.0, 3.0, 0.0, 3.0])
    assert (merged[0, :, 1] == 0.0).all()
    assert (merged[1] == 0.0).all()


def test_all_rows_of_a_tick_are_merged_with_what_is_expected_at_it() -> None:
    decoded = np.zeros((1, 12, 1), np.float32)  # three rows per tick, as of an IMU
    last_ns = 1_000_000_000
    track = ExpectedTrack(last_ns - np.array([200, 0]) * 1_000_000,
                          np.array([[2.0], [6.0]]), np.ones((2, 1)))
    merged = merge_windows_with_tracks(
        decoded, np.ones(1), (np.array(['a/1']), np.array(['ann']), np.array([last_ns])),
        {('a/1', 'ann'): track}, WINDOW)
    assert merged.ravel() == pytest.approx([0.0] * 3 + [1.0] * 3 + [0.0] * 3 + [3.0] * 3)


@pytest.mark.parametrize('name', ['camera', 'ftm', 'imu'])
def test_a_modality_is_masked_at_the_ticks_of_an_outage_alone(
    data: Recordings, name: str,
) -> None:
    batches = data.of('test')[0].batches[:40]
    off = np.arange(40) >= 20
    masked = mask_modality(batches, name, off)
    assert not any(getattr(batch, f'{name}_mask').any() for batch in masked[20:])
    assert masked[:20] == list(batches[:20])
    assert any(getattr(batch, f'{name}_mask').any() for batch in batches[20:])
