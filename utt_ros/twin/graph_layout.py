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

"""Inputs and outputs of exported graphs: their names and, for one subject, their shapes.

Exporter and twin share this; it loads neither torch nor ONNX.
"""

from utt_ros.motion.features import CONTEXT
from utt_ros.motion.gait import HARMONICS, INERTIAL_CHANNELS
from utt_ros.settings import WindowSettings
from utt_ros.types import AP_GEOMETRY, CHANNELS, FTM_CHANNELS, FURTHER_FTM

GraphShapes = dict[str, tuple[int, ...]]
MOTION_OUTPUTS = ('velocity', 'velocity_log_std', 'future', 'future_log_std')
GAIT_OUTPUTS = ('cadence', 'swing_log_rms')
SYNTHESIZED_IMU = 'synthesized_imu'  # from other modalities; from itself where there is none
TRANSFERRED_IMU = 'transferred_imu'  # from other modalities alone; the IMU is not encoded
LIVE_OUTPUTS = (*MOTION_OUTPUTS, SYNTHESIZED_IMU, *GAIT_OUTPUTS, TRANSFERRED_IMU)
TRANSLATED_OUTPUTS = {'camera': 'translated_camera', 'ftm': 'translated_ftm'}  # for association
NEWEST_OUTPUTS = {name: f'newest_{name}' for name in CHANNELS}  # of task twins: rows of a tick

# Inputs of graphs that read several access points, and the dimension of each that is their number
# (less one where it is of those after the first): the graph of every number is the same.
AP_DIMENSIONS = {FURTHER_FTM: 1, f'{FURTHER_FTM}_mask': 1, AP_GEOMETRY: 0}
MIN_SEVERAL = 2  # access points


def source_inputs(name: str, *, several: bool) -> tuple[str, ...]:
    """Return the names of the inputs that hold a modality; `several`: access points."""
    return (name, f'{name}_mask', *(AP_DIMENSIONS if several and name == 'ftm' else ()))


def input_shapes(window: WindowSettings, access_points: int = MIN_SEVERAL) -> GraphShapes:
    """Return the shapes of all inputs that a graph may have; of several access points."""
    further = max(access_points, MIN_SEVERAL) - 1
    shapes: GraphShapes = {
        'context': (len(CONTEXT),), AP_GEOMETRY: (further + 1, 3),
        FURTHER_FTM: (window.ticks, further, len(FTM_CHANNELS)),
        f'{FURTHER_FTM}_mask': (window.ticks, further)}
    for name, channels in CHANNELS.items():
        rows = window.ticks * (window.imu_rows if name == 'imu' else 1)
        shapes[name], shapes[f'{name}_mask'] = (rows, len(channels)), (rows,)
    return shapes


def output_shapes(window: WindowSettings) -> GraphShapes:
    """Return the shapes of all outputs that a graph may have."""
    inputs = input_shapes(window)
    rows = {name: window.imu_rows if name == 'imu' else 1 for name in CHANNELS}
    return {
        'velocity': (2,), 'velocity_log_std': (2,),
        'future': (window.horizon, 2), 'future_log_std': (window.horizon, 2),
        SYNTHESIZED_IMU: (window.imu_rows, len(CHANNELS['imu'])),
        TRANSFERRED_IMU: (window.imu_rows, len(CHANNELS['imu'])),
        'cadence': (), 'swing_log_rms': (INERTIAL_CHANNELS, HARMONICS + 1),
        **{output: inputs[name] for name, output in TRANSLATED_OUTPUTS.items()},
        **{output: (rows[name], len(CHANNELS[name])) for name, output in NEWEST_OUTPUTS.items()}}
