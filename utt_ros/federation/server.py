# Copyright 2026 The utt_ros maintainers
# SPDX-License-Identifier: Apache-2.0
#
# Licensed under the Apache License, Version 2.0 (the "License");
# you may not use this file except in compliance with the License.
# You may obtain a copy of the License at
#
#     http://www.apache.org/licenses/LICENSE-2.0
#
# Unless required by applicable law or agreed to in writing, software
# distributed under the License is distributed on an "AS IS" BASIS,
# WITHOUT WARRANTIES OR CONDITIONS OF ANY KIND, either express or implied.
# See the License for the specific language governing permissions and
# limitations under the License.

"""Federation server: validates updates, aggregates complete rounds, keeps its state on disk."""

from collections.abc import Sequence
from dataclasses import replace
from secrets import token_hex

from utt_ros.errors import ModelError, UpdateRefused
from utt_ros.federation.aggregation import Contribution
from utt_ros.federation.aggregation_rules import make_aggregation_rule, make_server_step
from utt_ros.federation.checkpoints import Checkpoint, CheckpointStore, NullStore
from utt_ros.federation.client_messages import open_model
from utt_ros.federation.compression import ErrorFeedback
from utt_ros.federation.root_of_trust import RootOfTrust
from utt_ros.federation.rounds import RoundKeeper
from utt_ros.federation.screening import UpdateScreening
from utt_ros.federation.settings import MAX_NAME_LENGTH, AggregatorSettings, valid_area
from utt_ros.federation.signing import NullVerifier, Verifier
from utt_ros.federation.types import PLAIN, GlobalModel, RoundStatus, Update
from utt_ros.federation.validation import validate_update
from utt_ros.federation.wire import Tensors, pack

UNPROVEN = '(unproven)'  # sender of refused updates without a genuine signature


def new_federation(store: CheckpointStore, config: str, tensors: Tensors) -> Checkpoint:
    """Return round 0 of a federation with a new id, on disk; `config` is the model's, as JSON.

    Raises ModelError when the model cannot be written.
    """
    initial = Checkpoint(token_hex(8), 0, config, tensors)
    try:
        store.save(initial, pack(tensors).checksum)
    except OSError as err:
        raise ModelError(f'the initial model cannot be written: {err}') from err
    return initial


