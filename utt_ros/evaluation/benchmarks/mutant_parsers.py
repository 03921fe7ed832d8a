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

"""Parsers of everything that comes from outside, with valid inputs, for `mutants`.

Bytes of messages are what DDS delivers; lines, bodies and packets are of phones and boards; files
are recordings, models, checkpoints, areas and calibrations.
"""

from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Any

from rclpy.serialization import serialize_message

from utt_ros.bridge.messages.federation import (
    deployment_from_message,
    deployment_to_message,
    model_from_message,
    model_to_message,
    round_status_from_message,
    round_status_to_message,
    update_from_message,
    update_to_message,
)
from utt_ros.bridge.messages.sensors import (
    deserialize,
    samples_from_message,
    samples_to_message,
    to_time,
    tracks_from_message,
)
from utt_ros.bridge.node.phone_topics import PHONE_SENSORS
from utt_ros.drivers.camera.camera_calibration import read_lens_calibration
from utt_ros.drivers.ftm.android_json import parse_android
from utt_ros.drivers.ftm.ftm_calibration import read_ftm_calibration
from utt_ros.drivers.ftm.iw_format import parse_iw
from utt_ros.drivers.ftm.serial_format import parse_esp_idf, parse_gtec
from utt_ros.drivers.imu.formats import (
    parse_hyper_imu,
    parse_sensor_logger,
    parse_sensor_server,
    parse_sensor_streamer,
)
from utt_ros.evaluation.benchmarks.load_messages import make_streams
from utt_ros.evaluation.benchmarks.mutants import MutantTarget
from utt_ros.evaluation.benchmarks.parser_samples import (
    CONFIG,
    SAMPLE_FILES,
    TEXT_SAMPLES,
    WEIGHTS,
    WINDOW,
    synced_batch,
)
from utt_ros.federation.checkpoints import read_checkpoint
from utt_ros.federation.keys import parse_public_line
from utt_ros.federation.types import Deployment, GlobalModel, RoundStatus, Seal, Update
from utt_ros.federation.wire import check_checksum, pack, parse
from utt_ros.models.saved_model import read_saved_model
from utt_ros.models.settings import load_config
from utt_ros.msg import DeployedModel, ModelUpdate, SyncedSamples, Tracks
from utt_ros.msg import GlobalModel as GlobalModelMessage
from utt_ros.msg import RoundStatus as RoundStatusMessage
from utt_ros.orchestration.launch_plan import read_area_plan
from utt_ros.sessions.session_bags import read_session
from utt_ros.sessions.vifi.safe_pickle import load_array
from utt_ros.sync.settings import SyncSettings
from utt_ros.sync.synchronizer import Synchronizer
from utt_ros.twin.onnx_model import OnnxModel

SEAL = Seal('0123456789abcdef', 7, bytes(64))
STAMP = to_time(1_700_000_000_000_000_000)
PHONE = 'phone_00'
Parse = Callable[[bytes], object]


def make_parsers(folder: Path) -> dict[str, MutantTarget]:
    """Return all targets; `folder` holds the files of `parser_samples.write_samples`."""
    return {**_sensor_messages(), **_federation_messages(), **_texts(), **_files(folder)}


def _sensor_messages() -> Mapping[str, MutantTarget]:
    """Return the messages that the synchronizer receives, and that which it sends."""
    synchronizer = Synchronizer(SyncSettings(), WINDOW)
    samples: dict[str, list[bytes]] = {}
    for stream in make_streams(1):
        samples.setdefault(stream.kind, []).extend(stream.messages[:20])
    targets = {'message Tracks': MutantTarget(tuple(samples['camera']), partial(
        _synchronize, synchronizer, _read_tracks, synchronizer.add_tracks))}
    for kind, topic in (('ftm', 'ftm'), ('imu', 'imu/data_raw'), ('mag', 'imu/mag')):
        sensor = PHONE_SENSORS[topic]
        targets[f'message {sensor.type.__name__}'] = MutantTarget(tuple(samples[kind]), partial(
            _synchronize, synchronizer, sensor.read, partial(sensor.add, synchronizer, PHONE)))
    synced = bytes(serialize_message(samples_to_message(synced_batch(), 'hall')))
    targets['message SyncedSamples'] = MutantTarget(
        (synced,), lambda data: samples_from_message(deserialize(SyncedSamples, data)))
    return targets


