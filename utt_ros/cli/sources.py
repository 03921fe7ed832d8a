"""`utt sources`: what cameras, ranges and phones can be read from, and what of it works here."""

import argparse

from utt_ros.cli.driver_config import KINDS, TOPICS, sources_of
from utt_ros.text_table import align_columns

EXAMPLES = f"""
A source is chosen in the block of its driver in the area file, such as `source: iw` in /**/ftm;
config/area.yaml lists the settings of each, docs/sources tells how it is set up. Besides those
listed the camera has the source `{TOPICS}`: pictures of another ROS driver.
"""


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the options of `utt sources`, of which there are none."""
    parser.epilog = EXAMPLES
    parser.set_defaults(run=run)


def run(_options: argparse.Namespace) -> int:
    """Show the registries."""
    rows = [[kind, name, entry.title, entry.unavailable() or 'yes']
            for kind in KINDS for name, entry in sorted(sources_of(kind).items())]
    print('\n'.join(align_columns(['sensor', 'source', 'what it is', 'works here'], rows, left=4)))
    return 0
