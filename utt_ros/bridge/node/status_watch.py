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

"""Observer of running areas, which reads topics like anybody else."""

from functools import partial
from time import monotonic

from diagnostic_msgs.msg import DiagnosticArray, DiagnosticStatus

from utt_ros.bridge.messages.federation import report_from_message, round_status_from_message
from utt_ros.bridge.node.operator_node import OperatorNode
from utt_ros.bridge.node.qos import RELIABLE
from utt_ros.bridge.node.topic_types import message_type_name
from utt_ros.errors import UttError
from utt_ros.msg import RoundStatus, TrainingMetrics, TwinStatus
from utt_ros.orchestration.system_status import (
    FederationStatus,
    PersonStatus,
    SystemStatus,
    printable,
)

STATUS_TYPE = message_type_name(TwinStatus)
MAX_WATCHED_AREAS = 1024
MAX_TROUBLES = 4096
LOOK_SEC = 1.0  # between looks for new areas


class StatusWatch(OperatorNode):
    """Newest state of all running areas. For one thread, in a `with` block."""

    def __init__(self) -> None:
        super().__init__()
        self.status = SystemStatus()
        self._watched: set[str] = set()
        self._looked_s = -LOOK_SEC
        subscribe = self._node.create_subscription
        subscribe(DiagnosticArray, '/diagnostics', self._on_diagnostics, RELIABLE)
        subscribe(RoundStatus, '/utt/rounds', self._on_rounds, RELIABLE)

    def spin_once(self, timeout_sec: float) -> None:
        """Take what arrives, and look for new areas."""
        if monotonic() - self._looked_s >= LOOK_SEC:
            self._looked_s = monotonic()
            self._look()
        self._executor.spin_once(timeout_sec=timeout_sec)

    def _look(self) -> None:
        for topic, kinds in self._node.get_topic_names_and_types():
            root, _, name = topic.rpartition('/')
            if (name == 'twin_status' and STATUS_TYPE in kinds and root not in self._watched
                    and len(self._watched) < MAX_WATCHED_AREAS):
                self._watched.add(root)
                subscribe = self._node.create_subscription
                area = root.removeprefix('/')
                subscribe(TwinStatus, topic, partial(self._on_status, area), RELIABLE)
                subscribe(TrainingMetrics, f'{root}/training_metrics',
                          partial(self._on_report, area), RELIABLE)

    def _on_status(self, area: str, message: TwinStatus) -> None:
        if not len(message.subjects) == len(message.sources) == len(message.position_std):
            return
        people = {
            printable(subject): PersonStatus(printable(sources), std_m) for
            subject, sources, std_m in zip(
                message.subjects, message.sources, message.position_std, strict=True)}
        self.status.update(
            area, heard_s=monotonic(), people=people,
            round=message.round if message.model_ready else None,
            ticks_lost=message.ticks_lost, compute_p99_ms=message.compute_p99,
            note=printable(message.note))

    def _on_report(self, area: str, message: TrainingMetrics) -> None:
        try:
            report = report_from_message(message)
        except UttError:
            return
        if report.nmse and area in self.status.areas:
            self.status.update(area, nmse=sum(report.nmse.values()) / len(report.nmse))

    def _on_rounds(self, message: RoundStatus) -> None:
        try:
            status = round_status_from_message(message)
        except UttError:
            return
        self.status.federation = FederationStatus(
            status.round, printable(status.state), tuple(map(printable, status.accepted)),
            _printable_items(status.refused), _printable_items(status.suspected))

    def _on_diagnostics(self, message: DiagnosticArray) -> None:
        troubles = self.status.troubles
        for item in message.status:
            name = printable(item.name.replace(': ', '/', 1))
            if item.level == DiagnosticStatus.OK:
                troubles.pop(name, None)
            elif name in troubles or len(troubles) < MAX_TROUBLES:
                troubles[name] = printable(item.message)


def _printable_items(texts: dict[str, str]) -> dict[str, str]:
    return {printable(name): printable(text) for name, text in texts.items()}
