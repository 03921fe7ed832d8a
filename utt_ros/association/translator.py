"""What a unified model says of a track and of a phone, each without the other."""

from dataclasses import dataclass
from typing import Protocol

from utt_ros.types import FloatArray, MaskArray


@dataclass(frozen=True, slots=True)
class PhoneSays:
    """What the windows of N phones say of their owners, without a camera."""

    velocity: FloatArray  # (N, 2) at the last tick, in the heading frame [m/s]
    velocity_std: FloatArray  # (N, 2)
    boxes: FloatArray  # (N, T, 5) CAMERA_CHANNELS


class Translator(Protocol):
    """A model that translates windows of `ticks` ticks between modalities."""

    @property
    def ticks(self) -> int:
        """T."""

    def phones(
        self, ftm: FloatArray, ftm_mask: MaskArray, imu: FloatArray, imu_mask: MaskArray,
        heading_valid: MaskArray,
    ) -> PhoneSays:
        """Read ftm (N, T, 2) and imu (N, T * C, 9), masks (N, T) and (N, T * C), and (N,)."""

    def tracks(self, boxes: FloatArray, mask: MaskArray) -> FloatArray:
        """The FTM windows (N, T, 2) that boxes (N, T, 5), mask (N, T), lead to expect."""
