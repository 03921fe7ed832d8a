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

"""Records exchanged between areas and the federation server; no ROS, no torch."""

from array import array
from dataclasses import dataclass, field
from hashlib import sha256

PLAIN = 'none'  # compression of a payload of float32; others are in `compression`


@dataclass(frozen=True, slots=True)
class Seal:
    """Signature of a message over its fields and the checksum of its payload; see `signing`."""

    key_id: str = ''
    counter: int = 0  # increases with everything that a key signs
    signature: bytes = b''  # Ed25519


UNSEALED = Seal()


@dataclass(frozen=True, slots=True)
class GlobalModel:
    """Global model before a round; see msg/GlobalModel.msg."""

    federation: str
    round: int  # 0: never trained
    config: str  # JSON
    schema: str
    checksum: str
    payload: bytes
    seal: Seal = UNSEALED
    compression: str = PLAIN  # that updates may use, and of the payload where it is a change
    base: str = ''  # checksum of the whole model that the payload changes; empty: it is whole


@dataclass(frozen=True, slots=True)
class Update:
    """Trained tensors of one area in one round; see msg/ModelUpdate.msg."""

    federation: str
    area: str
    round: int
    windows: int
    modalities: tuple[str, ...]
    schema: str
    checksum: str
    payload: bytes
    seal: Seal = UNSEALED
    compression: str = PLAIN  # of the payload; see `federation.compression`
    base: str = ''  # checksum of the whole model that a compressed payload changes


@dataclass(frozen=True, slots=True)
class Deployment:
    """ONNX graph of an area's model for its twin; see msg/DeployedModel.msg."""

    area: str
    federation: str
    round: int
    config: str  # JSON
    graph: bytes  # ONNX
    checksum: str = ''  # SHA-256 of the graph, hexadecimal; computed unless it is announced
    seal: Seal = UNSEALED

    def __post_init__(self) -> None:
        if not self.checksum:
            object.__setattr__(self, 'checksum', sha256(self.graph).hexdigest())


@dataclass(frozen=True, slots=True)
class TaskDeployment:
    """ONNX graph of a task twin for the twin of its area; see msg/DeployedTwin.msg."""

    area: str
    id: str
    sources: tuple[str, ...]  # modalities
    target: str  # modality
    federation: str
    round: int
    config: str  # JSON
    std: tuple[float, ...]  # of the residual, per channel of the target; empty: not judged
    graph: bytes  # ONNX; empty: the task twin is no longer in service
    checksum: str = ''  # SHA-256 of the graph, hexadecimal; computed unless it is announced
    seal: Seal = UNSEALED

    def __post_init__(self) -> None:
        object.__setattr__(self, 'std', tuple(array('f', self.std)))  # as on the wire
        if not self.checksum:
            object.__setattr__(self, 'checksum', sha256(self.graph).hexdigest())


@dataclass(frozen=True, slots=True)
class TwinHandover:
    """Model of a task twin from the trainer of one area to that of another; see srv/AdoptTwin.srv.

    `area` is that of the sender; the proposed record names the other one.
    """

    area: str
    record: str  # task twin, JSON
    config: str  # JSON
    max_nmse: float  # that its mean error must not exceed; 0: no limit
    checksum: str  # of payload
    payload: bytes  # safetensors
    seal: Seal = UNSEALED

    def __post_init__(self) -> None:
        (rounded,) = array('f', [self.max_nmse])  # as on the wire
        object.__setattr__(self, 'max_nmse', rounded)


@dataclass(frozen=True, slots=True)
class BeliefNotice:
    """Beliefs of an area's twin for those of other areas; see msg/SubjectBeliefs.msg."""

    area: str
    payload: bytes  # stamp, subjects and numbers
    checksum: str = ''  # of payload, computed
    seal: Seal = UNSEALED

    def __post_init__(self) -> None:
        object.__setattr__(self, 'checksum', sha256(self.payload).hexdigest())


@dataclass(frozen=True, slots=True)
class Report:
    """Metrics of a round's model on held-out windows; see msg/TrainingMetrics.msg."""

    area: str
    round: int  # of the model, before it is trained
    windows: int
    held_out: int
    steps: int
    loss: float  # mean over the previous round; NaN in the first
    nmse: dict[str, float]  # by operation
    gates: dict[str, float] = field(default_factory=dict)  # mean, 0..1, by modality


@dataclass(frozen=True, slots=True)
class RoundStatus:
    """State of the current round; see msg/RoundStatus.msg."""

    federation: str
    round: int
    state: str  # waiting, collecting or completed
    quorum: int
    deadline_s: float  # inf before the first update
    accepted: dict[str, int]  # area -> windows
    refused: dict[str, str]  # area -> reason
    bytes_received: int
    bytes_sent: int
    duration_s: float
    # area -> reason, in the newest completed round
    suspected: dict[str, str] = field(default_factory=dict)
