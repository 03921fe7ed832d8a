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

"""Questions of `utt setup` about the camera and the phones of an area."""

import io
import socket
from dataclasses import fields
from importlib import import_module
from importlib.util import find_spec
from math import radians, tan
from pathlib import Path
from time import monotonic
from typing import Any

import cv2

from utt_ros.cli.area_draft import AreaDraft
from utt_ros.cli.dialogue import Dialogue
from utt_ros.cli.driver_config import source_registry
from utt_ros.drivers.camera.opencv import OpenCVSettings, OpenCVSource
from utt_ros.errors import SourceError
from utt_ros.settings import AreaSettings
from utt_ros.types import Image

NONE = 'none'
DEFAULT_SOURCES = {'imu': 'sensor_logger', 'ftm': 'android_udp'}
ADDRESSES = {  # that an app is given; others have host and port in two fields
    'sensor_logger': 'http://{host}:{port}/data', 'android_http': 'http://{host}:{port}/'}
PICTURE_S = 10.0  # wait for the first picture
USUAL_VIEW_DEG = 70.0  # horizontal, of a webcam
PHONE_WAIT_S = 0.6  # delay of Sensor Logger with batches of 0.2 s
UNROUTED = ('192.0.2.1', 9)  # TEST-NET-1: no packet is sent to find the own address


def ask_camera(asking: Dialogue, draft: AreaDraft, out: Path) -> None:
    """Find the camera, look through it, and ask for its lens; write a picture beside `out`."""
    found = [str(path) for path in sorted(Path('/dev').glob('video*'))]
    asking.tell(f'cameras of this machine: {", ".join(found) or NONE}')

    def read(answer: str) -> tuple[str, Image | None]:
        return answer, None if answer == NONE else first_picture(answer)

    location, picture = asking.value(
        'camera: a device, a URL (http://, rtsp://), a video file, or none',
        found[0] if found else NONE, read)
    if picture is None:
        return
    height, width = picture.shape[:2]
    path = picture_path(out)
    path.parent.mkdir(parents=True, exist_ok=True)
    cv2.imwrite(str(path), picture)
    asking.tell(f'{width} x {height} pixels; {path} has a picture')
    view_deg = asking.number('horizontal field of view of the lens [degrees]', USUAL_VIEW_DEG,
                             10.0, 170.0)
    focal_px = round(width / 2 / tan(radians(view_deg) / 2), 1)
    draft.values |= {'image_width': width, 'image_height': height, 'fx': focal_px, 'fy': focal_px,
                     'cx': width / 2, 'cy': height / 2}
    draft.set_driver('camera', {'source': 'opencv', 'opencv': {'location': location}})


def picture_path(out: Path) -> Path:
    """Return where the picture of the camera of an area file is."""
    return out.with_suffix('.jpg')


def ask_phones(asking: Dialogue, draft: AreaDraft) -> None:
    """Ask which apps send motion and ranges, and show the address for each."""
    for kind, what in (('imu', 'motion of phones, sent by'), ('ftm', 'ranges of phones, sent by')):
        names = [*listening_sources(kind), NONE]
        chosen = asking.choice(what, names, DEFAULT_SOURCES[kind])
        if chosen == NONE:
            continue
        settings = source_registry(kind)[chosen].settings
        usual = {item.name: item.default for item in fields(settings)}['port']
        port = asking.value('port', str(usual or 8000), free_port)
        draft.set_driver(kind, {'source': chosen, chosen: {'port': port}})
        address = ADDRESSES.get(chosen, '{host}:{port}').format(host=own_address(), port=port)
        asking.tell(f'{source_registry(kind)[chosen].title}\naddress for the app: {address}')
        asking.tell(qr_code(address))
    if {'camera', 'imu'} <= set(draft.blocks):
        draft.blocks['sync'] = {'association': 'fused', 'max_wait': PHONE_WAIT_S}


def first_picture(location: str) -> Image:
    """Return the first picture of a camera. Raises SourceError without one."""
    end_s = monotonic() + PICTURE_S
    with OpenCVSource(OpenCVSettings(location=location), AreaSettings()) as source:
        while monotonic() < end_s:
            for frame in source.read(0.5):
                if frame.image is not None:
                    return frame.image
    raise SourceError(f'{location}: no picture within {PICTURE_S:g} s')


def listening_sources(kind: str) -> list[str]:
    """Return the sources of a kind that phones send to, by name."""
    registry = source_registry(kind)
    return [name for name in sorted(registry.names())
            if any(item.name == 'port' and 'listen' in str(item.metadata.get('text', ''))
                   for item in fields(registry[name].settings))]


def free_port(word: str) -> int:
    """Read a port that can be opened. Raises ValueError."""
    port = int(word)
    if not 1 <= port <= 65_535:
        raise ValueError(f'{port} is outside 1..65535')
    for kind in (socket.SOCK_STREAM, socket.SOCK_DGRAM):
        with socket.socket(socket.AF_INET, kind) as probe:
            try:
                probe.bind(('', port))
            except OSError as err:
                raise ValueError(f'port {port}: {err.strerror}: choose another one') from err
    return port


def own_address() -> str:
    """Return the address of this machine in its network; 127.0.0.1 without one."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(UNROUTED)
            return str(probe.getsockname()[0])
        except OSError:
            return '127.0.0.1'


def qr_code(text: str) -> str:
    """Draw a text as a QR code in characters of a terminal, where segno is installed."""
    if find_spec('segno') is None:
        return "(pip install 'utt_ros[setup]' shows addresses as QR codes)"
    segno: Any = import_module('segno')
    drawn = io.StringIO()
    segno.make(text, micro=False).terminal(out=drawn, compact=True)
    return drawn.getvalue()
