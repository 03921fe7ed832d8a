"""A recorded session through the same synchronizer that runs live."""

from collections.abc import Callable, Iterator, Sequence
from functools import partial

import numpy as np
import numpy.typing as npt

from utt_ros.settings import WindowSettings
from utt_ros.sync.association_types import Associator
from utt_ros.sync.settings import SyncSettings
from utt_ros.sync.synchronizer import Synchronizer
from utt_ros.types import MODALITIES, FloatArray, Frames, Session, SyncedBatch

Stream = tuple[npt.NDArray[np.int64], Callable[[int], None]]


def synchronize(
    session: Session,
    settings: SyncSettings | None = None,
    modalities: Sequence[str] = MODALITIES,
    windows: WindowSettings | None = None,
    associator: Associator | None = None,
) -> Iterator[SyncedBatch]:
    """The ticks of a session, from its streams merged in order of stamps.

    Labels are taken unless an associator is given, a new one for every session. Ticks at the end
    that wait for measurements after the recording are left out, as they are live.
    """
    synchronizer = Synchronizer(settings, windows, modalities, associator)
    streams = list(_streams(synchronizer, session, modalities))
    stamps_ns = np.concatenate([np.empty(0, np.int64), *(stamps for stamps, _ in streams)])
    numbers = np.repeat(np.arange(len(streams)), [len(stamps) for stamps, _ in streams])
    rows = np.concatenate([np.empty(0, np.int64), *(
        np.arange(len(stamps)) for stamps, _ in streams)])
    order = np.argsort(stamps_ns, kind='stable')
    add = [feed for _, feed in streams]
    for number, row in zip(numbers[order].tolist(), rows[order].tolist(), strict=True):
        add[number](row)
        yield from synchronizer.poll()


def _streams(
    synchronizer: Synchronizer, session: Session, modalities: Sequence[str]
) -> Iterator[Stream]:
    """Stamps of each stream, and what feeds its i-th message."""
    if session.frames is not None and 'camera' in modalities:
        yield session.frames.stamps_ns, partial(_add_frame, synchronizer, session.frames)
    for name, phone in sorted(session.phones.items()):
        if 'ftm' in modalities:
            add_ftm = partial(_add_ftm, synchronizer, name)
            yield _stream(phone.ftm_stamps_ns, phone.ftm, add_ftm)
        if 'imu' in modalities:
            add_inertial = partial(synchronizer.add_inertial, name)
            yield _stream(phone.inertial_stamps_ns, phone.inertial, add_inertial)
            add_magnetic = partial(synchronizer.add_magnetic, name)
            yield _stream(phone.magnetic_stamps_ns, phone.magnetic, add_magnetic)


def _stream(
    stamps_ns: npt.NDArray[np.int64],
    values: FloatArray,
    add: Callable[[int, list[float]], None],
) -> Stream:
    return stamps_ns, lambda row: add(int(stamps_ns[row]), values[row].tolist())


def _add_ftm(
    synchronizer: Synchronizer, name: str, stamp_ns: int, values: list[float]
) -> None:
    synchronizer.add_ftm(name, stamp_ns, values[0], values[1])


def _add_frame(synchronizer: Synchronizer, frames: Frames, row: int) -> None:
    boxes = slice(int(frames.starts[row]), int(frames.starts[row + 1]))
    certain = np.ones(boxes.stop - boxes.start, np.float32)
    synchronizer.add_tracks(
        int(frames.stamps_ns[row]), frames.boxes[boxes], frames.subjects[boxes],
        frames.track_ids[boxes], certain)
