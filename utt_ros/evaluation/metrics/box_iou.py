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

"""Intersection over union of image boxes: the only definition, for evaluation and the demo."""

from typing import Any

import numpy as np
import numpy.typing as npt

MIN_UNION_PX2 = 1e-9


def box_iou(predicted: npt.NDArray[Any], true: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """Intersection over union (...) of boxes (..., 5) CAMERA_CHANNELS.

    Negative predicted sizes count as 0.
    """
    size, true_size = np.maximum(predicted[..., 3:5], 0.0), true[..., 3:5]
    low = np.maximum(predicted[..., :2] - size / 2, true[..., :2] - true_size / 2)
    high = np.minimum(predicted[..., :2] + size / 2, true[..., :2] + true_size / 2)
    shared = np.prod(np.maximum(high - low, 0.0), axis=-1)
    union = np.prod(size, axis=-1) + np.prod(true_size, axis=-1) - shared
    return np.asarray(shared / np.maximum(union, MIN_UNION_PX2))
