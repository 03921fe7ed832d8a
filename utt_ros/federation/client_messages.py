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

"""Client side of the exchange: global model in, update out; the same live and in one process."""

from utt_ros.errors import ModelError
from utt_ros.federation.checkpoints import Checkpoint
from utt_ros.federation.types import GlobalModel, Update
from utt_ros.federation.wire import Tensors, pack, schema_of, unpack
from utt_ros.types import FloatArray


def open_model(model: GlobalModel, limit_bytes: int) -> dict[str, FloatArray]:
    """Return the tensors of a global model; raises ModelError when they differ from its schema."""
    tensors = unpack(model.payload, model.checksum, limit_bytes)
    if schema_of(tensors) != model.schema:
        raise ModelError('its tensors are not those that its schema announces')
    return tensors


def make_update(
    model: GlobalModel | Checkpoint, area: str, windows: int, modalities: tuple[str, ...],
    tensors: Tensors,
) -> Update:
    """Return the update of an area that trained `model`."""
    packed = pack(tensors)
    return Update(model.federation, area, model.round, windows, modalities,
                  packed.schema, packed.checksum, packed.payload)