def _read_tracks(data: bytes) -> tuple[Any, ...]:
    return tracks_from_message(deserialize(Tracks, data))


def _synchronize(
    synchronizer: Synchronizer, read: Callable[[bytes], tuple[Any, ...]],
    add: Callable[..., None], data: bytes,
) -> None:
    """Receive as the node does."""
    add(*read(data))
    for batch in synchronizer.poll():
        samples_to_message(batch, 'hall')


def _federation_messages() -> Mapping[str, MutantTarget]:
    packed = pack(WEIGHTS)
    update = Update('f00d', 'hall', 3, 20, ('imu',), packed.schema, packed.checksum,
                    packed.payload, SEAL)
    model = GlobalModel('f00d', 3, CONFIG, packed.schema, packed.checksum, packed.payload, SEAL)
    status = RoundStatus('f00d', 3, 'collecting', 2, 9.5, {'hall': 20}, {'stairs': 'late'}, 9, 9,
                         1.5, {})
    deployment = Deployment('hall', 'f00d', 3, CONFIG, packed.payload, seal=SEAL)
    return {
        'message ModelUpdate': _message(
            ModelUpdate, update_to_message(update, STAMP), update_from_message),
        'message GlobalModel': _message(
            GlobalModelMessage, model_to_message(model, STAMP), model_from_message),
        'message RoundStatus': _message(
            RoundStatusMessage, round_status_to_message(status, STAMP, SEAL),
            round_status_from_message),
        'message DeployedModel': _message(
            DeployedModel, deployment_to_message(deployment, STAMP), deployment_from_message)}


def _message(kind: type[Any], sample: object, convert: Callable[..., Any]) -> MutantTarget:
    def receive(data: bytes) -> None:
        record = convert(deserialize(kind, data))
        if hasattr(record, 'payload'):
            check_checksum(record.payload, record.checksum)
            parse(record.payload)

    return MutantTarget((bytes(serialize_message(sample)),), receive)


def _texts() -> Mapping[str, MutantTarget]:
    parsers: dict[str, Parse] = {
        'android': parse_android,
        'sensor_logger': parse_sensor_logger,
        'sensor_server': parse_sensor_server,
        'sensor_streamer': parse_sensor_streamer,
        'hyper_imu': lambda data: parse_hyper_imu(data, ('time', 'accel', 'gyro', 'mag'), 7),
        'esp_idf': lambda data: parse_esp_idf(_decoded(data)),
        'gtec': lambda data: parse_gtec(_decoded(data)),
        'iw': lambda data: parse_iw(_decoded(data)),
        'config': lambda data: load_config(_decoded(data)),
        'public key': lambda data: parse_public_line(_decoded(data)),
        'weights': parse,
        'pickle': load_array}
    return {name: MutantTarget(TEXT_SAMPLES[name], parser) for name, parser in parsers.items()}


def _decoded(data: bytes) -> str:
    """Decode as the drivers decode lines."""
    return data.decode('utf-8', 'replace')


def _files(folder: Path) -> Mapping[str, MutantTarget]:
    parsers: dict[str, Callable[[Path], object]] = {
        'area.yaml': read_area_plan,
        'ftm.yaml': read_ftm_calibration,
        'lens.yaml': read_lens_calibration,
        'checkpoint.safetensors': read_checkpoint,
        'model.safetensors': read_saved_model,
        'model.onnx': lambda path: OnnxModel(path.read_bytes(), WINDOW),
        'bag/bag_0.mcap': lambda path: read_session(path.parent),
        'bag/metadata.yaml': lambda path: read_session(path.parent)}
    return {name: MutantTarget(((folder / name).read_bytes(),), partial(
        _read_file, folder / name, parser, (folder / name).read_bytes()))
        for name, parser in parsers.items() if name in SAMPLE_FILES}


def _read_file(path: Path, parser: Callable[[Path], object], sample: bytes, data: bytes) -> None:
    """Read a damaged file in the place of the sound one."""
    path.write_bytes(data)
    try:
        parser(path)
    finally:
        path.write_bytes(sample)
