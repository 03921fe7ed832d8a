"""From a model and windows to predictions, and from predictions to rows."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch

from utt_ros.evaluation.metrics import box_iou
from utt_ros.evaluation.results import Made, Names, Row
from utt_ros.geometry.compass import rotate_magnetic_field
from utt_ros.models.operations import Pair
from utt_ros.models.twin import UnifiedTwin
from utt_ros.training.columns import Columns, take
from utt_ros.training.metrics import BATCH, RelativeError, training_means
from utt_ros.training.offline_dataset import judged, past, plain_examples, turned
from utt_ros.training.recordings import Data
from utt_ros.types import CHANNELS, Array, FloatArray, MaskArray


@dataclass(frozen=True, slots=True)
class Bench:
    """The windows that operations are judged on; N of them, none overlaps another."""

    columns: Columns  # as they were measured, with the past
    sequences: Names  # (N,)
    subjects: Names  # (N,)
    stamps_ns: npt.NDArray[np.int64]  # (N,)
    means: dict[str, Array]  # of the train split

    def rows_for(self, sources: Sequence[str], target: str) -> npt.NDArray[np.intp]:
        """Windows in which all sources, the target and its past were measured.

        The same for every method, so that each has what it reads.
        """
        there = [self.columns[f'{name}_mask'].any(1) for name in (*sources, target, past(target))]
        return np.flatnonzero(np.all(there, axis=0))

    def nmse_var(
        self, rows: npt.NDArray[np.intp], target: str, prediction: FloatArray,
    ) -> float:
        """Of predictions of some windows."""
        error = RelativeError(self.means[target])
        error.add(prediction, self.columns[target][rows], self.columns[f'{target}_mask'][rows])
        return error.nmse_var


def make_bench(data: Data, split: str) -> Bench:
    """Raises SessionError when no sequence is long enough."""
    means = training_means(plain_examples(data, 'train'), data.modalities)
    return Bench(*judged(data, split), means)


@torch.no_grad()
def translate(twin: UnifiedTwin, columns: Columns, pair: Pair) -> FloatArray:
    """What a model makes of the sources: windows (N, T, F) of the target as it is measured."""
    sources, target = pair
    made = []
    for begin in range(0, len(columns[f'{target}_mask']), BATCH):
        batch = turned(take(columns, slice(begin, begin + BATCH)), twin.window)
        features, _ = twin.encode(
            {name: torch.from_numpy(batch[name]) for name in sources},
            {name: torch.from_numpy(batch[f'{name}_mask']) for name in sources})
        window = twin.decode_pairs(features, [pair])[pair].numpy()
        there = np.ones(window.shape[:2], bool)
        made.append(window if target != 'imu' else rotate_magnetic_field(
            window, there, twin.window.period / twin.window.imu_rows, -batch['magnetic_yaw']))
    return np.concatenate(made) if made else np.zeros_like(columns[target])


def last_value(columns: Columns, target: str) -> FloatArray:
    """The last row that was measured before the window, in every row of it (N, T, F)."""
    values, mask = columns[past(target)], columns[f'{past(target)}_mask']
    last = mask.shape[1] - 1 - mask[:, ::-1].argmax(1)
    return np.repeat(values[np.arange(len(values)), last][:, None], values.shape[1], axis=1)


@dataclass(frozen=True, slots=True)
class Label:
    """What rows are called."""

    suite: str
    method: str
    operation: str
    sources: str
    target: str
    fusor: str
    seed: int


def made_of(
    bench: Bench, rows: npt.NDArray[np.intp], prediction: FloatArray, label: Label,
) -> Made:
    """Predictions of some windows beside what was measured in them."""
    target = bench.columns[label.target][rows]
    mask = bench.columns[f'{label.target}_mask'][rows]
    name = '-'.join([label.suite, label.method, label.operation, label.sources, label.target,
                     label.fusor, f'seed{label.seed}'])
    return Made(
        name, prediction.astype(np.float32), target,
        np.repeat(mask[..., None], target.shape[2], axis=2), bench.means[label.target],
        label.operation, label.sources, label.target,
        bench.sequences[rows], bench.subjects[rows], bench.stamps_ns[rows])


def rows_of(made: Made, label: Label) -> list[Row]:
    """All metrics of one direction."""
    mask: MaskArray = np.any(made.mask, axis=2)
    error = RelativeError(made.train_mean)
    error.add(made.prediction, made.target, mask)
    values = {'nmse_var': error.nmse_var, 'nmse_energy': 100.0 * error.nmse_energy,
              **by_channel(error, made.target_modality),
              **_in_units(made.prediction, made.target, mask, made.target_modality)}
    return [Row(label.suite, label.method, label.operation, label.sources, label.target,
                label.fusor, label.seed, metric, value, len(made.stamp))
            for metric, value in values.items()]


def by_channel(error: RelativeError, target: str) -> dict[str, float]:
    """NMSE_var of each channel that varies: which of them can be told at all."""
    return {f'nmse_var_{name}': value
            for name, value in zip(CHANNELS[target], error.nmse_var_of_channels, strict=True)
            if np.isfinite(value)}


def _in_units(
    made: FloatArray, true: FloatArray, mask: MaskArray, target: str,
) -> Mapping[str, float]:
    if not mask.any():
        return {}
    error = np.abs(made[mask] - true[mask])
    if target == 'camera':
        return {'depth_mae_m': float(error[:, 2].mean()),
                'iou': float(box_iou.box_iou(made[mask], true[mask]).astype(np.float64).mean())}
    if target == 'ftm':
        return {'range_mae_m': float(error[:, 0].mean())}
    return {f'rmse_{name}': float(np.sqrt((error[:, channels] ** 2).mean()))
            for name, channels in (('accel_mps2', slice(0, 3)), ('gyro_radps', slice(3, 6)),
                                   ('mag_t', slice(6, 9)))}
