"""Association of a node's boxes with its phones, and the area's model for it."""

from collections.abc import Mapping

from rclpy.node import Node

from utt_ros.association.associator import MODEL_METHODS, make_associator
from utt_ros.bridge.messages.federation import deployment_from_message
from utt_ros.bridge.node.qos import STATE
from utt_ros.errors import ModelError
from utt_ros.msg import DeployedModel
from utt_ros.settings import AreaSettings, WindowSettings
from utt_ros.sync.settings import SyncSettings
from utt_ros.twin.latest_worker import LatestOnlyWorker
from utt_ros.twin.onnx_translator import OnnxTranslator


class AssociationModel:
    """Matches by one method. Graphs are opened in a thread of their own.

    A model that was never trained is as good as none.
    """

    def __init__(
        self, node: Node, settings: SyncSettings, area: AreaSettings, window: WindowSettings,
    ) -> None:
        """Raises SettingsError when the likelihoods cannot be read."""
        self.associator = make_associator(settings, area, window)
        self._window = window
        self._round = -1
        self._refused = 0
        self._trouble = ''
        self._opener: LatestOnlyWorker[DeployedModel] = LatestOnlyWorker('graph', self._open)
        if settings.association in MODEL_METHODS:
            node.create_subscription(DeployedModel, 'deployed_model', self._opener.put, STATE)

    def close(self) -> None:
        """Wait until no graph is being opened any more."""
        self._opener.close()

    def values(self) -> Mapping[str, object]:
        """For the diagnostics, counted since start."""
        return {
            'matches': self.associator.matches, 'association_round': self._round,
            'models_refused': self._refused, 'model_failures': self.associator.model_failures,
            'model_trouble': self._trouble or self.associator.last_model_failure}

    def _open(self, message: DeployedModel) -> None:
        """Ask this graph from the next match on; a bad one changes nothing."""
        if message.round < 1:
            return
        try:
            graph = deployment_from_message(message).graph
            self.associator.use_model(OnnxTranslator(graph, self._window))
            self._round = message.round
        except ModelError as err:
            self._refused += 1
            self._trouble = f'model of round {message.round} refused: {err}'
