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

"""Adoption of a model that another area hands over.

Its size, checksum, configuration, tensors and sources are checked. It is judged on held-out
windows of this area, where these measure its target, and stored.
"""

from collections.abc import Callable
from dataclasses import replace

from utt_ros.errors import TwinError
from utt_ros.federation.types import TwinHandover
from utt_ros.federation.wire import Tensors, unpack
from utt_ros.models.operations import Pair, describe_lack
from utt_ros.models.settings import ModelSettings, load_config
from utt_ros.models.twin import build_twin, check_weights
from utt_ros.settings import AreaSettings, WindowSettings
from utt_ros.task_twins.registry_file import parse_twin
from utt_ros.task_twins.types import TaskTwin
from utt_ros.training.client import FederatedClient
from utt_ros.training.fine_tuning import newest_examples
from utt_ros.training.twin_judgement import check_limit, judge_pair
from utt_ros.training.twin_models import TwinModel, TwinModels, model_writer


class TwinAdoption:
    """Adopts models of other areas; for the training thread."""

    def __init__(
        self, area: AreaSettings, window: WindowSettings, client: FederatedClient,
        models: TwinModels,
    ) -> None:
        self._area, self._window, self._client, self._models = area, window, client, models

    def adopt(self, handover: TwinHandover, permit: Callable[[], None]) -> TaskTwin:
        """Put a model in service as a task twin of this area; return its record.

        `permit` is called before anything is written; its UttError stops the adoption. Raises
        TwinError or ModelError.
        """
        proposed = parse_twin(handover.record)
        self._check_record(proposed)
        settings, weights = self._open(handover, proposed)
        record = self._judge(proposed, settings, weights, handover.max_nmse)
        record = replace(
            record, model=replace(record.model, checksum=handover.checksum, file=''))
        permit()
        return self._models.registry.register(
            record, model_writer(TwinModel(record, handover.config, weights)))

    def _check_record(self, twin: TaskTwin) -> None:
        area = self._area
        if twin.area != area.area:
            raise TwinError(f'it is for area {twin.area!r}: this is {area.area!r}')
        if twin.is_native:
            raise TwinError(f'a native twin of {area.area} is a sensor: it cannot be handed over')
        if lack := describe_lack(twin.sources, area.modalities):
            raise TwinError(
                f'a twin of {twin.task} from {" and ".join(twin.sources)} cannot be made in '
                f'{area.area}, which has {lack}')

    def _open(
        self, handover: TwinHandover, twin: TaskTwin,
    ) -> tuple[ModelSettings, Tensors]:
        settings, window = load_config(handover.config)
        if window != self._window:
            raise TwinError(f'the model is for {window}: {self._area.area} has {self._window}')
        if lack := describe_lack({*twin.sources, twin.target}, settings.modalities):
            raise TwinError(f'the model has {lack}')
        weights = unpack(
            handover.payload, handover.checksum, self._client.settings.max_model_bytes)
        check_weights(settings, window, weights)
        return settings, weights

    def _judge(
        self, twin: TaskTwin, settings: ModelSettings, weights: Tensors, limit: float,
    ) -> TaskTwin:
        """Return the twin with its error in this area; as handed over where nothing gives that."""
        pair: Pair = (twin.sources, twin.target)
        if twin.target not in self._area.modalities:
            return _within(twin, limit)
        memory = self._client.trainer.memory
        model = build_twin(settings, self._window, weights)
        held_out, training = (
            newest_examples(buffer, [pair]) for buffer in (memory.held_out, memory.training))
        try:
            judgement = judge_pair(model, held_out, training, pair, self._area.area)
        except TwinError:
            return _within(twin, limit)  # nothing to judge on here yet
        check_limit(judgement, pair, limit)
        return replace(
            twin, judged_in=self._area.area, judged_windows=judgement.windows,
            nmse=judgement.nmse, std=judgement.std)


def _within(twin: TaskTwin, limit: float) -> TaskTwin:
    """Return a twin judged elsewhere. Raises TwinError when its error exceeds the limit."""
    if limit and not twin.mean_nmse <= limit:
        where = (f'has NMSE_var {twin.mean_nmse:.3f} in {twin.judged_in}' if twin.nmse
                 else 'was never judged, and there is no data to judge on here')
        raise TwinError(f'the twin of {twin.task} {where}: max_nmse is {limit:.3g}, so it is not '
                        'put in service')
    return twin
