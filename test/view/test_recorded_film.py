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

"""Films of bags."""

import numpy as np

from utt_ros.view.recorded_film import film_pictures
from utt_ros.view.recorded_scene import RecordedScene
from utt_ros.view.scene_drawing import SEEN


def test_pictures_show_a_walk_and_have_one_size(evening):
    with RecordedScene(evening) as recorded:
        pictures = list(film_pictures(recorded, 8))
    assert len({picture.shape for picture in pictures}) == 1
    columns = [np.nonzero(np.abs(picture.astype(int) - SEEN).sum(axis=2) < 30)[1].max()
               for picture in pictures]
    assert len(pictures) == 8
    assert columns[-1] - columns[0] > 5
