"""Run one node: `python -m utt_ros.orchestration.node NAME ARGUMENT...`."""

import signal
import sys
from importlib import import_module


def main() -> int:
    """Import the node and run it; a Ctrl-C during the import ends it without a traceback."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    node = import_module(f'utt_ros.nodes.{sys.argv.pop(1)}_node')
    signal.signal(signal.SIGINT, signal.default_int_handler)
    code: int = node.main()
    return code


if __name__ == '__main__':
    sys.exit(main())
