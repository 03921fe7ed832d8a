"""`utt record`: record ROS topics to a bag."""

import argparse

from utt_ros.orchestration.bag_arguments import add_recorder_arguments, exec_node

EXAMPLES = """
examples:
  utt record evening                         all topics
  utt record evening /hall/ /stairs/         all topics of two areas
  utt record evening --topic '/hall/(camera|phones)/.*'

Ctrl-C ends the recording and completes the bag: a rosbag2 directory with an MCAP file, which
`utt replay` and `ros2 bag play` play. Log times are arrival times on this machine.
"""


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the options of `utt record`."""
    parser.epilog, parser.formatter_class = EXAMPLES, argparse.RawDescriptionHelpFormatter
    add_recorder_arguments(parser)
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Replace this process by the recorder node."""
    exec_node('recorder', args)