class FederationServer:
    """One federation; times are nanoseconds of a monotonic clock."""

    def __init__(
        self, settings: AggregatorSettings, store: CheckpointStore | NullStore,
        begin: Checkpoint, now_ns: int, verifier: Verifier | None = None, *,
        root: RootOfTrust | None = None,
    ) -> None:
        """`begin`: the newest checkpoint of `store`, or a new federation.

        Without `verifier` every sender is believed. A `root` of trust makes the rule fltrust.
        """
        self.accepted = 0  # updates since start
        self.refused = 0
        self.strays = 0  # genuine updates of another federation or round; the caller may reset it
        self.problem = ''  # reason why the state on disk is behind; empty when it is current
        self._settings = settings
        self._store = store
        self._verifier = verifier or NullVerifier()
        self._keeper = RoundKeeper(settings, begin.round, self._known(), now_ns)
        self._contributions: list[Contribution] = []
        self._root = root
        self._aggregate = make_aggregation_rule(settings.weighting, settings.gates, root)
        self._screen = UpdateScreening(
            settings.clip, settings.max_share, settings.agreement) if settings.screening else None
        self._suspected: dict[str, str] = {}  # in the newest completed round, area -> reason
        self._server_step = make_server_step(
            settings.server, settings.server_rate, settings.server_tau, settings.server_beta2)
        self._memory = begin.memory
        self._feedback = ErrorFeedback(begin.residual)
        self.tensors = begin.tensors
        self.model = to_global_model(begin, settings.compression)
        self.change: GlobalModel | None = None  # `model`, for those who have the one before it
        if root is not None:
            root.begin(self.tensors)

    def receive(self, update: Update, now_ns: int) -> str | None:
        """Accept an update, or return the reason for its refusal.

        The area in whose name an update came counts as refused only when its signature is genuine.
        """
        size = len(update.payload)
        try:
            self._verifier.verify(update, update.seal)
        except ModelError as err:
            self.refused += 1
            reason = f'an update in the name of {update.area[:MAX_NAME_LENGTH]!r}: {err}'
            self._keeper.refuse(UNPROVEN, reason, size, responded=False)
            return reason
        try:
            tensors = self._check(update)
        except UpdateRefused as err:
            self.refused += 1
            current = (update.federation, update.round) == (
                self.model.federation, self.model.round)
            self.strays += not current
            self._keeper.refuse(update.area[:MAX_NAME_LENGTH], str(err), size, responded=current)
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
            self._keeper.mark_active(update.area)
        return validate_update(
            update, self.tensors, self.model.federation, self.model.round, self._settings,
            compression=self._settings.compression, base=self.model.checksum)

    def step(self, now_ns: int) -> RoundStatus | None:
        """Close a complete round; `model` is then the next one.

        Returns the status of the closed round, None while it continues.
        """
        if not self._keeper.complete(now_ns) or (self._root and not self._root.is_ready()):
            return None
        mean = self._aggregate(self._screened(), self.tensors)
        closed = replace(self.status(now_ns), state='completed', deadline_s=0.0)
        tensors, memory = self._server_step(self.tensors, mean, self._memory)
        change = self._pack_change(tensors)
        if change is not None:
            tensors = open_model(change, self._settings.max_update_bytes, self.model.checksum,
                                 self.tensors)
        following = Checkpoint(
            self.model.federation, self.model.round + 1, self.model.config, tensors, memory,
            self._feedback.residual)
        self._contributions = []
        self.tensors, self._memory = tensors, memory
        self.model, self.change = to_global_model(
            following, self._settings.compression), change
        self._commit(following, closed)
        self._keeper.advance(now_ns)
        if self._root is not None:
            self._root.begin(self.tensors)
        return closed

    def _pack_change(self, tensors: Tensors) -> GlobalModel | None:
        """Return the compressed change to the next model; None without compression."""
        if self._settings.compression == PLAIN:
            return None
        packed = self._feedback.pack(tensors, self.tensors, self._settings.compression)
        if packed.compression == PLAIN:  # a registered rule gave what is not finite
            return None
        return GlobalModel(
            self.model.federation, self.model.round + 1, self.model.config,
            packed.schema, packed.checksum, packed.payload,
            compression=packed.compression, base=self.model.checksum)

    def _screened(self) -> Sequence[Contribution]:
        """Return the contributions in order of areas, as they are to be aggregated."""
        ordered = sorted(self._contributions, key=lambda item: item.area)
        if self._screen is None:
            return ordered
        screened = self._screen(ordered, self.tensors)
        self._suspected = screened.suspected
        return screened.contributions

    @property
    def suspected(self) -> str:
        """Areas that are suspected since the newest completed round, such as 'north, west'."""
        return ', '.join(sorted(self._suspected))

    def restart_deadline(self, now_ns: int) -> None:
        """Count the deadline of the current round anew, as after a pause."""
        self._keeper.restart_deadline(now_ns)

    def save(self) -> str:
        """Write the model of the current round again; return a sentence. Raises ModelError."""
        model = self.model
        checkpoint = Checkpoint(
            model.federation, model.round, model.config, self.tensors, self._memory,
            self._feedback.residual)
        try:
            self._store.save(checkpoint, model.checksum)
        except OSError as err:
            raise ModelError(f'round {model.round} cannot be written: {err}') from err
        self.problem = ''
        return f'the model of round {model.round} is written'

    def status(self, now_ns: int) -> RoundStatus:
        """Return the status of the current round; a change of the model is what is sent."""
        sent = self.change or self.model
        status = self._keeper.status(now_ns, self.model.federation, len(sent.payload))
        return replace(status, suspected=dict(self._suspected))

    def _commit(self, checkpoint: Checkpoint, closed: RoundStatus) -> None:
        """Write the state; a full disk is reported and does not stop the federation."""
        try:
            self._store.log(closed)
            self._store.save(checkpoint, self.model.checksum)
            self.problem = ''
        except OSError as err:
            self.problem = f'the model of round {checkpoint.round} is not on disk: {err}'

    def _known(self) -> list[str]:
        """Return the areas that contributed to the last round before a restart."""
        try:
            last = self._store.rounds()[-1:]
        except ModelError as err:
            self.problem = str(err)
            return []
        return [area for closed in last for area in closed.accepted]


def to_global_model(checkpoint: Checkpoint, compression: str = PLAIN) -> GlobalModel:
    """Return the whole wire form of a checkpoint, which announces a compression."""
    packed = pack(checkpoint.tensors)
    return GlobalModel(
        checkpoint.federation, checkpoint.round, checkpoint.config,
        packed.schema, packed.checksum, packed.payload, compression=compression,
    )
