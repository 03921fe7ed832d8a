"""The live engine over recorded ticks: what the twin says of every walk."""

from collections.abc import Iterable, Sequence

import numpy as np

from utt_ros.evaluation.ground_truth import Track, Walk
from utt_ros.settings import AreaSettings, WindowSettings
from utt_ros.twin.engine import TwinEngine
from utt_ros.twin.onnx_model import OnnxRuntime
from utt_ros.types import SyncedBatch


def follow(
    area: AreaSettings, window: WindowSettings, graph: bytes | None,
    batches: Iterable[SyncedBatch], walks: Sequence[Walk],
) -> list[Track]:
    """What an engine with this model (ONNX; None: the belief alone) says of each walk."""
    engine = TwinEngine(area, window)
    if graph is not None:
        engine.deploy(OnnxRuntime(graph, window))
    rows = {(walk.subject, int(stamp)): (number, row) for number, walk in enumerate(walks)
            for row, stamp in enumerate(walk.stamps_ns)}
    tracks = [blank(len(walk.stamps_ns), window) for walk in walks]
    for batch in batches:
        said = engine.step(batch)
        for place, name in enumerate(said.subjects):
            number, row = rows.get((name, said.stamp_ns), (-1, 0))
            if number < 0:
                continue
            track = tracks[number]
            track.position[row] = said.position[place]
            track.covariance[row] = said.covariance[place]
            if track.ahead is not None:
                track.ahead[row] = said.trajectory[place] - said.position[place]
            for made, rows_made in ((said.imu, track.imu), (said.imu_mean, track.imu_mean)):
                if made is not None and rows_made is not None:
                    rows_made[row] = made[place]
    return tracks


def blank(ticks: int, window: WindowSettings) -> Track:
    """A track that says nothing of T ticks."""
    imu = (ticks, window.imu_rows, 9)
    shapes = ((ticks, 2), (ticks, 2, 2), (ticks, window.horizon, 2), imu, imu)
    return Track(*(np.full(shape, np.nan, np.float32) for shape in shapes))
