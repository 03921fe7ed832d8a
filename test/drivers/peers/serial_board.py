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
