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
from utt_ros.federation.compression import unpack_change
from utt_ros.federation.types import PLAIN, GlobalModel, Update
from utt_ros.federation.wire import Packed, Tensors, pack, schema_of, unpack
from utt_ros.types import FloatArray


def open_model(
    model: GlobalModel, limit_bytes: int, checksum: str = '', tensors: Tensors | None = None,
) -> dict[str, FloatArray]:
    """Return the tensors of a global model; raises ModelError when they differ from its schema.

    `checksum` and `tensors`: of the model that one with a base is a change of.
    """
    if model.base:
        opened = _open_change(model, limit_bytes, checksum, tensors or {})
    else:
        opened = unpack(model.payload, model.checksum, limit_bytes)
    if schema_of(opened) != model.schema:
        raise ModelError('its tensors are not those that its schema announces')
    return opened


def _open_change(
    model: GlobalModel, limit_bytes: int, checksum: str, tensors: Tensors,
) -> dict[str, FloatArray]:
    if model.base != checksum:
        raise ModelError(f'it changes model {model.base[:12]!r}…: '
                         f'this area has {checksum[:12] or "none"}')
    return unpack_change(
        model.payload, model.checksum, limit_bytes, tensors, model.compression)


def whole_checksum(model: GlobalModel, tensors: Tensors) -> str:
    """Return the checksum of the whole model whose tensors were opened."""
    return pack(tensors).checksum if model.base else model.checksum


def make_update(
    model: GlobalModel | Checkpoint, area: str, windows: int, modalities: tuple[str, ...],
    tensors: Tensors | Packed, *, base: str = '',
) -> Update:
    """Return the update of an area that trained `model`.

    `base`: checksum of the whole model, which a compressed update names.
    """
    packed = tensors if isinstance(tensors, Packed) else pack(tensors)
    return Update(model.federation, area, model.round, windows, modalities,
                  packed.schema, packed.checksum, packed.payload,
                  compression=packed.compression,
                  base='' if packed.compression == PLAIN else base)
