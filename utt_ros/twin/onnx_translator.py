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

"""Translation of tracks and phones separately by the area's model, for association."""

import numpy as np

from utt_ros.association.translator import PhoneTranslation
from utt_ros.motion.features import phone_context
from utt_ros.sensor_limits import MAX_BOX_PX, RANGE_LIMITS_M
from utt_ros.settings import WindowSettings
from utt_ros.twin.graph_layout import TRANSLATED_OUTPUTS
from utt_ros.twin.onnx_model import OnnxGraph
from utt_ros.twin.output_limits import MAX_PERSON_SPEED_MPS, VELOCITY_STD_LIMITS_MPS
from utt_ros.types import FloatArray, MaskArray

PHONE_OUTPUTS = ('velocity', 'velocity_log_std', TRANSLATED_OUTPUTS['camera'])
TRACK_OUTPUTS = (TRANSLATED_OUTPUTS['ftm'],)


class OnnxTranslator:
    """An `association.translator.Translator`; the graph is that of `deployed_model`.

    Translations are clipped to the limits of sensors and persons. A graph that differs from that
    of `like` in its weights alone shares its sessions.

    Raises ModelError for a graph that does not translate, such as that of a federation without a
    camera, and for one that fails.
    """

    def __init__(
        self, payload: bytes, window: WindowSettings, like: 'OnnxTranslator | None' = None, *,
        is_tried: bool = False,
    ) -> None:
        """`is_tried`: by a `GraphTrial`, see `OnnxGraph`."""
        self._window = window
        self._phone_graph, self._track_graph = (
            OnnxGraph(payload, window, outputs, former, is_tried=is_tried)
            for outputs, former in zip(
                (PHONE_OUTPUTS, TRACK_OUTPUTS), like.graphs if like else (None, None),
                strict=True))
        for graph in self.graphs:
            graph.run(1, {})

    @property
    def graphs(self) -> tuple[OnnxGraph, OnnxGraph]:
        """Graphs of phones and of tracks."""
        return self._phone_graph, self._track_graph

    @property
    def ticks(self) -> int:
        """Ticks T in a window."""
        return self._window.ticks

    def translate_phones(
        self, ftm: FloatArray, ftm_mask: MaskArray, imu: FloatArray, imu_mask: MaskArray,
        heading_valid: MaskArray,
    ) -> PhoneTranslation:
        """Translate ftm (N, T, 2) and imu (N, T * C, 9) to velocity and boxes."""
        row_s = self._window.period / self._window.imu_rows
        context = phone_context(imu, imu_mask, row_s, heading_valid)
        outputs = self._phone_graph.run(len(ftm), {
            'ftm': ftm, 'ftm_mask': ftm_mask, 'imu': imu, 'imu_mask': imu_mask,
            'context': context})
        with np.errstate(over='ignore'):  # clipped below
            std = np.exp(outputs['velocity_log_std'])
        return PhoneTranslation(
            np.clip(outputs['velocity'], -MAX_PERSON_SPEED_MPS, MAX_PERSON_SPEED_MPS),
            np.clip(std, *VELOCITY_STD_LIMITS_MPS),
            np.clip(outputs['translated_camera'], -MAX_BOX_PX, MAX_BOX_PX))

    def translate_tracks(self, boxes: FloatArray, mask: MaskArray) -> FloatArray:
        """Translate boxes (N, T, 5) to the expected FTM windows (N, T, 2)."""
        outputs = self._track_graph.run(len(boxes), {'camera': boxes, 'camera_mask': mask})
        return np.clip(outputs['translated_ftm'], *RANGE_LIMITS_M)
