"""The model as the graph that a live twin runs: ONNX, one call for all subjects of a tick."""

import io
import warnings
from collections.abc import Sequence
from copy import deepcopy

import onnx
import torch
from torch import Tensor, nn

from utt_ros.models.twin import UnifiedTwin
from utt_ros.motion.features import CONTEXT, VELOCITY_COLUMNS

OPSET = 18
LIVE = ('velocity', 'velocity_log_std', 'future', 'future_log_std', 'synthesized_imu',
        'cadence', 'swing_log_rms')
COURSE_VALID = CONTEXT.index('course_valid')
TRANSLATED = {'camera': 'translated_camera', 'ftm': 'translated_ftm'}  # for association


class LiveGraph(nn.Module):
    """Windows of S subjects in, their motion and what their phones feel out.

    Motion stands on the context. The IMU is synthesized from the others; from
    itself only where there is no other; how it swings stands on the velocity that the camera
    tells. Boxes and ranges are translated from all that is there;
    a twin leaves them out of what it runs.
    """

    def __init__(self, twin: UnifiedTwin, translated: Sequence[str] = ()) -> None:
        super().__init__()
        self.twin = twin
        self.translated = tuple(translated)
        names = twin.settings.modalities
        self.others = [name != 'imu' for name in names]

    def forward(self, *inputs: Tensor) -> tuple[Tensor, ...]:
        *windows, context = inputs
        names = self.twin.settings.modalities
        values = dict(zip(names, windows[::2], strict=True))
        masks = dict(zip(names, windows[1::2], strict=True))
        features, present = self.twin.encode(values, masks)
        fused = self.twin.fuse(features, present)
        motion = self.twin.motion(context)
        others = present & torch.tensor(self.others)
        sources = others | (present & ~others.any(dim=1, keepdim=True))
        imu = self.twin.decode(
            'imu', self.twin.fuse(features, sources), newest=self.twin.window.imu_rows)
        swing = self.twin.stride(context[:, COURSE_VALID], context[:, VELOCITY_COLUMNS])
        return (motion.velocity, motion.velocity_log_std,
                motion.future, motion.future_log_std, imu, swing.cadence, swing.log_rms,
                *(self.twin.decode(name, fused) for name in self.translated))


def translated_by(twin: UnifiedTwin) -> tuple[str, ...]:
    """The modalities that the graph of this model translates for association."""
    return tuple(name for name in TRANSLATED if name in twin.settings.modalities)


def example_inputs(twin: UnifiedTwin, subjects: int) -> dict[str, Tensor]:
    """Inputs of the graph by name, in order: `m`, `m_mask` of every modality, then `context`."""
    inputs: dict[str, Tensor] = {}
    for name in twin.settings.modalities:
        window = twin.decode(name, torch.zeros(subjects, twin.settings.width)).detach()
        inputs[name] = window
        inputs[f'{name}_mask'] = torch.ones(window.shape[:2], dtype=torch.bool)
    inputs['context'] = torch.ones(subjects, len(CONTEXT))
    return inputs


class OnnxExporter:
    """Traces a model once and then only exchanges weights, which takes milliseconds."""

    def __init__(self) -> None:
        self.graph: onnx.ModelProto | None = None

    def export(self, twin: UnifiedTwin) -> bytes:
        """The graph with the weights of `twin`, always the same settings."""
        if self.graph is None:
            self.graph = trace(twin)
        weights = {f'twin.{name}': tensor for name, tensor in twin.state_dict().items()}
        for initializer in self.graph.graph.initializer:
            if initializer.name in weights:
                initializer.raw_data = weights[initializer.name].detach().numpy().tobytes()
        content: bytes = self.graph.SerializeToString(deterministic=True)
        return content


def trace(twin: UnifiedTwin) -> onnx.ModelProto:
    """The graph of `LiveGraph`, with any number of subjects.

    By the exporter that traces: it needs no package beyond torch and onnx, and without constant
    folding every weight stays in the graph under its own name. Weights that happen to be equal
    would be merged into one, so the weights of the trace are drawn.
    """
    twin = deepcopy(twin)
    with torch.random.fork_rng(devices=[]), torch.no_grad():
        for weight in twin.parameters():
            weight.normal_()
    inputs = example_inputs(twin, 2)
    translated = translated_by(twin)
    made = [*LIVE, *(TRANSLATED[name] for name in translated)]
    names = [*inputs, *made]
    buffer = io.BytesIO()
    with warnings.catch_warnings():
        warnings.simplefilter('ignore')
        torch.onnx.export(
            LiveGraph(twin, translated).eval(), tuple(inputs.values()),
            buffer,  # type: ignore[arg-type]  # a file-like object is fine for this exporter
            dynamo=False,
            opset_version=OPSET, do_constant_folding=False, input_names=list(inputs),
            output_names=made, dynamic_axes={name: {0: 'S'} for name in names})
    return onnx.load_from_string(buffer.getvalue())


def export_onnx(twin: UnifiedTwin) -> bytes:
    """The live graph of one model."""
    return OnnxExporter().export(twin)
