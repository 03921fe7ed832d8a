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

"""Track-to-phone association of a node, and the area's model for it."""

from collections.abc import Mapping

from rclpy.node import Node

from utt_ros.association.associator import MODEL_METHODS, make_associator
from utt_ros.bridge.node.deployed_models import DeployedModels
from utt_ros.bridge.node.message_signing import MessageSigning
from utt_ros.federation.types import Deployment
from utt_ros.settings import AreaSettings, WindowSettings
from utt_ros.sync.settings import SyncSettings
from utt_ros.twin.graph_trial import GraphTrial
from utt_ros.twin.onnx_translator import PHONE_OUTPUTS, TRACK_OUTPUTS, OnnxTranslator

MIN_ROUND = 1  # a model that was never trained is no evidence


class AssociationModel:
    """Associator of the configured method, with the newest deployed model as its translator."""

    def __init__(
        self, node: Node, settings: SyncSettings, area: AreaSettings, window: WindowSettings,
    ) -> None:
        """Raises SettingsError when the scorers cannot be read."""
        self.associator = make_associator(settings, area, window)
        self._window = window
        self._translator: OnnxTranslator | None = None
        uses_model = settings.association in MODEL_METHODS
        self._trial = GraphTrial(window) if uses_model else None
        self._models = DeployedModels(
            node, self._use, MIN_ROUND, area=area.area,
            verifier=MessageSigning(node).verifier) if uses_model else None

    def close(self) -> None:
        """End a trial under way, and wait for a graph that is being opened."""
        if self._trial is not None:
            self._trial.close()
        if self._models is not None:
            self._models.close()

    def values(self) -> Mapping[str, object]:
        """Return diagnostics, counted since start."""
        models = self._models
        current = models.round if models is not None else None
        return {
            'matches': self.associator.matches,
            'association_round': -1 if current is None else current,
            'models_refused': models.refused if models is not None else 0,
            'model_failures': self.associator.model_failures,
            'model_trouble': (models.failure if models is not None else '')
            or self.associator.last_model_failure}

    def _use(self, deployment: Deployment) -> None:
        if self._trial is not None:
            for outputs in (PHONE_OUTPUTS, TRACK_OUTPUTS):
                self._trial.check(deployment.graph, outputs)
        self._translator = OnnxTranslator(
            deployment.graph, self._window, self._translator, is_tried=True)
        self.associator.use_model(self._translator)
