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

"""Federation messages <-> records: updates, models, rounds, deployed graphs, training metrics.

Filling `uint8[]` from numpy or a list takes 0.1 s per megabyte or more; from array.array it takes
no measurable time.
"""

from array import array
from collections.abc import Sequence
from typing import Any

from builtin_interfaces.msg import Time
from std_msgs.msg import Header

from utt_ros.errors import ModelError, SignatureRefused
from utt_ros.federation import types
from utt_ros.federation.settings import MAX_NAME_LENGTH
from utt_ros.federation.signing import Verifier
from utt_ros.federation.wire import check_checksum
from utt_ros.msg import DeployedModel, GlobalModel, ModelUpdate, RoundStatus, TrainingMetrics

NO_CHECKSUM = 'none'


def byte_array(values: bytes) -> 'array[int]':
    """Convert bytes to the value of a `uint8[]` field."""
    return array('B', values)


def seal_fields(seal: types.Seal) -> dict[str, Any]:
    """Convert a seal to the fields of a message."""
    return {'key_id': seal.key_id, 'counter': seal.counter,
            'signature': byte_array(seal.signature)}


def seal_from_message(message: Any) -> types.Seal:
    """Return the seal of a message; signatures that are too long are refused later, unread."""
    return types.Seal(message.key_id, message.counter, bytes(message.signature))


def compression_field(item: types.Update | types.GlobalModel) -> str:
    """Return the compression as it is in a message: empty without one."""
    return '' if item.compression == types.PLAIN else item.compression


def check_area(announced: str, area: str) -> None:
    """Raise SignatureRefused for what is not for `area`; empty: any area."""
    if area and announced != area:
        raise SignatureRefused(f'it is for area {announced[:MAX_NAME_LENGTH]!r}, not {area!r}')


def update_to_message(update: types.Update, stamp: Time) -> ModelUpdate:
    """Convert an update; `stamp`: end of the training."""
    return ModelUpdate(
        header=Header(stamp=stamp),
        federation=update.federation,
        area=update.area,
        round=update.round,
        windows=update.windows,
        modalities=list(update.modalities),
        schema=update.schema,
        compression=compression_field(update),
        base=update.base,
        checksum=update.checksum,
        payload=byte_array(update.payload),
        **seal_fields(update.seal),
    )


def update_from_message(message: ModelUpdate) -> types.Update:
    """Convert without validation, which is done by utt_ros.federation.validation."""
    return types.Update(
        federation=message.federation,
        area=message.area,
        round=message.round,
        windows=message.windows,
        modalities=tuple(message.modalities),
        schema=message.schema,
        checksum=message.checksum,
        payload=bytes(message.payload),
        seal=seal_from_message(message),
        compression=message.compression or types.PLAIN,
        base=message.base,
    )


def model_to_message(model: types.GlobalModel, stamp: Time) -> GlobalModel:
    """Convert a model; `stamp`: completion of the round."""
    return GlobalModel(
        header=Header(stamp=stamp),
        federation=model.federation,
        round=model.round,
        config=model.config,
        schema=model.schema,
        compression=compression_field(model),
        base=model.base,
        checksum=model.checksum,
        payload=byte_array(model.payload),
        **seal_fields(model.seal),
    )


def model_from_message(message: GlobalModel) -> types.GlobalModel:
    """Convert without validation; unpacking the payload verifies its checksum."""
    return types.GlobalModel(
        federation=message.federation,
        round=message.round,
        config=message.config,
        schema=message.schema,
        checksum=message.checksum,
        payload=bytes(message.payload),
        seal=seal_from_message(message),
        compression=message.compression or types.PLAIN,
        base=message.base,
    )


