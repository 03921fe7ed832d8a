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

"""Virtual sensors: deployed task twins of an area, evaluated at a tick."""

import time
from collections import deque
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, replace
from threading import Lock

import numpy as np

from utt_ros.errors import ModelError
from utt_ros.federation.types import UNSEALED, TaskDeployment
from utt_ros.geometry.camera import CameraModel
from utt_ros.geometry.compass import rotate_magnetic_field
from utt_ros.sensor_limits import (
    MAX_RANGE_STD_M,
    RANGE_LIMITS_M,
    is_name,
)
from utt_ros.settings import AreaSettings, WindowSettings
from utt_ros.twin.engine import SOURCE_MAX_AGE_S
from utt_ros.twin.expected_measurements import ExpectedMeasurements, merge_expected
from utt_ros.twin.graph_layout import NEWEST_OUTPUTS, source_inputs
from utt_ros.twin.held_fields import unoriented_std
from utt_ros.twin.model_service import MAX_BAD_TICKS, MAX_COMPUTING_S
from utt_ros.twin.onnx_model import OnnxGraph
from utt_ros.twin.output_limits import plausible_rows
from utt_ros.types import (
    AP_GEOMETRY,
    CHANNELS,
    FURTHER_FTM,
    FloatArray,
    MaskArray,
    Windows,
)

MAX_VIRTUAL_SENSORS = 8  # task twins in service at a time
MAX_TASK_TWIN_ID_LENGTH = 96  # area, task and number


@dataclass(frozen=True, slots=True)
class VirtualMeasurements:
    """Measurements that a sensor would make of S subjects at a tick.

    IMU rows are in the phone frame. Boxes are those inside the image, clipped to it; a range that
    is slightly negative, as sensors near their access point give it, is 0.
    """

    subjects: tuple[str, ...]  # S
    values: FloatArray  # (S, C, F) rows of the tick, channels of the target modality
    std: FloatArray  # (F,) of the residual; NaN: not judged


@dataclass(slots=True, eq=False)
class _Sensor:
    deployment: TaskDeployment
    graph: OnnxGraph
    std: FloatArray
    bad_ticks: int = 0  # in succession


