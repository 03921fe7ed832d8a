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
