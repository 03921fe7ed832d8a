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

"""Valid inputs of parsers: texts of phones and boards, weights, and files of this package.

Texts have the forms of `docs/sources`.
"""

import json
from pathlib import Path

import numpy as np
import yaml

from utt_ros.drivers.ftm.ftm_calibration import FtmFit, write_ftm_calibration
from utt_ros.federation.checkpoints import Checkpoint, write_checkpoint
from utt_ros.federation.wire import pack
from utt_ros.models.model_card import save_model
from utt_ros.models.onnx_export import export_onnx
from utt_ros.models.settings import ModelSettings, dump_config
from utt_ros.models.twin import UnifiedTwin
from utt_ros.sessions.session_bags import write_session
from utt_ros.sessions.simulator.world import plan_sessions, simulate_session
from utt_ros.settings import AreaSettings, WindowSettings, to_mapping
from utt_ros.types import CHANNELS, SyncedBatch

WINDOW = WindowSettings()
MODEL = ModelSettings(width=8, heads=2, feedforward=8)
CONFIG = dump_config(MODEL, WINDOW)
WEIGHTS = {'fusor.w': np.arange(6, dtype=np.float32).reshape(2, 3),
           'imu.b': np.ones(4, np.float32)}
SAMPLE_FILES = (
    'area.yaml', 'ftm.yaml', 'lens.yaml', 'checkpoint.safetensors', 'model.safetensors',
    'model.onnx', 'bag/bag_0.mcap', 'bag/metadata.yaml')
MAC = '02:00:00:00:00:01'
KEY = b'hall ed25519:11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo='
ESP_IDF = 'I (393564) ftm_station: Estimated RTT - 33 nSec, Estimated Distance - 5.07 meters'
LENS = """image_width: 640
image_height: 480
camera_name: hall
camera_matrix: {rows: 3, cols: 3, data: [600.5, 0, 320, 0, 600.5, 240, 0, 0, 1]}
distortion_model: plumb_bob
distortion_coefficients: {rows: 1, cols: 5, data: [-0.1, 0.02, 1e-3, 0, 0]}
rectification_matrix: {rows: 3, cols: 3, data: [1, 0, 0, 0, 1, 0, 0, 0, 1]}
projection_matrix: {rows: 3, cols: 4, data: [600, 0, 320, 0, 0, 600, 240, 0, 0, 0, 1, 0]}
"""
IW = f"""wdev 0x1 (phy #0): Peer measurements (cookie 1):
  Peer {MAC}: status=0 (SUCCESS) @3250511642082 tsf=0
    FTM
      FTMS_PER_BURST: 8
      RSSI_AVG: 4294967246
      RTT_AVG: 48877
      RTT_VARIANCE: 3814209
      DIST_AVG: 10250
"""
PICKLE = bytes.fromhex(  # numpy.arange(6.0).reshape(2, 3), protocol 4
    '800495bb000000000000008c166e756d70792e5f636f72652e6d756c74696172726179948c0c5f7265636f'
    '6e7374727563749493948c056e756d7079948c076e6461727261799493944b008594430162948794529428'
    '4b014b024b03869468038c0564747970659493948c02663894898887945294284b038c013c944e4e4e4aff'
    'ffffff4affffffff4b007494628943300000000000000000000000000000f03f0000000000000040000000'
    '000000084000000000000010400000000000001440947494622e')
