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

"""A board at the other end of a pseudo-terminal.

Prints the path of its port; then each line of its input is printed by the board, with {ms} as its
clock since it was started. `!restart` starts its clock anew, `!command` waits for one.
"""

# ruff: noqa: T201  it is a program
import os
import pty
import select
import sys
import time
import tty

board, port = pty.openpty()
tty.setraw(port)
print(os.ttyname(port), flush=True)
begin_s = time.monotonic()  # our side of the port stays open: else it would hang up
for line in sys.stdin:
    words = line.rstrip('\n')
    if words == '!restart':
        begin_s = time.monotonic()
    elif words == '!command':
        select.select([board], [], [], 20.0)
        print('got ' + os.read(board, 1000).decode().split('\r')[0], flush=True)
    else:
        text = words.replace('{ms}', str(int((time.monotonic() - begin_s) * 1000) + 1))
        os.write(board, text.encode('latin-1').decode('unicode_escape').encode('latin-1'))
