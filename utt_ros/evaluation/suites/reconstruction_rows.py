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

"""Reconstruction rows: ViFiT and holding the first frame; boxes from the first box, FTM, IMU."""

from collections.abc import Iterator

import numpy as np

from utt_ros.evaluation.baselines.baseline_training import fit_network
from utt_ros.evaluation.baselines.scaling import Example, scale_values
from utt_ros.evaluation.baselines.vifit import (
    FRAMES,
    BoxPredictor,
    RequiredFrames,
    Vifit,
    predict_boxes,
    repeat_first_box,
    required_frames,
    vifit_loss,
    vifit_rows,
)
from utt_ros.evaluation.metrics import box_iou
from utt_ros.evaluation.trained_models import Study
from utt_ros.geometry.compass import compass_headings
from utt_ros.settings import AreaSettings, WindowSettings
from utt_ros.sync.window_buffer import cut_windows
from utt_ros.training.recordings import RecordedSequence
from utt_ros.types import Windows

VIFIT_TRAIN_STRIDE = 5  # ticks


def reconstruction_rows(study: Study, seed: int) -> Iterator[tuple[str, str, float, int]]:
    """Yield (method, metric, value, windows) of ViFiT and of sending one frame per window."""
    data = study.data

    def examples(split: str) -> dict[str, list[Example]]:
        groups: dict[str, list[Example]] = {}
        for recording in data.of(split):
            for chain in window_chains(recording, study, VIFIT_TRAIN_STRIDE).values():
                groups.setdefault(recording.area.area, []).extend(
                    {name: values[0] for name, values in item.items() if name != 'true'}
                    for item in chain)
        return groups
    net: Vifit = fit_network(
        lambda: Vifit(data.window.imu_rows), vifit_loss, examples('train'), examples('val'),
        seed, federated=False, batch=32, learning_rate=1e-3)
    test_chains = [chain for recording in data.of(study.split)
                   for chain in window_chains(recording, study, FRAMES - 1).values()]
    methods: dict[str, BoxPredictor] = {
        'vifit': lambda rows: predict_boxes(net, rows), 'first_frame': repeat_first_box}
    for method, boxes in methods.items():
        for metric, value, count in _measure(test_chains, boxes):
            yield method, metric, value, count


def _measure(chains: list[list[Example]], boxes: BoxPredictor) -> Iterator[tuple[str, float, int]]:
    windows = [item for chain in chains for item in chain]
    if not windows:
        return
    predicted = np.concatenate([boxes(item) for item in windows])[:, 1:]
    true = np.concatenate([item['true'] for item in windows])[:, 1:]
    seen = np.concatenate([item['seen'] for item in windows])[:, 1:]
    overlap, depth = (
        box_iou.box_iou(predicted, true)[seen], np.abs(predicted - true)[..., 2][seen])
    needed = [required_frames(boxes, chain) for chain in chains if chain]
    frames = RequiredFrames(sum(part[0] for part in needed), sum(part[1] for part in needed))
    for metric, value in (
            ('iou', float(overlap.mean())), ('depth_mae_m', float(depth.mean())),
            ('iou_above_half', float((overlap >= 0.5).mean())),
            ('required_frames_ratio', frames.ratio), ('frames_saved', frames.saved)):
        yield metric, value, len(windows)


def window_chains(
    recording: RecordedSequence, study: Study, stride: int,
) -> dict[str, list[Example]]:
    """Return rows for ViFiT by subject and run of consecutive windows.

    Every window starts with a measured box.
    """
    chains: dict[str, list[Example]] = {}
    last: dict[str, tuple[str, int]] = {}
    period_ns = round(study.data.window.period * 1e9)
    for windows in cut_windows(recording.batches, study.data.window, FRAMES, stride):
        for row, subject in enumerate(windows.subjects):
            seen = windows.masks['camera'][row]
            if not (seen[0] and seen.mean() > 0.5 and windows.masks['imu'][row].any()):
                continue
            key, stamp_ns = last.get(subject, ('', 0))
            if not key or windows.stamps_ns[row] - stamp_ns > 1.5 * stride * period_ns:
                key = f'{subject} {windows.stamps_ns[row]}'
            last[subject] = (key, int(windows.stamps_ns[row]))
            chains.setdefault(key, []).append(
                _item(windows, row, recording.area, study.data.window))
    return chains


def _item(windows: Windows, row: int, area: AreaSettings, window: WindowSettings) -> Example:
    values = {name: rows[row:row + 1] for name, rows in windows.values.items()}
    masks = {name: rows[row:row + 1] for name, rows in windows.masks.items()}
    headings = compass_headings(
        values['imu'], masks['imu'], window.period / window.imu_rows, area.magnetic_yaw)
    rows = vifit_rows(
        values['camera'][:, 0], (values['ftm'], masks['ftm']), (values['imu'], masks['imu']),
        headings)
    return {**rows, 'boxes': scale_values('camera', values['camera'], masks['camera']),
            'seen': masks['camera'], 'true': values['camera']}
