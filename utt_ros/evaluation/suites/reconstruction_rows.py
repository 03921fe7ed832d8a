"""ViFiT beside its first-frame row: boxes of a window from its first box, FTM and IMU."""

from collections.abc import Iterator

import numpy as np

from utt_ros.evaluation.baselines.baseline_training import fit
from utt_ros.evaluation.baselines.scaling import Item, scale
from utt_ros.evaluation.baselines.vifit import (
    FRAMES,
    Boxes,
    Frames,
    Vifit,
    hold_first,
    predict,
    required_frames,
    vifit_loss,
    vifit_rows,
)
from utt_ros.evaluation.metrics import box_iou
from utt_ros.evaluation.trained_models import Study
from utt_ros.geometry.compass import compass_headings
from utt_ros.settings import AreaSettings
from utt_ros.sync.window_buffer import cut_windows
from utt_ros.training.recordings import Recording
from utt_ros.types import Windows

TRAIN_STRIDE = 5


def reconstruct(study: Study, seed: int) -> Iterator[tuple[str, str, float, int]]:
    """(method, metric, value, windows) of ViFiT and of sending one frame per window."""
    data = study.data

    def found(split: str) -> dict[str, list[Item]]:
        groups: dict[str, list[Item]] = {}
        for recording in data.of(split):
            for chain in chains(recording, study, TRAIN_STRIDE).values():
                groups.setdefault(recording.area.area, []).extend(
                    {name: values[0] for name, values in item.items() if name != 'true'}
                    for item in chain)
        return groups
    net: Vifit = fit(lambda: Vifit(data.shape.imu_rows), vifit_loss, found('train'), found('val'),
                     seed, federated=False, batch=32, learning_rate=1e-3)
    judged = [chain for recording in data.of(study.split)
              for chain in chains(recording, study, FRAMES - 1).values()]
    methods: dict[str, Boxes] = {
        'vifit': lambda rows: predict(net, rows), 'first_frame': hold_first}
    for method, boxes in methods.items():
        for metric, value, count in _measure(judged, boxes):
            yield method, metric, value, count


def _measure(judged: list[list[Item]], boxes: Boxes) -> Iterator[tuple[str, float, int]]:
    windows = [item for chain in judged for item in chain]
    if not windows:
        return
    made = np.concatenate([boxes(item) for item in windows])[:, 1:]
    true = np.concatenate([item['true'] for item in windows])[:, 1:]
    seen = np.concatenate([item['seen'] for item in windows])[:, 1:]
    overlap, depth = box_iou.box_iou(made, true)[seen], np.abs(made - true)[..., 2][seen]
    needed = [required_frames(boxes, chain) for chain in judged if chain]
    frames = Frames(sum(part[0] for part in needed), sum(part[1] for part in needed))
    for metric, value in (
            ('iou', float(overlap.mean())), ('depth_mae_m', float(depth.mean())),
            ('iou_above_half', float((overlap >= 0.5).mean())),
            ('required_frames_ratio', frames.ratio), ('frames_saved', frames.saved)):
        yield metric, value, len(windows)


def chains(recording: Recording, study: Study, stride: int) -> dict[str, list[Item]]:
    """By subject and run of windows on end, rows for ViFiT; windows begin with a box seen."""
    found: dict[str, list[Item]] = {}
    last: dict[str, tuple[str, int]] = {}
    period_ns = round(study.data.shape.period * 1e9)
    for windows in cut_windows(recording.batches, study.data.shape, FRAMES, stride):
        for row, subject in enumerate(windows.subjects):
            seen = windows.masks['camera'][row]
            if not (seen[0] and seen.mean() > 0.5 and windows.masks['imu'][row].any()):
                continue
            key, stamp_ns = last.get(subject, ('', 0))
            if not key or windows.stamps_ns[row] - stamp_ns > 1.5 * stride * period_ns:
                key = f'{subject} {windows.stamps_ns[row]}'
            last[subject] = (key, int(windows.stamps_ns[row]))
            found.setdefault(key, []).append(_item(windows, row, study, recording.area))
    return found


def _item(windows: Windows, row: int, study: Study, area: AreaSettings) -> Item:
    values = {name: rows[row:row + 1] for name, rows in windows.values.items()}
    masks = {name: rows[row:row + 1] for name, rows in windows.masks.items()}
    shape = study.data.shape
    headings = compass_headings(
        values['imu'], masks['imu'], shape.period / shape.imu_rows, area.magnetic_yaw)
    rows = vifit_rows(
        values['camera'][:, 0], (values['ftm'], masks['ftm']), (values['imu'], masks['imu']),
        headings)
    return {**rows, 'boxes': scale('camera', values['camera'], masks['camera']),
            'seen': masks['camera'], 'true': values['camera']}
