"""What an area's twin lacks, in words."""

from collections.abc import Sequence

from utt_ros.types import SyncedBatch

SILENT_S = {'camera': 0.5, 'ftm': 3.0, 'imu': 1.0}  # nothing for so long: the sensor is missing
STALLED_S = 2.0  # without any tick


class Watch:
    """Notes when each modality of an area was last heard, in time of the measurements."""

    def __init__(self, modalities: Sequence[str]) -> None:
        self.modalities = tuple(sorted(modalities))
        self.ticks = self.lost = 0
        self._epoch = self._sequence = -1
        self._begin_ns = self._now_ns = 0
        self._heard_ns: dict[str, int] = {}

    def see(self, batch: SyncedBatch) -> None:
        """Take in a tick; a gap in the sequence counts as ticks that were lost."""
        if batch.epoch != self._epoch:
            self._epoch, self._begin_ns, self._heard_ns = batch.epoch, batch.stamp_ns, {}
        else:
            self.lost += max(0, batch.sequence - self._sequence - 1)
        self.ticks += 1
        self._sequence, self._now_ns = batch.sequence, batch.stamp_ns
        heard = {'camera': batch.camera_tick,
                 'ftm': bool(batch.ftm_mask.any()), 'imu': bool(batch.imu_mask.any())}
        self._heard_ns.update((name, batch.stamp_ns) for name, there in heard.items() if there)

    def silence_s(self, modality: str) -> float:
        """Time since a modality was heard, or since the epoch began [s]."""
        return (self._now_ns - self._heard_ns.get(modality, self._begin_ns)) / 1e9

    def missing(self) -> list[str]:
        """The modalities from which nothing arrives."""
        if not self.ticks:
            return list(self.modalities)
        return [name for name in self.modalities if self.silence_s(name) > SILENT_S[name]]

    def note(self, idle_s: float, model_ready: bool) -> str:
        """One sentence; `idle_s`, by the node's own clock, is how long ago the last tick came."""
        if not self.ticks:
            return 'no tick has arrived yet'
        if idle_s > STALLED_S:
            return f'no tick for {idle_s:.1f} s'
        missing = self.missing()
        if missing:
            silent = ', '.join(f'{name} for {self.silence_s(name):.1f} s' for name in missing)
            left = '+'.join(name for name in self.modalities if name not in missing)
            return f'silent: {silent}; positions stand on {left or "memory"}'
        if not model_ready:
            return 'no model yet: positions come from the belief alone'
        return f'all is there: {"+".join(self.modalities)}'
