"""Messages that carry weights <-> records.

Filling `uint8[]` from numpy or a list takes a tenth of a second per megabyte or more, from
array.array nothing.
"""

from array import array

from builtin_interfaces.msg import Time
from std_msgs.msg import Header

from utt_ros.federation import types
from utt_ros.msg import GlobalModel, ModelUpdate, RoundStatus


def byte_array(values: bytes) -> 'array[int]':
    """Bytes as the value of a `uint8[]` field."""
    return array('B', values)


def update_to_message(update: types.Update, stamp: Time) -> ModelUpdate:
    """`stamp`: when the training ended."""
    return ModelUpdate(
        header=Header(stamp=stamp),
        federation=update.federation,
        area=update.area,
        round=update.round,
        windows=update.windows,
        modalities=list(update.modalities),
        schema=update.schema,
        checksum=update.checksum,
        payload=byte_array(update.payload),
    )


def update_from_message(message: ModelUpdate) -> types.Update:
    """Nothing is checked here; utt_ros.federation.validation does."""
    return types.Update(
        federation=message.federation,
        area=message.area,
        round=message.round,
        windows=message.windows,
        modalities=tuple(message.modalities),
        schema=message.schema,
        checksum=message.checksum,
        payload=bytes(message.payload),
    )


def model_to_message(model: types.GlobalModel, stamp: Time) -> GlobalModel:
    """`stamp`: when the round was completed."""
    return GlobalModel(
        header=Header(stamp=stamp),
        federation=model.federation,
        round=model.round,
        config=model.config,
        schema=model.schema,
        checksum=model.checksum,
        payload=byte_array(model.payload),
    )


def model_from_message(message: GlobalModel) -> types.GlobalModel:
    """Nothing is checked here; the receiver unpacks the payload with its checksum."""
    return types.GlobalModel(
        federation=message.federation,
        round=message.round,
        config=message.config,
        schema=message.schema,
        checksum=message.checksum,
        payload=bytes(message.payload),
    )


def status_to_message(status: types.RoundStatus, stamp: Time) -> RoundStatus:
    """Areas are sorted."""
    accepted, refused = sorted(status.accepted), sorted(status.refused)
    return RoundStatus(
        header=Header(stamp=stamp),
        federation=status.federation,
        round=status.round,
        state=status.state,
        quorum=status.quorum,
        deadline=status.deadline_s,
        accepted=accepted,
        windows=array('Q', (status.accepted[area] for area in accepted)),
        refused=refused,
        reasons=[status.refused[area] for area in refused],
        bytes_received=status.bytes_received,
        bytes_sent=status.bytes_sent,
        duration=status.duration_s,
    )


def status_from_message(message: RoundStatus) -> types.RoundStatus:
    """Inverse of status_to_message; times have the precision of float32."""
    return types.RoundStatus(
        federation=message.federation,
        round=message.round,
        state=message.state,
        quorum=message.quorum,
        deadline_s=message.deadline,
        accepted=dict(zip(message.accepted, message.windows, strict=True)),
        refused=dict(zip(message.refused, message.reasons, strict=True)),
        bytes_received=message.bytes_received,
        bytes_sent=message.bytes_sent,
        duration_s=message.duration,
    )
