"""What a global model is worth on an area's held-out sessions, computed offline."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from utt_ros.demo.scenes import Scene
from utt_ros.demo.scoring import Predictions
from utt_ros.errors import SessionError
from utt_ros.federation.checkpoints import Checkpoint
from utt_ros.models.onnx_export import export_onnx
from utt_ros.models.operations import operations, unique_pairs
from utt_ros.models.settings import load_config
from utt_ros.models.twin import UnifiedTwin, load_weights
from utt_ros.sessions.session_bags import read_session
from utt_ros.settings import WindowSettings
from utt_ros.sync.offline_sync import synchronize
from utt_ros.sync.window_buffer import cut_windows
from utt_ros.training.columns import Columns
from utt_ros.training.dataset import make_examples
from utt_ros.training.metrics import nmse_by_operation, relative_errors, training_means
from utt_ros.training.replay_buffer import ReplayBuffer
from utt_ros.twin.engine import Predictions as TickPredictions
from utt_ros.twin.engine import TwinEngine
from utt_ros.twin.onnx_model import OnnxRuntime

MAX_WINDOWS = 4096


def held_out_windows(scene: Scene, bags: Sequence[Path], shape: WindowSettings) -> Columns:
    """Windows of some sessions that do not overlap. Raises SessionError when there is none."""
    kept = ReplayBuffer(MAX_WINDOWS)
    for bag in bags:
        batches = synchronize(
            read_session(bag), modalities=scene.settings.modalities, windows=shape)
        ticks = shape.ticks + shape.horizon
        for windows in cut_windows(batches, shape, ticks, stride=shape.ticks):
            kept.add(make_examples(windows, scene.settings, shape))
    if not len(kept):
        seconds = shape.period * (shape.ticks + shape.horizon)
        raise SessionError(
            f'no session of area {scene.name!r} has {seconds:.1f} s of measurements on end')
    return kept.all()


def nmse(checkpoints: Sequence[Checkpoint], scene: Scene) -> list[dict[str, float]]:
    """NMSE_var by operation of each global model, over the area's test sessions.

    The mean predictor that scales it knows the area's training sessions alone.
    """
    model, shape = load_config(checkpoints[0].config)
    modalities = scene.settings.modalities
    wanted = operations(modalities)
    means = training_means(held_out_windows(scene, scene.train, shape), modalities)
    test = held_out_windows(scene, scene.test, shape)
    found = []
    for checkpoint in checkpoints:
        twin = UnifiedTwin(model, shape)
        load_weights(twin, checkpoint.tensors)
        errors = relative_errors(twin, test, unique_pairs(wanted), means)
        found.append(nmse_by_operation(errors, wanted))
    return found


def untrained_positions(initial: Checkpoint, scene: Scene) -> list[Predictions]:
    """Positions that a twin with the initial model gives in each test session, offline.

    The same engine on the same samples as live.
    """
    model, shape = load_config(initial.config)
    twin = UnifiedTwin(model, shape)
    load_weights(twin, initial.tensors)
    payload = export_onnx(twin)
    found = []
    for bag in scene.test:
        engine = TwinEngine(scene.settings, shape)
        engine.deploy(OnnxRuntime(payload, shape))
        batches = synchronize(
            read_session(bag), modalities=scene.settings.modalities, windows=shape)
        found.append(_stack([engine.step(batch) for batch in batches]))
    return found


def _stack(ticks: Sequence[TickPredictions]) -> Predictions:
    """One row per subject and tick."""
    counts = [len(tick.subjects) for tick in ticks]
    stamps_ns = np.repeat([tick.stamp_ns for tick in ticks], counts).astype(np.int64)
    return Predictions(
        np.array([name for tick in ticks for name in tick.subjects], dtype=np.str_), stamps_ns,
        np.concatenate([tick.position for tick in ticks]).astype(np.float64),
        np.concatenate([tick.covariance for tick in ticks]).astype(np.float64),
        np.zeros_like(stamps_ns))
