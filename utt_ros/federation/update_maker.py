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

"""Updates of one area, and what their compression left out."""

from utt_ros.federation.checkpoints import Checkpoint
from utt_ros.federation.client_messages import make_update, open_model
from utt_ros.federation.compression import ErrorFeedback, known_compression
from utt_ros.federation.types import GlobalModel, Update
from utt_ros.federation.wire import Tensors

NONE = ('', -1)  # federation and round


class UpdateMaker:
    """Wire forms of an area's models and updates, for one thread; `refuse` is for any.

    What an update left out is sent with the next one, unless it was refused or belongs to another
    federation. It is in the checkpoint of the model that follows, for a trainer that is killed.
    """

    def __init__(self, area: str) -> None:
        self._area = area
        self._checksum = ''  # of the whole model in use
        self._feedback = ErrorFeedback()
        self._made = self._refused = NONE

    def refuse(self, federation: str, round_: int) -> None:
        """Note that the area's update of a round was refused."""
        self._refused = (federation, round_)

    def open(
        self, model: GlobalModel, limit_bytes: int, current: Checkpoint | None,
    ) -> Checkpoint:
        """Return what a trainer keeps of a model, whole or a change of the `current` one.

        Raises ModelError like `open_model`.
        """
        tensors = open_model(
            model, limit_bytes, self._checksum, current.tensors if current else {})
        self._forget_refused()
        is_same = current is not None and current.federation == model.federation
        return Checkpoint(
            model.federation, model.round, model.config, tensors,
            residual=self._feedback.residual if is_same else {},
            compression=known_compression(model.compression))

    def begin(self, model: Checkpoint, checksum: str) -> None:
        """Use a model; `checksum` is that of its wire form."""
        self._checksum = checksum
        self._feedback = ErrorFeedback(model.residual)

    def make(
        self, model: Checkpoint, windows: int, modalities: tuple[str, ...], tensors: Tensors,
    ) -> Update:
        """Return the update with tensors that the area trained of the model in use."""
        self._forget_refused()
        packed = self._feedback.pack(tensors, model.tensors, model.compression)
        self._made = (model.federation, model.round)
        return make_update(
            model, self._area, windows, modalities, packed, base=self._checksum)

    def _forget_refused(self) -> None:
        if self._refused == self._made != NONE:
            self._feedback = ErrorFeedback()
            self._made = NONE
