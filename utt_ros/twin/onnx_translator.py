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
from utt_ros.settings import WindowSettings
from utt_ros.twin.onnx_model import OnnxGraph
from utt_ros.types import FloatArray, MaskArray


class OnnxTranslator:
    """An `association.translator.Translator`; the graph is that of `deployed_model`.

    Raises ModelError for a graph that does not translate, such as that of a federation without a
    camera, and for one that fails.
    """

    def __init__(self, payload: bytes, window: WindowSettings) -> None:
        self._window = window
        self._phone_graph = OnnxGraph(payload, window, (
            'velocity', 'velocity_log_std', 'translated_camera'))
        self._track_graph = OnnxGraph(payload, window, ('translated_ftm',))
        for graph in (self._phone_graph, self._track_graph):
            graph.run(1, {})

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
        return PhoneTranslation(outputs['velocity'], np.exp(outputs['velocity_log_std']),
                                outputs['translated_camera'])

    def translate_tracks(self, boxes: FloatArray, mask: MaskArray) -> FloatArray:
        """Translate boxes (N, T, 5) to the expected FTM windows (N, T, 2)."""
        outputs = self._track_graph.run(len(boxes), {'camera': boxes, 'camera_mask': mask})
        return outputs['translated_ftm']
