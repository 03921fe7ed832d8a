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

"""Signatures of a node: keys by its parameters `signed` and `keys`."""

from rclpy.node import Node

from utt_ros.bridge.node.parameters import declare_settings
from utt_ros.federation.settings import SigningSettings
from utt_ros.federation.signing import MAX_PAYLOAD_BYTES, NullSigner, make_signer, make_verifier


class MessageSigning:
    """Signer of the area or aggregator `name`, and verifier of what a node receives.

    `note` is the warning for diagnostics that nothing is signed; empty otherwise.
    """

    def __init__(
        self, node: Node, name: str = '', max_bytes: int = MAX_PAYLOAD_BYTES,
    ) -> None:
        """Without `name` the node signs nothing. Raises SettingsError for unusable keys."""
        settings = declare_settings(node, SigningSettings)
        self.signer = make_signer(settings, name) if name else NullSigner()
        self.verifier = make_verifier(
            settings, max_bytes,
            f'{node.context.get_domain_id()}{node.get_fully_qualified_name()}')
        self.note = '' if settings.signed else (
            'signed is false: anybody in this ROS domain can send updates and models')
        if self.note:
            node.get_logger().warning(self.note)
