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

"""A process that answers every global model by model + STEP: `fake_trainer.py AREA STEP WINDOWS`.

It keeps the contract of a trainer: updates are latched, a model it has seen changes nothing.
"""

import sys

import numpy as np
from rclpy.node import Node
from utt_ros.msg import GlobalModel, ModelUpdate

from utt_ros.bridge.messages.federation import model_from_message, update_to_message
from utt_ros.bridge.node.process import run_node
from utt_ros.bridge.node.qos import STATE
from utt_ros.federation import types
from utt_ros.federation.wire import pack, unpack

AREA, STEP, WINDOWS = sys.argv[1], float(sys.argv[2]), int(sys.argv[3])


class FakeTrainer(Node):
    def __init__(self) -> None:
        super().__init__(f'trainer_{AREA}')
        self._updates = self.create_publisher(ModelUpdate, '/utt/updates', STATE)
        self._seen: types.GlobalModel | None = None
        self.create_subscription(GlobalModel, '/utt/model', self._on_model, STATE)

    def _on_model(self, message: GlobalModel) -> None:
        model = model_from_message(message)
        if model == self._seen:
            return
        self._seen = model
        tensors = unpack(model.payload, model.checksum, 2**24)
        packed = pack({name: tensor + np.float32(STEP) for name, tensor in tensors.items()})
        update = types.Update(
            model.federation, AREA, model.round, WINDOWS, ('imu',),
            packed.schema, packed.checksum, packed.payload,
        )
        stamp = self.get_clock().now().to_msg()
        self._updates.publish(update_to_message(update, stamp))


if __name__ == '__main__':
    sys.exit(run_node(FakeTrainer, []))