AXES = {'x': 0.40204, 'y': 6.98407, 'z': -7.64696}
STAMP_NS = 1_790_000_000_000_000_000
TEXT_SAMPLES: dict[str, tuple[bytes, ...]] = {
    'android': (json.dumps({
        'deviceId': 'anna', 'mac': MAC, 'status': 0, 'distanceMm': 5230, 'distanceStdDevMm': 412,
        'rssi': -58, 'numAttemptedMeasurements': 8, 'numSuccessfulMeasurements': 7,
        'rangingTimestampMillis': 86532144}).encode() + b'\n',),
    'sensor_logger': (json.dumps({'messageId': 0, 'sessionId': 'a', 'deviceId': 'anna',
                                   'payload': [
        {'name': name, 'time': STAMP_NS + step, 'values': AXES}
        for step in (0, 20_000_000)
        for name in ('accelerometer', 'gravity', 'gyroscope', 'magnetometer')]}).encode(),),
    'sensor_server': (json.dumps({
        'type': 'android.sensor.gyroscope', 'accuracy': 3, 'timestamp': 3925657521143709,
        'values': [0.15129, 0.00926, 0.17241]}).encode(),),
    'sensor_streamer': (json.dumps({
        'accelerometer': {**AXES, 'timestamp': 3925657519043709},
        'gyroscope': {'value': [0.1, 0.2, 0.3], 'timestamp': 3925657516043709}}).encode(),),
    'hyper_imu': (b'1790000000000,0.40204,6.98407,7.64696,0.15129,0.009,0.17,12.4,-21.5,-32.9',),
    'esp_idf': (ESP_IDF.encode(), f'ftm> \x1b[0;32m{ESP_IDF}\x1b[0m'.encode(),
                b'FTM Estimate: Distance: 27.60 m, Return Time: 184 ns'),
    'gtec': (f'{MAC},33,35,507,2,33800,-51,1,2,3,4,34800,-53,1,2,3,4'.encode(), json.dumps({
        'id': MAC, 'dist_est': 620, 'num_frames': 1, 'frames': [{'rtt': 41000, 'rssi': -60}],
    }).encode()),
    'iw': (IW.encode(), f'  Peer {MAC}: status=1 (FAILURE)\n    FTM failed: PEER_BUSY (6) retry '
           'after 2s\n'.encode()),
    'config': (CONFIG.encode(),),
    'public key': (KEY,),
    'weights': (pack(WEIGHTS).payload,),
    'pickle': (PICKLE,),
}


def synced_batch() -> SyncedBatch:
    """Return a tick of two subjects."""
    count, rows = 2, WINDOW.imu_rows
    shapes = {name: (count, len(channels)) for name, channels in CHANNELS.items()}
    return SyncedBatch(
        STAMP_NS, 0, 7, camera_tick=True, subjects=('anna', 'ben'), track_ids=('1', '2'),
        association=np.ones(count, np.float32), camera=np.ones(shapes['camera'], np.float32),
        camera_mask=np.ones(count, bool), ftm=np.ones(shapes['ftm'], np.float32),
        ftm_age_s=np.zeros(count, np.float32), ftm_mask=np.ones(count, bool),
        imu=np.ones((count, rows, shapes['imu'][1]), np.float32),
        imu_mask=np.ones((count, rows), bool))


def write_samples(folder: Path) -> None:
    """Write the files of SAMPLE_FILES."""
    values = to_mapping(AreaSettings(area='hall'))
    (folder / 'area.yaml').write_text(yaml.safe_dump(
        {'/**': {'ros__parameters': {**values, 'drivers': ['imu']}},
         '/**/twin': {'ros__parameters': {'belief.particles': 100}}}), encoding='utf-8')
    write_ftm_calibration(folder / 'ftm.yaml', {('anna', MAC): FtmFit('anna', MAC, 0.4, 1.01)})
    (folder / 'lens.yaml').write_text(LENS, encoding='utf-8')
    checkpoint = Checkpoint('f00d', 3, CONFIG, WEIGHTS, WEIGHTS)
    write_checkpoint(folder / 'checkpoint.safetensors', checkpoint, pack(WEIGHTS).checksum)
    twin = UnifiedTwin(MODEL, WINDOW).eval()
    save_model(folder / 'model.safetensors', twin, 'none', {}, {})
    (folder / 'model.onnx').write_bytes(export_onnx(twin))
    planned = plan_sessions(1, 1.0, 1)[0]
    write_session(simulate_session(planned), planned.area.settings, folder / 'bag')
