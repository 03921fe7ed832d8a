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

"""Translation between modalities: predictions of a model on windows, and their metrics."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
import torch

from utt_ros.evaluation.metrics import box_iou
from utt_ros.evaluation.metrics.intervals import (
    UNKNOWN,
    Interval,
    WalkErrors,
    ratio,
    walk_errors,
)
from utt_ros.evaluation.results import INFORMATIVE, TO_BEST_RIVAL, Prediction, Row
from utt_ros.geometry.compass import rotate_magnetic_field
from utt_ros.models.operations import Pair
from utt_ros.models.saved_model import DataStatistics
from utt_ros.models.twin import UnifiedTwin
from utt_ros.settings import WindowSettings
from utt_ros.training.columns import Columns, take
from utt_ros.training.metrics import (
    BATCH,
    RelativeError,
    decode_columns,
    encode_columns,
    training_means,
)
from utt_ros.training.offline_dataset import (
    evaluation_windows,
    past,
    plain_examples,
    rotate_to_area_frame,
)
from utt_ros.training.recordings import Recordings
from utt_ros.types import CHANNELS, Array, FloatArray, MaskArray, NameArray

INFORMATIVE_CHANNELS = {  # box, range, and horizontal field of a phone that lies flat
    'camera': slice(0, 5), 'ftm': slice(0, 1), 'imu': slice(6, 8)}


@dataclass(frozen=True, slots=True)
class TranslationWindows:
    """N windows, without overlap, on which operations are evaluated."""

    columns: Columns  # as measured, with the past
    sequences: NameArray  # (N,)
    subjects: NameArray  # (N,)
    stamps_ns: npt.NDArray[np.int64]  # (N,)
    means: dict[str, Array]  # of the train split, or of the given model's

    def rows_for(self, sources: Sequence[str], target: str) -> npt.NDArray[np.intp]:
        """Select windows in which all sources, the target and its past were measured.

        The same for every method, whatever it reads.
        """
        required = (*sources, target, past(target))
        measured = [self.columns[f'{name}_mask'].any(1) for name in required]
        return np.flatnonzero(np.all(measured, axis=0))

    def nmse_var(
        self, rows: npt.NDArray[np.intp], target: str, prediction: FloatArray,
    ) -> float:
        """Compute NMSE_var of predictions of the windows `rows`."""
        error = RelativeError(self.means[target])
        error.add(prediction, self.columns[target][rows], self.columns[f'{target}_mask'][rows])
        return error.nmse_var


def cut_translation_windows(
    data: Recordings, split: str, statistics: DataStatistics | None = None,
    gap: int | None = None,
) -> TranslationWindows:
    """Cut the windows of a split; `statistics`: of training data elsewhere.

    `gap`: see `evaluation_windows`. Raises SessionError when no sequence is long enough.
    """
    if statistics is None:
        means = training_means(plain_examples(data, 'train'), data.modalities)
    else:
        means = {name: np.asarray(values) for name, values in statistics.means.items()}
    return TranslationWindows(*evaluation_windows(data, split, gap), means)


@torch.no_grad()
def translate(twin: UnifiedTwin, columns: Columns, pair: Pair) -> FloatArray:
    """Translate the sources into windows (N, T, F) of the target, in units of measurement."""
    sources, target = pair
    windows = []
    for begin in range(0, len(columns[f'{target}_mask']), BATCH):
        batch = rotate_to_area_frame(take(columns, slice(begin, begin + BATCH)), twin.window)
        features, _ = encode_columns(twin, batch, sources)
        window = decode_columns(twin, features, batch, [pair])[pair].numpy()
        windows.append(measured_frame(window, target, batch, twin.window))
    return np.concatenate(windows) if windows else np.zeros_like(columns[target])


def measured_frame(
    predicted: FloatArray, target: str, columns: Columns, window: WindowSettings,
) -> FloatArray:
    """Rotate magnetic fields of predicted windows from the area frame to that of measurements."""
    if target != 'imu':
        return predicted
    known = np.ones(predicted.shape[:2], bool)
    return rotate_magnetic_field(
        predicted, known, window.period / window.imu_rows, -columns['magnetic_yaw'])


def last_value(columns: Columns, target: str) -> FloatArray:
    """Repeat the last row measured before each window in all its rows (N, T, F)."""
    values, mask = columns[past(target)], columns[f'{past(target)}_mask']
    last = mask.shape[1] - 1 - mask[:, ::-1].argmax(1)
    return np.repeat(values[np.arange(len(values)), last][:, None], values.shape[1], axis=1)


@dataclass(frozen=True, slots=True)
class TranslationLabel:
    """Suite, method, direction, fusor and seed of rows."""

    suite: str
    method: str
    operation: str
    sources: str
    target: str
    fusor: str
    seed: int


def make_prediction(
    windows: TranslationWindows, rows: npt.NDArray[np.intp], prediction: FloatArray,
    label: TranslationLabel,
) -> Prediction:
    """Combine predictions of the windows `rows` with their measurements."""
    target = windows.columns[label.target][rows]
    mask = windows.columns[f'{label.target}_mask'][rows]
    name = '-'.join([label.suite, label.method, label.operation, label.sources, label.target,
                     label.fusor, f'seed{label.seed}'])
    return Prediction(
        name, prediction.astype(np.float32), target,
        np.repeat(mask[..., None], target.shape[2], axis=2), windows.means[label.target],
        label.operation, label.sources, label.target,
        windows.sequences[rows], windows.subjects[rows], windows.stamps_ns[rows])


def metric_rows(predicted: Prediction, label: TranslationLabel) -> list[Row]:
    """Compute all metrics of one direction."""
    mask: MaskArray = np.any(predicted.mask, axis=2)
    error = RelativeError(predicted.train_mean)
    error.add(predicted.prediction, predicted.target, mask)
    values = {'nmse_var': error.nmse_var, 'nmse_energy': 100.0 * error.nmse_energy,
              **nmse_by_channel(error, predicted.target_modality),
              **_in_units(predicted.prediction, predicted.target, mask, predicted.target_modality)}
    intervals = _intervals(walk_errors(predicted), predicted.target_modality)
    return [make_row(label, metric, value, len(predicted.stamp), intervals.get(metric, UNKNOWN))
            for metric, value in values.items()]


def nmse_row(metric: str, predicted: Prediction, label: TranslationLabel) -> Row:
    """Compute NMSE_var of the channels that `metric` is about."""
    channels, errors = _channels(metric, label.target), walk_errors(predicted)
    return make_row(label, metric, errors.nmse(channels), len(predicted.stamp),
                errors.interval(channels))


def ratio_row(
    metric: str, predicted: Prediction, reference: Prediction, label: TranslationLabel,
) -> Row:
    """Divide NMSE_var by that of another prediction of the same windows."""
    value, interval = ratio(
        walk_errors(predicted), walk_errors(reference), _channels(metric, label.target))
    return make_row(label, metric, value, len(predicted.stamp), interval)


def worst_row(ratios: Sequence[Row]) -> Row:
    """Return the worst of ratios to several references, and of the ends of their intervals.

    NaN where one of them is.
    """
    value, low, high = np.max([(row.value, row.low, row.high) for row in ratios], axis=0)
    return replace(ratios[0], value=float(value), low=float(low), high=float(high))


def _channels(metric: str, target: str) -> slice:
    """Return all channels, or those that other sensors tell something about."""
    informative = metric.startswith(INFORMATIVE) or metric == TO_BEST_RIVAL
    return INFORMATIVE_CHANNELS[target] if informative else slice(None)


def make_row(
    label: TranslationLabel, metric: str, value: float, count: int, interval: Interval,
) -> Row:
    """Combine a label and a number, of `count` windows, to a row."""
    return Row(label.suite, label.method, label.operation, label.sources, label.target,
               label.fusor, label.seed, metric, value, count, interval.low, interval.high)


def _intervals(errors: WalkErrors, target: str) -> dict[str, Interval]:
    """Return intervals of NMSE_var, by name of metric."""
    by_channel = {f'nmse_var_{name}': errors.interval(slice(index, index + 1))
                  for index, name in enumerate(CHANNELS[target])}
    return {'nmse_var': errors.interval(), **by_channel}


def nmse_by_channel(error: RelativeError, target: str) -> dict[str, float]:
    """Return NMSE_var of each channel that varies."""
    return {f'nmse_var_{name}': value
            for name, value in zip(CHANNELS[target], error.nmse_var_of_channels, strict=True)
            if np.isfinite(value)}


def _in_units(
    predicted: FloatArray, true: FloatArray, mask: MaskArray, target: str,
) -> Mapping[str, float]:
    if not mask.any():
        return {}
    error = np.abs(predicted[mask] - true[mask])
    if target == 'camera':
        iou = box_iou.box_iou(predicted[mask], true[mask]).astype(np.float64)
        return {'depth_mae_m': float(error[:, 2].mean()), 'iou': float(iou.mean())}
    if target == 'ftm':
        return {'range_mae_m': float(error[:, 0].mean())}
    return {f'rmse_{name}': float(np.sqrt((error[:, channels] ** 2).mean()))
            for name, channels in (('accel_mps2', slice(0, 3)), ('gyro_radps', slice(3, 6)),
                                   ('mag_t', slice(6, 9)))}
