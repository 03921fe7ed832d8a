"""One federation: checks what arrives, averages complete rounds, keeps its state on disk."""

from dataclasses import replace
from secrets import token_hex

from utt_ros.errors import ModelError, UpdateRefused
from utt_ros.federation.aggregation import Contribution
from utt_ros.federation.checkpoints import Checkpoint, Nowhere, Store
from utt_ros.federation.rounds import RoundKeeper
from utt_ros.federation.rules import make_average, make_step
from utt_ros.federation.settings import MAX_NAME_LENGTH, AggregatorSettings, valid_area
from utt_ros.federation.types import GlobalModel, RoundStatus, Update
from utt_ros.federation.validation import check_update
from utt_ros.federation.wire import Tensors, pack


def new_federation(store: Store, config: str, tensors: Tensors) -> Checkpoint:
    """Round 0, on disk, of a federation with an id of its own; `config` is the model's, as JSON.

    Raises ModelError when the model can't be written.
    """
    initial = Checkpoint(token_hex(8), 0, config, tensors)
    try:
        store.save(initial, pack(tensors).checksum)
    except OSError as err:
        raise ModelError(f'the initial model cannot be written: {err}') from err
    return initial


class Server:
    """Takes updates and the time, in nanoseconds of a clock that never jumps."""

    def __init__(
        self, settings: AggregatorSettings, store: Store | Nowhere, begin: Checkpoint, now_ns: int,
    ) -> None:
        """`begin`: the newest checkpoint of `store`, or a new federation."""
        self.accepted = 0  # updates since start
        self.refused = 0
        self.problem = ''  # why the state on disk is behind, empty when it is not
        self._settings = settings
        self._store = store
        self._keeper = RoundKeeper(settings, begin.round, self._known(), now_ns)
        self._contributions: list[Contribution] = []
        self._average, self._advance = make_average(settings), make_step(settings)
        self._memory = begin.memory
        self.tensors = begin.tensors
        self.model = to_publish(begin)

    def receive(self, update: Update, now_ns: int) -> str | None:
        """Count an update, or return why it was refused."""
        size = len(update.payload)
        try:
            tensors = self._check(update)
        except UpdateRefused as err:
            self.refused += 1
            ours = update.federation == self.model.federation
            current = ours and update.round == self.model.round
            self._keeper.refuse(update.area[:MAX_NAME_LENGTH], str(err), size, answered=current)
            return str(err)
        self.accepted += 1
        self._contributions.append(Contribution(
            update.area, tensors, update.windows, update.modalities))
        self._keeper.accept(update.area, update.windows, size, now_ns)
        return None

    def _check(self, update: Update) -> Tensors:
        if not valid_area(update.area):
            raise UpdateRefused(f'area {update.area[:MAX_NAME_LENGTH]!r} is not a name of an area')
        self._keeper.admit(update.area)
        if update.federation == self.model.federation:
            self._keeper.hear(update.area)
        return check_update(
            update, self.tensors, self.model.federation, self.model.round, self._settings,
        )

    def step(self, now_ns: int) -> RoundStatus | None:
        """Close the round when it is complete; then `model` is the next one.

        Returns the state in which the round was closed, None when it goes on.
        """
        if not self._keeper.complete(now_ns):
            return None
        closed = replace(self.status(now_ns), state='completed', deadline_s=0.0)
        ordered = sorted(self._contributions, key=lambda item: item.area)
        mean = self._average(ordered, self.tensors)
        tensors, memory = self._advance(self.tensors, mean, self._memory)
        following = Checkpoint(
            self.model.federation, self.model.round + 1, self.model.config, tensors, memory,
        )
        self._contributions = []
        self.tensors, self._memory = tensors, memory
        self.model = to_publish(following)
        self._commit(following, closed)
        self._keeper.advance(now_ns)
        return closed

    def status(self, now_ns: int) -> RoundStatus:
        """Where the federation stands."""
        return self._keeper.status(now_ns, self.model.federation, len(self.model.payload))

    def _commit(self, checkpoint: Checkpoint, closed: RoundStatus) -> None:
        """Write the state; a full disk must not stop the federation, only be told."""
        try:
            self._store.log(closed)
            self._store.save(checkpoint, self.model.checksum)
            self.problem = ''
        except OSError as err:
            self.problem = f'the model of round {checkpoint.round} is not on disk: {err}'

    def _known(self) -> list[str]:
        """The areas that took part in the last round before a restart."""
        try:
            last = self._store.rounds()[-1:]
        except ModelError as err:
            self.problem = str(err)
            return []
        return [area for closed in last for area in closed.accepted]


def to_publish(checkpoint: Checkpoint) -> GlobalModel:
    """The wire form of a model."""
    packed = pack(checkpoint.tensors)
    return GlobalModel(
        checkpoint.federation, checkpoint.round, checkpoint.config,
        packed.schema, packed.checksum, packed.payload,
    )
