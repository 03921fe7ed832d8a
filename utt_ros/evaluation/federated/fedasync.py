"""A server that waits for nobody: every update is mixed in as it comes, old ones less.

After a synchronous beginning, as in the group's vertical and horizontal mapping [P]; the weights
are those of FedAsync [S: Xie et al., 2019].
"""

from dataclasses import dataclass

from utt_ros.errors import UpdateRefused
from utt_ros.federation.aggregation import average
from utt_ros.federation.checkpoints import Checkpoint
from utt_ros.federation.server import to_publish
from utt_ros.federation.settings import MAX_NAME_LENGTH, AggregatorSettings, valid_area
from utt_ros.federation.types import Update
from utt_ros.federation.validation import check_update
from utt_ros.federation.wire import Tensors
from utt_ros.settings import check, setting


@dataclass(frozen=True, slots=True)
class Mixing:
    """How much an update counts: `weight (1 + staleness)^-exponent` of the next model."""

    weight: float = setting(0.5, 'of an update to the newest model', low=1e-6, high=1.0)
    exponent: float = setting(0.5, 'how fast old updates lose weight', low=0.0, high=10.0)
    max_staleness: int = setting(16, 'models since the one that an update began from', low=0)

    def __post_init__(self) -> None:
        check(self)

    def of(self, staleness: int) -> float:
        """The weight of an update that began so many models ago."""
        return float(self.weight * (1.0 + staleness) ** -self.exponent)


class AsynchronousServer:
    """Every accepted update makes a model; the number of models takes the place of the round."""

    def __init__(self, limits: AggregatorSettings, mixing: Mixing, begin: Checkpoint) -> None:
        """`limits`: what an update must keep to."""
        self._limits, self._mixing = limits, mixing
        self.checkpoint = begin
        self.model = to_publish(begin)

    def receive(self, update: Update) -> str | None:
        """Mix an update in, or return why it was refused; a tensor that it does not hold stays."""
        now = self.checkpoint
        try:
            sent = self._check(update)
        except UpdateRefused as err:
            return str(err)
        weight = self._mixing.of(now.round - update.round)
        before = {name: now.tensors[name] for name in sent}
        mixed = average([(sent, weight), (before, 1.0 - weight)], now.tensors)
        self.checkpoint = Checkpoint(now.federation, now.round + 1, now.config, mixed)
        self.model = to_publish(self.checkpoint)
        return None

    def _check(self, update: Update) -> Tensors:
        now, oldest = self.checkpoint, self._mixing.max_staleness
        staleness = now.round - update.round
        if not valid_area(update.area):
            raise UpdateRefused(f'area {update.area[:MAX_NAME_LENGTH]!r} is not a name of an area')
        if not 0 <= staleness <= oldest:
            raise UpdateRefused(
                f'area {update.area!r}: it is {staleness} models old: 0..{oldest} are allowed')
        return check_update(update, now.tensors, now.federation, update.round, self._limits)
