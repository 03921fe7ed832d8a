"""`utt replay`: bags into ROS topics."""

import argparse

from utt_ros.orchestration.bag_arguments import add_player_arguments, exec_node

EXAMPLES = """
examples:
  utt replay sessions/area0/000                       everything in it, once, with a clock
  utt replay sessions/area0/* --rate 2 --loop         all of an area's, again and again
  utt replay evening --topic '/hall/(camera|phones)/.*'   what was measured, not what nodes said
  utt replay evening --remap /hall/:=/copy/ --clock-topic /copy/clock

Space pauses and resumes, as does the service /player/pause; Ctrl-C stops. Nodes follow the clock
with the parameter use_sim_time. Any rosbag2 directory is played, mcap or sqlite3.
"""


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the options of `utt replay`."""
    parser.epilog, parser.formatter_class = EXAMPLES, argparse.RawDescriptionHelpFormatter
    add_player_arguments(parser)
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Become the player."""
    exec_node('player', options)
