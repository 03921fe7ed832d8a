"""What the area's model says of tracks and phones apart, for association."""

import numpy as np
import onnxruntime

from utt_ros.association.translator import PhoneSays
from utt_ros.errors import ModelError
from utt_ros.motion.features import CONTEXT, phone_context
from utt_ros.settings import WindowSettings
from utt_ros.twin.graphs import open_session, run, split
from utt_ros.types import CHANNELS, FloatArray, MaskArray


class OnnxTranslator:
    """See `association.translation.Translator`; the graph is that of `deployed_model`.

    Raises ModelError for a graph that does not translate, as one of a federation without a camera.
    A question that the graph fails on raises ModelError as well.
    """

    def __init__(self, payload: bytes, shape: WindowSettings) -> None:
        self._shape = shape
        self._phones = _Question(payload, shape, (
            'velocity', 'velocity_log_std', 'translated_camera'))
        self._tracks = _Question(payload, shape, ('translated_ftm',))

    @property
    def ticks(self) -> int:
        """T."""
        return self._shape.ticks

    def phones(
        self, ftm: FloatArray, ftm_mask: MaskArray, imu: FloatArray, imu_mask: MaskArray,
        heading_valid: MaskArray,
    ) -> PhoneSays:
        """Velocity and boxes from FTM and IMU together."""
        row_s = self._shape.period / self._shape.imu_rows
        context = phone_context(imu, imu_mask, row_s, heading_valid)
        made = self._phones.ask(len(ftm), {
            'ftm': ftm, 'ftm_mask': ftm_mask, 'imu': imu, 'imu_mask': imu_mask,
            'context': context})
        return PhoneSays(made['velocity'], np.exp(made['velocity_log_std']),
                         made['translated_camera'])

    def tracks(self, boxes: FloatArray, mask: MaskArray) -> FloatArray:
        """FTM from the camera alone."""
        made = self._tracks.ask(len(boxes), {'camera': boxes, 'camera_mask': mask})
        return made['translated_ftm']


class _Question:
    """The part of a graph that gives some outputs."""

    def __init__(self, payload: bytes, shape: WindowSettings, outputs: tuple[str, ...]) -> None:
        self._shape, self._outputs = shape, outputs
        skeleton, self._weights = split(payload, outputs)
        self._session = open_session(skeleton)
        self._inputs = {item.name for item in self._session.get_inputs()} - set(self._weights)
        unknown = sorted(self._inputs - set(self._shapes(0)))
        if unknown:
            raise ModelError(f'the graph asks for {", ".join(unknown)}')
        self._binding = self._session.io_binding()
        for name, weight in self._weights.items():  # kept, since a binding does not keep them
            self._binding.bind_ortvalue_input(
                name, onnxruntime.OrtValue.ortvalue_from_numpy(weight))
        self.ask(1, {})

    def ask(
        self, count: int, given: dict[str, FloatArray | MaskArray],
    ) -> dict[str, FloatArray]:
        """The outputs for N windows; what is not given was not measured."""
        if not count:
            return {name: np.zeros(shape, np.float32) for name, shape in self._made(0).items()}
        arrays = {
            name: np.ascontiguousarray(
                given[name] if name in given else np.zeros(shape),
                bool if name.endswith('_mask') else np.float32)
            for name, shape in self._shapes(count).items() if name in self._inputs}
        for name, array in arrays.items():
            self._binding.bind_cpu_input(name, array)
        for name in self._outputs:
            self._binding.bind_output(name)
        return run(self._session, self._binding, self._made(count))

    def _shapes(self, count: int) -> dict[str, tuple[int, ...]]:
        """Inputs that a graph may have."""
        shapes: dict[str, tuple[int, ...]] = {'context': (count, len(CONTEXT))}
        for name, channels in CHANNELS.items():
            rows = self._shape.ticks * (self._shape.imu_rows if name == 'imu' else 1)
            shapes[name], shapes[f'{name}_mask'] = (count, rows, len(channels)), (count, rows)
        return shapes

    def _made(self, count: int) -> dict[str, tuple[int, ...]]:
        known: dict[str, tuple[int, ...]] = {
            'velocity': (count, 2), 'velocity_log_std': (count, 2)}
        for name in ('camera', 'ftm'):
            known[f'translated_{name}'] = self._shapes(count)[name]
        return {name: known[name] for name in self._outputs}
