"""What it takes to move data and models: bytes, and seconds at a stated link rate."""

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np

from utt_ros.training.recordings import Data

LINK_BPS = 50e6  # of each area's own link to the server, both ways [bit/s] [R]


def raw_bytes(data: Data, modalities: Iterable[str]) -> dict[str, int]:
    """What each area would upload of its train split, as measured: values and stamps."""
    wanted = set(modalities)
    found = dict.fromkeys(data.areas, 0)
    for item in data.of('train'):
        arrays: list[Any] = []
        if item.session.frames is not None and 'camera' in wanted:
            arrays += [item.session.frames.stamps_ns, item.session.frames.boxes]
        for phone in item.session.phones.values():
            arrays += [phone.ftm_stamps_ns, phone.ftm] if 'ftm' in wanted else []
            arrays += [phone.inertial_stamps_ns, phone.inertial, phone.magnetic_stamps_ns,
                       phone.magnetic] if 'imu' in wanted else []
        found[item.area.area] += sum(array.nbytes for array in arrays)
    return found


def mapping_cost(training: Mapping[str, Any]) -> dict[str, float]:
    """Cost of a federated mapping, from its card: areas at once, each on a link of its own."""
    computed = float(np.sum(training['round_slowest_s']))
    moved = float(np.sum(training['bytes_slowest'])) + training['bytes_final']
    everything = np.sum(training['bytes_down']) + np.sum(training['bytes_up'])
    return {'time_s': computed + 8.0 * moved / LINK_BPS,
            'compute_s': float(training['compute_s']),
            'bytes': float(everything + training['areas'] * training['bytes_final'])}


def central_cost(training: Mapping[str, Any], uploads: Mapping[str, int]) -> dict[str, float]:
    """Cost where all areas upload their raw data first, all at once, and get the last model."""
    moved = max(uploads.values()) + training['bytes_final']
    computed = float(training['train_s'])  # there is nothing to aggregate
    return {'time_s': computed + 8.0 * moved / LINK_BPS,
            'compute_s': computed,
            'bytes': float(sum(uploads.values()) + len(uploads) * training['bytes_final'])}
