"""ViTag's X-Translator, as released and repaired [S: Cao et al., SECON 2022, and its code].

Windows of K = 10 frames. Each modality that is fed has a convolution (32, kernel 16) and a BiLSTM
(32); their sum is decoded into every modality by a convolution, two BiLSTMs and a dense layer,
with the mean squared error of every modality as loss. As released, FTM is decoded but never fed.
It is trained to translate: from all, from the camera alone and from the phone alone.
"""

from collections.abc import Mapping, Sequence

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from utt_ros.association.assignment import Costs
from utt_ros.association.candidates import Candidates
from utt_ros.association.model_evidence import tile_windows
from utt_ros.association.vifi import combine
from utt_ros.evaluation.baselines.scaling import Example, scale_values, step_means
from utt_ros.types import FloatArray

FRAMES = 10
CHANNELS = {'camera': 5, 'ftm': 2, 'imu': 9}
FED = {'as_released': ('camera', 'imu'), 'repaired': ('camera', 'ftm', 'imu')}
HIDDEN, KERNEL = 32, 16
PHONE = ('ftm', 'imu')
PATTERNS = (tuple(CHANNELS), ('camera',), PHONE)  # what it learns to translate from


class Reader(nn.Module):
    """Conv1D and BiLSTM of a modality that is fed, with its mask as a further channel."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.convolution = nn.Conv1d(channels + 1, HIDDEN, KERNEL, padding=KERNEL // 2)
        self.lstm = nn.LSTM(HIDDEN, HIDDEN, batch_first=True, bidirectional=True)

    def forward(self, rows: Tensor) -> Tensor:
        """(B, K, F + 1) -> (B, K, 2 H)."""
        smooth = F.relu(self.convolution(rows.transpose(1, 2)))[..., 1:].transpose(1, 2)
        read: Tensor = self.lstm(smooth)[0]
        return read


class Writer(nn.Module):
    """Convolution, two BiLSTMs and a dense layer."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.convolution = nn.Conv1d(2 * HIDDEN, HIDDEN, KERNEL, padding=KERNEL // 2)
        self.lstm = nn.LSTM(HIDDEN, HIDDEN, 2, batch_first=True, bidirectional=True)
        self.dense = nn.Linear(2 * HIDDEN, channels)

    def forward(self, joint: Tensor) -> Tensor:
        """(B, K, 2 H) -> (B, K, F)."""
        smooth = F.relu(self.convolution(joint.transpose(1, 2)))[..., 1:].transpose(1, 2)
        written: Tensor = self.dense(self.lstm(smooth)[0])
        return written


