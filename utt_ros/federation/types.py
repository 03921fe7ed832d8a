"""Records exchanged between areas and the federation server; no ROS, no torch."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class GlobalModel:
    """Global model before a round; see msg/GlobalModel.msg."""

    federation: str
    round: int  # 0: never trained
    config: str  # JSON
    schema: str
    checksum: str
    payload: bytes


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


@dataclass(frozen=True, slots=True)
class Deployment:
    """ONNX graph of an area's model for its twin; see msg/DeployedModel.msg."""

    area: str
    federation: str
    round: int
    config: str  # JSON
    graph: bytes  # ONNX


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
