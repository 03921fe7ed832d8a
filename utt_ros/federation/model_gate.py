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

"""Gate of a trainer: which global models and round states may reach its training thread.

The inbox of a trainer keeps the newest model only, so what is not genuine must not get that far.
"""

from threading import Lock

from utt_ros.errors import ModelError, SignatureRefused
from utt_ros.federation.settings import MAX_NAME_LENGTH
from utt_ros.federation.signing import MAX_PAYLOAD_BYTES, NullVerifier, Verifier
from utt_ros.federation.types import GlobalModel, RoundStatus, Seal
from utt_ros.federation.wire import check_size

MAX_REASON = 400  # characters of a refusal that are kept


class ModelGate:
    """Gate for one area; its methods are for any thread.

    The area belongs to one federation: `federation`, or else the first whose model it has used.
    """

    def __init__(
        self, federation: str = '', max_bytes: int = MAX_PAYLOAD_BYTES,
        verifier: Verifier | None = None,
    ) -> None:
        """`max_bytes`: of a payload. Without `verifier` every aggregator is believed."""
        self.federation = federation
        self.base = ''  # checksum of the whole model that the area uses
        self.refused = 0
        self.refusal = ''  # the last one
        self._newest = ('', -1)  # federation and round of the newest model that was admitted
        self._max_bytes = max_bytes
        self._verifier = verifier or NullVerifier()
        self._lock = Lock()

    def join(self, federation: str) -> None:
        """Belong to a federation, unless to one already."""
        self.federation = self.federation or federation

    def admit(self, model: GlobalModel) -> bool:
        """Return whether a model is of use: whole, or a change of the one that the area has.

        The newest model may come again, as DDS delivers it to a new subscription. Raises
        ModelError for a model that is too large, not genuine, or of another federation.
        """
        with self._lock:
            try:
                check_size(model.payload, self._max_bytes)
                self._verifier.verify(model, model.seal, repeated=True)
                self._check_federation(model.federation)
            except ModelError as err:
                self.refused += 1
                self.refusal = (f'model of round {model.round} of '
                                f'{model.federation[:MAX_NAME_LENGTH]!r} is refused: '
                                f'{err}')[:MAX_REASON]
                raise ModelError(self.refusal) from err
            if model.base not in {'', self.base}:
                return False
            self._newest = (model.federation, model.round)
            return True

    def lacks_model(self, status: RoundStatus) -> bool:
        """Return whether the model of an open round, whose state is genuine, is not the newest.

        An aggregator with a damaged checkpoint goes back by a round.
        """
        return status.state != 'completed' and self._newest != (status.federation, status.round)

    def admits_status(self, status: RoundStatus, seal: Seal) -> bool:
        """Return whether the state of a round is genuine and of this federation."""
        with self._lock:
            try:
                self._verifier.verify(status, seal)
                self._check_federation(status.federation)
            except ModelError:
                self.refused += 1
                return False
            return True

    def _check_federation(self, federation: str) -> None:
        if self.federation and federation != self.federation:
            raise SignatureRefused(
                f'this area belongs to {self.federation!r}: start it anew to join another')