def round_status_to_message(
    status: types.RoundStatus, stamp: Time, seal: types.Seal = types.UNSEALED,
) -> RoundStatus:
    """Convert a status with its areas sorted."""
    accepted, refused = sorted(status.accepted), sorted(status.refused)
    suspected = sorted(status.suspected)
    return RoundStatus(
        header=Header(stamp=stamp),
        federation=status.federation,
        round=status.round,
        state=status.state,
        quorum=status.quorum,
        deadline=status.deadline_s,
        accepted=accepted,
        windows=array('Q', (status.accepted[area] for area in accepted)),
        refused=refused,
        reasons=[status.refused[area] for area in refused],
        bytes_received=status.bytes_received,
        bytes_sent=status.bytes_sent,
        duration=status.duration_s,
        suspected=suspected,
        suspicions=[status.suspected[area] for area in suspected],
        **seal_fields(seal),
    )


def round_status_from_message(message: RoundStatus) -> types.RoundStatus:
    """Invert round_status_to_message; times have the precision of float32.

    Raises ModelError when a list does not have a value for each of its names.
    """
    return types.RoundStatus(
        federation=message.federation,
        round=message.round,
        state=message.state,
        quorum=message.quorum,
        deadline_s=message.deadline,
        accepted=_by_name('windows', message.accepted, message.windows),
        refused=_by_name('reasons', message.refused, message.reasons),
        bytes_received=message.bytes_received,
        bytes_sent=message.bytes_sent,
        duration_s=message.duration,
        suspected=_by_name('suspicions', message.suspected, message.suspicions),
    )


def round_state_from_message(message: RoundStatus) -> tuple[types.RoundStatus, types.Seal]:
    """Return the signed part of a status, without its areas, and its seal."""
    state = types.RoundStatus(
        message.federation, message.round, message.state, message.quorum, message.deadline,
        {}, {}, message.bytes_received, message.bytes_sent, message.duration)
    return state, seal_from_message(message)


def deployment_to_message(deployment: types.Deployment, stamp: Time) -> DeployedModel:
    """Convert a deployment; `stamp`: creation of the graph."""
    return DeployedModel(
        header=Header(stamp=stamp),
        area=deployment.area,
        federation=deployment.federation,
        round=deployment.round,
        config=deployment.config,
        checksum=deployment.checksum,
        payload=byte_array(deployment.graph),
        **seal_fields(deployment.seal),
    )


def deployment_from_message(
    message: DeployedModel, verifier: Verifier | None = None, area: str = '',
) -> types.Deployment:
    """Convert a deployment after its seal is verified, which may be repeated.

    `area`: the only one that is accepted; empty: any. Raises SignatureRefused, and ModelError when
    the graph does not match its checksum.
    """
    check_area(message.area, area)
    graph = bytes(message.payload)
    deployment = types.Deployment(
        message.area, message.federation, message.round, message.config, graph,
        message.checksum or NO_CHECKSUM, seal_from_message(message))
    if verifier is not None:
        verifier.verify(deployment, deployment.seal, repeated=True)
    check_checksum(graph, message.checksum, 'graph')
    return deployment


def report_to_message(report: types.Report, stamp: Time) -> TrainingMetrics:
    """Convert metrics with operations and modalities sorted; `stamp`: time of the evaluation."""
    operations, modalities = sorted(report.nmse), sorted(report.gates)
    return TrainingMetrics(
        header=Header(stamp=stamp),
        area=report.area,
        round=report.round,
        windows=report.windows,
        held_out=report.held_out,
        steps=report.steps,
        loss=report.loss,
        operations=operations,
        nmse_var=array('f', (report.nmse[name] for name in operations)),
        modalities=modalities,
        gate_weights=array('f', (report.gates[name] for name in modalities)),
    )


def report_from_message(message: TrainingMetrics) -> types.Report:
    """Invert report_to_message; numbers have the precision of float32.

    Raises ModelError when there is not one NMSE for each operation, or one gate for each modality.
    """
    nmse = _by_name('nmse_var', message.operations, message.nmse_var)
    return types.Report(
        message.area, message.round, message.windows, message.held_out, message.steps,
        message.loss, nmse, _by_name('gate_weights', message.modalities, message.gate_weights),
    )


def _by_name(field: str, names: Sequence[str], values: Sequence[Any]) -> dict[str, Any]:
    if len(values) != len(names):
        raise ModelError(f'{field} has {len(values)} values: it must have one for each of '
                         f'{len(names)} names')
    return dict(zip(names, values, strict=True))
