"""The unified twin as association sees it."""

import torch

from utt_ros.association.translator import PhoneSays
from utt_ros.models.twin import UnifiedTwin
from utt_ros.motion.features import phone_context
from utt_ros.types import FloatArray, MaskArray


class TwinTranslator:
    """See `association.translation.Translator`."""

    def __init__(self, twin: UnifiedTwin) -> None:
        self._twin = twin.eval()
        self._row_s = twin.window.period / twin.window.imu_rows

    @property
    def ticks(self) -> int:
        """T."""
        return self._twin.window.ticks

    @torch.no_grad()
    def phones(
        self, ftm: FloatArray, ftm_mask: MaskArray, imu: FloatArray, imu_mask: MaskArray,
        heading_valid: MaskArray,
    ) -> PhoneSays:
        """Velocity and boxes from FTM and IMU together."""
        features, present = self._twin.encode(
            {'ftm': torch.from_numpy(ftm), 'imu': torch.from_numpy(imu)},
            {'ftm': torch.from_numpy(ftm_mask), 'imu': torch.from_numpy(imu_mask)})
        fused = self._twin.fuse(features, present)
        context = phone_context(imu, imu_mask, self._row_s, heading_valid)
        motion = self._twin.motion(torch.from_numpy(context))
        return PhoneSays(
            motion.velocity.numpy(), motion.velocity_log_std.exp().numpy(),
            self._twin.decode('camera', fused).numpy())

    @torch.no_grad()
    def tracks(self, boxes: FloatArray, mask: MaskArray) -> FloatArray:
        """FTM from the camera alone."""
        features, present = self._twin.encode(
            {'camera': torch.from_numpy(boxes)}, {'camera': torch.from_numpy(mask)})
        expected: FloatArray = self._twin.decode(
            'ftm', self._twin.fuse(features, present)).numpy()
        return expected
