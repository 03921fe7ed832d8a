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

"""Stands in for the program iw: prints the documented blocks for the peers of a request.

Its folder has a file `behaviour` (one word per call, the last one stays) and gets a file
`requests`, to which what was asked is added.
"""

# ruff: noqa: T201  it is a program
import sys
import time
from pathlib import Path

FOLDER = Path(sys.argv[1])
DISTANCE_M = {'01': 5.0, '02': 8.0, '03': 2.5}
BLOCK = """wdev 0x1 (phy #0): Peer measurements (cookie 1):
  Peer {mac}: status=0 (SUCCESS) @{now} tsf=0
    FTM
      BURST_INDEX: 0
      FTMS_PER_BURST: 8
      RSSI_AVG: {rssi}
      RTT_AVG: {rtt}
      RTT_VARIANCE: 1000000
"""
BUSY = """wdev 0x1 (phy #0): Peer measurements (cookie 1):
  Peer {mac}: status=3 (FAILURE) @{now} tsf=0
    FTM failed: PEER_BUSY (6) retry after 100s
"""


def behaviour() -> str:
    path = FOLDER / 'behaviour'
    words = path.read_text().split()
    if len(words) > 1:
        path.write_text(' '.join(words[1:]))
    return words[0]


def main() -> int:
    words, today = sys.argv[2:], behaviour()
    lines = Path(words[-1]).read_text().splitlines()
    with (FOLDER / 'requests').open('a') as file:
        file.write(f'{" ".join(words[:-1])}|{"|".join(lines)}\n')
    if today == 'unsupported':
        print('command failed: Operation not supported (-95)', file=sys.stderr)
        return 161
    if today == 'hangs':
        time.sleep(60.0)
    for line in lines:
        mac = line.split()[0]
        values = {'mac': mac, 'now': time.clock_gettime_ns(time.CLOCK_BOOTTIME),
                  'rtt': round(DISTANCE_M[mac[-2:]] / 1.49896229e-4), 'rssi': 2**32 - 100}
        if today == 'old':
            values['now'] -= min(3600 * 10**9, values['now'] // 2)  # positive after any boot
        if today == 'silent':
            print(f'  Peer {mac}: no response!')
        elif today == 'garbage':
            print('  Peer \x00\xff @@@ status\n    FTM\n      RTT_AVG: x')
        elif today == 'busy' and mac.endswith('02'):
            print(BUSY.format(**values), end='')
        else:
            block = BLOCK.format(**values)
            print(block[:-45] if today == 'truncated' else block, end='')
    print('wdev 0x1 (phy #0): peer measurement complete')
    return 0


sys.exit(main())