class XTranslator(nn.Module):
    """Reads what is fed of `sources`, writes every modality."""

    def __init__(self, version: str) -> None:
        super().__init__()
        self.fed = FED[version]
        self.readers = nn.ModuleDict({name: Reader(CHANNELS[name]) for name in self.fed})
        self.writers = nn.ModuleDict({name: Writer(size) for name, size in CHANNELS.items()})

    def forward(
        self, rows: Mapping[str, Tensor], sources: Sequence[str], targets: Sequence[str],
    ) -> dict[str, Tensor]:
        """Windows (B, K, F) of the targets from windows with masks (B, K, F + 1)."""
        read = {name: self.readers[name](rows[name]) for name in self.fed if name in sources}
        joint = torch.stack(list(read.values())).sum(0)
        return {name: self.writers[name](joint) for name in targets}

    def translate(self, rows: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """All modalities (3 B, K, F) from all, from the camera and from the phone, one call each.

        What reads from several sources is read once.
        """
        read = {name: self.readers[name](rows[name]) for name in self.fed}
        joint = torch.cat([
            torch.stack([read[name] for name in self.fed if name in sources]).sum(0)
            for sources in PATTERNS])
        return {name: writer(joint) for name, writer in self.writers.items()}


def vitag_loss(net: nn.Module, batch: dict[str, Tensor]) -> Tensor:
    """Mean squared errors of every modality from all, from the camera and from the phone.

    `net` is an XTranslator.
    """
    made: dict[str, Tensor] = net.translate(batch)  # type: ignore[operator]
    losses = [len(PATTERNS) * masked_error(
        values, batch[name].repeat(len(PATTERNS), 1, 1)).mean() for name, values in made.items()]
    return torch.stack(losses).sum()


def masked_error(made: Tensor, rows: Tensor) -> Tensor:
    """Squared errors (B,) of windows (B, K, F) where those with masks (B, K, F + 1) are known."""
    mask = rows[..., -1:]
    error = ((made - rows[..., :-1]) ** 2 * mask).sum((1, 2))
    return error / (mask.sum((1, 2)) * made.shape[2]).clamp(min=1.0)


def frames_of(seen: Candidates) -> dict[str, FloatArray]:
    """Windows with masks (N, E, K, F + 1) of K tracks and P phones, side by side in time."""
    imu, moved = step_means(seen.imu, seen.imu_mask, seen.ticks)
    rows = {'camera': (seen.boxes, seen.boxes_mask), 'ftm': (seen.ftm, seen.ftm_mask),
            'imu': (imu, moved)}
    return {name: tile_windows(np.concatenate(
        [scale_values(name, values, mask), mask[..., None]], axis=-1).astype(np.float32), FRAMES)
        for name, (values, mask) in rows.items()}


def vitag_examples(seen: Candidates, owners: Sequence[int]) -> list[Example]:
    """Windows of each track and of the phone of the same person."""
    frames = frames_of(seen)
    return [
        {'camera': frames['camera'][track, piece],
         **{name: frames[name][phone, piece] for name in PHONE}}
        for track, phone in enumerate(owners)
        for piece in range(frames['camera'].shape[1])
        if frames['camera'][track, piece, :, -1].any()]


class VitagMatcher:
    """Distances between what one side translates to and what the other side measured."""

    def __init__(self, net: XTranslator, weights: Mapping[str, float]) -> None:
        """`weights`: of distances in IMU and FTM (from the camera), in boxes (from the phone)."""
        self._net, self._weights = net.eval(), dict(weights)

    def cost(self, seen: Candidates) -> Costs:
        """Weighted distances (K, P), the mean over windows of ten frames."""
        return weigh(self.parts(seen), self._weights)

    @torch.no_grad()
    def parts(self, seen: Candidates) -> dict[str, Costs]:
        """Root mean squared distances (K, P) in each modality, NaN where nothing was measured."""
        frames = {name: torch.from_numpy(rows) for name, rows in frames_of(seen).items()}
        shape = frames['camera'].shape[:2]
        from_camera = self._net(
            {'camera': frames['camera'].flatten(0, 1)}, ('camera',), PHONE)
        from_phone = self._net(
            {name: frames[name].flatten(0, 1) for name in PHONE}, PHONE, ('camera',))
        phones = (len(seen.phones), shape[1])
        costs = {name: _distance(made.unflatten(0, shape)[:, None], frames[name][None],
                                 frames['camera'][:, None])
                 for name, made in from_camera.items()}
        costs['camera'] = _distance(
            from_phone['camera'].unflatten(0, phones)[None], frames['camera'][:, None],
            frames['camera'][:, None])
        return costs


def weigh(parts: Mapping[str, Costs], weights: Mapping[str, float]) -> Costs:
    """The weighted sum (K, P); a distance that is not known counts as the mean of its kind."""
    return combine(np.stack([parts[name] for name in weights]), tuple(weights.values()))


def _distance(made: Tensor, rows: Tensor, track: Tensor) -> Costs:
    """Distances (K, P) between windows (., ., E, K, F), where measured and the track was seen."""
    mask = rows[..., -1:] * track[..., -1:].amax(3, keepdim=True)
    error = ((made - rows[..., :-1]) ** 2 * mask).sum((2, 3, 4)) / made.shape[-1]
    number = mask.expand(*error.shape, *mask.shape[2:]).sum((2, 3, 4))
    return np.asarray(torch.where(
        number > 0, (error / number.clamp(min=1)).sqrt(), torch.nan).numpy(), np.float64)