class VirtualSensors:
    """Task twins in service. `deploy` and `remove` are for one thread, the rest for another.

    One that computes for more than MAX_COMPUTING_S, or fails at MAX_BAD_TICKS in succession, is
    dropped: its graph runs within the tick. The same deployment is refused from then on.
    """

    def __init__(self, area: AreaSettings, window: WindowSettings) -> None:
        self._area, self._window = area, window
        self._camera = CameraModel(area)
        self._row_s = window.period / window.imu_rows
        self._sensors: Mapping[str, _Sensor] = {}  # by id; replaced, never changed
        self._lock = Lock()  # of replacements
        self._faulty: deque[TaskDeployment] = deque(maxlen=MAX_VIRTUAL_SENSORS)
        self.failures = 0  # ticks at which a graph gave no usable output
        self.implausible = 0  # measurements of subjects outside the limits of the sensor
        self.dropped = 0  # task twins
        self.failure = ''

    @property
    def targets(self) -> dict[str, str]:
        """Modalities that are made, by id of the task twin."""
        return {name: sensor.deployment.target for name, sensor in self._sensors.items()}

    def serves(self, deployment: TaskDeployment) -> bool:
        """Check that a deployment is in service, which trainers repeat for late subscribers."""
        sensor = self._sensors.get(deployment.id)
        return sensor is not None and sensor.deployment == _light(deployment)

    def deploy(self, deployment: TaskDeployment, *, is_tried: bool = False) -> None:
        """Put a task twin in service from the next tick on, unless it is. Raises ModelError.

        `is_tried`: by a `GraphTrial`, so that the schema of its graph is not checked again.
        """
        check_task_twin(deployment, self._area.area)
        if self.serves(deployment):
            return
        name, others, light = deployment.id, {**self._sensors}, _light(deployment)
        former = others.pop(name, None)
        with self._lock:
            if light in self._faulty:
                raise ModelError(f'{name} was dropped: its graph failed or computed for too long')
        if len(others) >= MAX_VIRTUAL_SENSORS:
            raise ModelError(f'{len(others)} task twins are in service: '
                             f'at most {MAX_VIRTUAL_SENSORS}')
        output = NEWEST_OUTPUTS[deployment.target]
        graph = OnnxGraph(
            deployment.graph, self._window, (output,), former.graph if former else None,
            is_tried=is_tried)
        _check_inputs(graph, deployment.sources, deployment.target)
        graph.run(1, {})
        unknown = (np.nan,) * len(CHANNELS[deployment.target])
        std = unoriented_std(deployment.target, np.array(deployment.std or unknown))
        with self._lock:
            self._sensors = {**self._sensors, name: _Sensor(light, graph, std)}

    def remove(self, name: str) -> None:
        """Take a task twin out of service; without effect for an unknown one."""
        with self._lock:
            self._sensors = {key: item for key, item in self._sensors.items() if key != name}

    def subjects(self, name: str, windows: Windows) -> tuple[str, ...]:
        """Return the subjects whose sources are all present."""
        sensor = self._sensors.get(name)
        rows = [] if sensor is None else self._rows(windows, sensor)
        return tuple(windows.subjects[row] for row in rows)

    def measure(
        self, name: str, windows: Windows, only: Collection[str] | None = None,
        expect: Callable[[str], ExpectedMeasurements] | None = None,
    ) -> VirtualMeasurements | None:
        """Evaluate a task twin for the subjects whose sources are all present, or those in `only`.

        `windows` are as models read them, see `PendingTick`. `expect` returns measurements of a
        modality that the belief expects, which are merged with those of the graph. None where
        there is no such subject, and for a graph that fails, which is counted, as are subjects
        whose measurements are left out because their sensor cannot measure such values.
        """
        sensor = self._sensors.get(name)
        if sensor is None:
            return None
        target = sensor.deployment.target
        rows = [row for row in self._rows(windows, sensor)
                if only is None or windows.subjects[row] in only]
        if not rows:
            return None
        inputs: dict[str, FloatArray | MaskArray] = {}
        for item in sensor.graph.inputs:
            measured = windows.masks if item.endswith('_mask') else windows.values
            if (part := measured.get(item.removesuffix('_mask'))) is not None:
                inputs[item] = part[rows]
        values = self._evaluate(sensor, len(rows), inputs)
        if values is None:
            return None
        subjects = tuple(windows.subjects[row] for row in rows)
        if target == 'imu':
            values = self._in_phone_frame(values)
        if expect is not None:
            values = merge_expected(subjects, values, sensor.std, expect(target))
        made = VirtualMeasurements(subjects, values, sensor.std)
        return self._physical(target, self._select_plausible(
            name, made, _PLAUSIBLE[target](values)))

    def _evaluate(
        self, sensor: _Sensor, count: int, inputs: Mapping[str, FloatArray | MaskArray],
    ) -> FloatArray | None:
        """Return the output of a graph; None where it fails, which is counted, or is dropped."""
        begin_s = time.thread_time()
        try:
            values = sensor.graph.run(count, inputs)[NEWEST_OUTPUTS[sensor.deployment.target]]
        except ModelError as err:
            values, reason = None, str(err)
            sensor.bad_ticks += 1
        else:
            sensor.bad_ticks = 0
        computed_s = time.thread_time() - begin_s
        if computed_s > MAX_COMPUTING_S:
            values, reason = None, f'it computed for {computed_s:.2f} s'
        if values is None:
            self.failures += 1
            self.failure = f'{sensor.deployment.id}: {reason}'
            if computed_s > MAX_COMPUTING_S or sensor.bad_ticks >= MAX_BAD_TICKS:
                self._drop(sensor, reason)
        return values

    def _drop(self, sensor: _Sensor, reason: str) -> None:
        name = sensor.deployment.id
        with self._lock:
            self._faulty.append(sensor.deployment)
            self._sensors = {key: item for key, item in self._sensors.items()
                             if item is not sensor}
        self.dropped += 1
        self.failure = f'{name} is dropped: {reason}'

    def _rows(self, windows: Windows, sensor: _Sensor) -> list[int]:
        """Return rows of the subjects of whom every source measured recently."""
        present = np.ones(len(windows), bool)
        for name in sensor.deployment.sources:
            ticks = round(SOURCE_MAX_AGE_S[name] / self._window.period) + 1
            rows = ticks * (self._window.imu_rows if name == 'imu' else 1)
            is_recent = windows.masks[name][:, -rows:].any(axis=1)
            if name == 'ftm' and FURTHER_FTM in sensor.graph.inputs & windows.masks.keys():
                is_recent |= windows.masks[FURTHER_FTM][:, -rows:].any(axis=(1, 2))
            present &= is_recent
        return [int(row) for row in np.flatnonzero(present)]

    def _in_phone_frame(self, imu: FloatArray) -> FloatArray:
        """Turn the fields of decoded IMU rows (S, C, 9) from the area's orientation."""
        measured = np.ones(imu.shape[:2], bool)
        with np.errstate(invalid='ignore', over='ignore'):  # implausible ones are left out later
            return rotate_magnetic_field(imu, measured, self._row_s, -self._area.magnetic_yaw)

    def _physical(self, target: str, made: VirtualMeasurements) -> VirtualMeasurements:
        """Clip measurements to what their sensor gives."""
        if target == 'imu':
            return made
        if target == 'camera':
            boxes, visible = self._camera.clip_boxes(made.values)
            seen = np.flatnonzero(visible[:, 0])
            return replace(made, subjects=tuple(made.subjects[row] for row in seen),
                           values=boxes[seen].astype(np.float32))
        ranges, stds = made.values[..., 0], made.values[..., 1]
        return replace(made, values=np.stack([np.maximum(ranges, 0.0), np.abs(stds)], axis=-1))

    def _select_plausible(
        self, name: str, made: VirtualMeasurements, plausible: MaskArray,
    ) -> VirtualMeasurements:
        """Leave out subjects with values that their sensor cannot measure, and count them."""
        if plausible.all():
            return made
        rows = np.flatnonzero(plausible)
        self.implausible += len(plausible) - len(rows)
        self.failure = f'{name}: its measurements are outside the limits of the sensor'
        return replace(made, subjects=tuple(made.subjects[row] for row in rows),
                       values=made.values[rows])


