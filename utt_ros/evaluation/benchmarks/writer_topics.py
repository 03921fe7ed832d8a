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

"""Topics of the DDS writers that a host knows, by GUID."""

import argparse
import json
import sys
import time
from collections.abc import Sequence
from pathlib import Path

import rclpy
from rclpy.node import Node

from utt_ros.files import write_atomically

GUID_BYTES = 16
LISTING_POLL_SEC = 0.2
SERVICES = {'rq': 'requests of services', 'rr': 'answers of services'}


def topic_label(name: str) -> str:
    """Return the name of a DDS topic in ROS; services are one label for all of them."""
    prefix, _, rest = name.partition('/')
    return SERVICES.get(prefix) or (f'/{rest}' if prefix == 'rt' else name)


def list_writers(node: Node) -> dict[str, str]:
    """Return the labels of all topics by the GUIDs of their writers (hexadecimal digits)."""
    found = {}
    for name, _ in node.get_topic_names_and_types(no_demangle=True):
        for info in node.get_publishers_info_by_topic(name, no_mangle=True):
            guid = bytes(info.endpoint_gid[:GUID_BYTES]).hex()
            found[guid] = topic_label(name)
    return found


def main(args: Sequence[str] | None = None) -> int:
    """Look at the graph for some seconds, then write what was found as JSON."""
    parser = argparse.ArgumentParser(prog='writer_topics', description=__doc__)
    parser.add_argument('seconds', type=float)
    parser.add_argument('out', type=Path)
    given = parser.parse_args(args)
    rclpy.init(args=[])
    node = rclpy.create_node('writer_topics', enable_rosout=False, start_parameter_services=False)
    end_s = time.monotonic() + given.seconds
    found: dict[str, str] = {}
    while time.monotonic() < end_s:
        found |= list_writers(node)
        time.sleep(LISTING_POLL_SEC)
    write_atomically(given.out, json.dumps(found).encode())
    node.destroy_node()
    rclpy.try_shutdown()
    return 0


if __name__ == '__main__':
    sys.exit(main())
