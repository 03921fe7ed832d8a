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

"""A phone that sends RangingResults: `android_phone.py WAY PORT DEVICE BOOT_MS RATE_HZ [MAC ...]`.

WAY is udp or http. It ranges its access points in turn. Its clock runs since BOOT_MS; it ends when
its input is closed.
"""

import http.client
import json
import select
import socket
import sys
import time

way, port, device = sys.argv[1], int(sys.argv[2]), sys.argv[3]
boot_ms, rate_hz = int(sys.argv[4]), float(sys.argv[5])
aps = sys.argv[6:] or ['02:00:00:00:00:01']
sender = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
begin_s, count = time.monotonic(), 0
while not select.select([sys.stdin], [], [], 1.0 / rate_hz)[0]:
    count += 1
    body = json.dumps({
        'deviceId': device, 'mac': aps[count % len(aps)], 'status': 0, 'distanceMm': 5000 + count,
        'distanceStdDevMm': 400, 'rssi': -58, 'numAttemptedMeasurements': 8,
        'numSuccessfulMeasurements': 7,
        'rangingTimestampMillis': boot_ms + int((time.monotonic() - begin_s) * 1000)}).encode()
    if way == 'udp':
        sender.sendto(body + b'\n', ('127.0.0.1', port))
        continue
    connection = http.client.HTTPConnection('127.0.0.1', port, timeout=5.0)
    try:
        connection.request('POST', '/', body)
        connection.getresponse().read()
    except OSError:
        pass  # nobody listens yet
    finally:
        connection.close()