def _light(deployment: TaskDeployment) -> TaskDeployment:
    """Return a deployment without its graph, of which it keeps the checksum, and its seal."""
    return replace(deployment, graph=b'', seal=UNSEALED)


def _are_boxes_plausible(values: FloatArray) -> MaskArray:
    """Return true for all: boxes are clipped to the image later, or left out as not visible."""
    return np.ones(len(values), bool)


def _are_ranges_plausible(values: FloatArray) -> MaskArray:
    low, high = RANGE_LIMITS_M
    ranges, stds = values[..., 0], np.abs(values[..., 1])
    within = (ranges >= low) & (ranges <= high) & (stds <= MAX_RANGE_STD_M)
    return np.asarray(within.all(axis=1))


_PLAUSIBLE: Mapping[str, Callable[[FloatArray], MaskArray]] = {
    'camera': _are_boxes_plausible, 'ftm': _are_ranges_plausible, 'imu': plausible_rows}


def check_task_twin(deployment: TaskDeployment, area: str) -> None:
    """Raise ModelError for a task twin that no area can have."""
    name, target, sources = deployment.id, deployment.target, deployment.sources
    if deployment.area != area:
        raise ModelError(f'task twin {name[:64]!r} is of area {deployment.area[:64]!r}: '
                         f'this is {area!r}')
    if not is_name(name, MAX_TASK_TWIN_ID_LENGTH):
        raise ModelError(f'id {name[:64]!r} of a task twin cannot be part of a topic name')
    unknown = sorted({target, *sources} - set(CHANNELS))
    if unknown or not sources or target in sources:
        raise ModelError(f'{name}: {list(sources)} -> {target!r:.64} is no translation between '
                         f'{", ".join(CHANNELS)}')
    std, channels = deployment.std, CHANNELS[target]
    if std and (len(std) != len(channels) or not np.isfinite(std).all() or min(std) < 0.0):
        raise ModelError(f'{name}: standard deviations are {list(std)!r:.200}: there must be '
                         f'{len(channels)} or none, finite and not negative')


def _check_inputs(graph: OnnxGraph, sources: Collection[str], target: str) -> None:
    allowed = {name for source in sources for name in source_inputs(source, several=True)}
    allowed |= {AP_GEOMETRY} if target == 'ftm' else set()
    surplus = sorted(graph.inputs - allowed)
    if surplus:
        raise ModelError(f'the graph reads {", ".join(surplus)}, which is no source of it')
