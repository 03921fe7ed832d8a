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

"""ServerApp: rounds of Algorithm 1 over Flower, closed by the server of the live federation."""

import time
from collections.abc import Mapping, Sequence
from logging import getLogger

import numpy as np
from flwr.app import Context, Message, MessageType, RecordDict
from flwr.serverapp import Grid, ServerApp

from utt_ros.errors import ModelError, SettingsError
from utt_ros.federation.checkpoints import CheckpointStore
from utt_ros.federation.server import FederationServer, new_federation
from utt_ros.federation.settings import valid_area
from utt_ros.federation.types import RoundStatus
from utt_ros.flower.flower_records import model_records, read_name, read_update
from utt_ros.flower.settings import FlowerSettings, read_run_config
from utt_ros.models.settings import dump_config
from utt_ros.models.twin import initial_weights
from utt_ros.settings import WindowSettings
from utt_ros.training.offline_dataset import PAST_MODALITIES
from utt_ros.training.simulated_rounds import sample_areas
from utt_ros.types import NS_PER_S

POLL_SEC = 0.5  # between looks at the connected nodes
LOGGER = getLogger('flwr')


def run_rounds(grid: Grid, settings: FlowerSettings) -> list[RoundStatus]:
    """Train all areas together until the last round; return the rounds that were completed.

    The state folder has the model; a run that was stopped goes on from it. Updates of areas are
    taken in the order of their names, so equal seeds give equal bits. Raises ModelError where a
    round has too few updates.
    """
    nodes = connected_areas(grid, settings)
    store = CheckpointStore(settings.aggregator.state_path, settings.aggregator.keep)
    try:
        return _rounds(grid, settings, nodes, store)
    finally:
        store.close()


def connected_areas(grid: Grid, settings: FlowerSettings) -> dict[str, int]:
    """Return nodes by area, in order of names, when enough are connected.

    Raises SettingsError where they do not come in time, or two have one area.
    """
    deadline = time.monotonic() + settings.timeout_s
    while len(nodes := list(grid.get_node_ids())) < settings.min_areas:
        if time.monotonic() > deadline:
            raise SettingsError(f'{len(nodes)} nodes are connected after {settings.timeout_s} s: '
                                f'min_areas is {settings.min_areas}')
        time.sleep(POLL_SEC)
    questions = [Message(RecordDict(), node, MessageType.QUERY) for node in nodes]
    return order_areas(_replies(grid, questions, settings.timeout_s), settings.min_areas)


def order_areas(replies: Sequence[tuple[int, RecordDict]], min_areas: int) -> dict[str, int]:
    """Return nodes by the area that each names, in order of names. Raises UttError."""
    areas: dict[str, int] = {}
    for node, records in replies:
        area = read_name(records)
        if not isinstance(area, str) or not valid_area(area):
            raise SettingsError(f'node {node} gives {area!r:.80}, which is not a name of an area')
        if area in areas:
            raise SettingsError(f'nodes {areas[area]} and {node} are both area {area!r}')
        areas[area] = node
    if len(areas) < min_areas:
        raise SettingsError(f'{len(areas)} nodes have named an area: min_areas is {min_areas}')
    return dict(sorted(areas.items()))


def _rounds(
    grid: Grid, settings: FlowerSettings, nodes: Mapping[str, int], store: CheckpointStore,
) -> list[RoundStatus]:
    begin, problems = store.newest()
    for problem in problems:
        LOGGER.warning(problem)
    if begin is None:
        window = WindowSettings()
        begin = new_federation(store, dump_config(settings.model, window), initial_weights(
            settings.model, window, settings.seed, PAST_MODALITIES))
    server = FederationServer(settings.aggregator, store, begin, 0)
    rng = np.random.default_rng(settings.seed)
    closed = []
    for number in range(settings.rounds):
        drawn = sample_areas(list(nodes), settings.sampled, rng)
        if number >= server.model.round:
            closed.append(_run_round(
                grid, settings, server, {area: nodes[area] for area in drawn}))
    return closed


def _run_round(
    grid: Grid, settings: FlowerSettings, server: FederationServer, nodes: Mapping[str, int],
) -> RoundStatus:
    """Close the current round. Raises ModelError where too few updates were accepted."""
    number, now_ns = server.model.round, server.model.round * NS_PER_S
    areas = {node: area for area, node in nodes.items()}
    tasks = [Message(model_records(server.model, settings.local_steps), node, MessageType.TRAIN,
                     group_id=str(number)) for node in areas]
    replies = {areas[node]: records
               for node, records in _replies(grid, tasks, settings.timeout_s) if node in areas}
    refused = {area: 'no reply' for area in nodes if area not in replies}
    for area in sorted(replies):
        try:
            reason = _receive(server, area, replies[area], now_ns)
        except ModelError as err:
            reason = str(err)
        if reason is not None:
            refused[area] = reason
    for area, reason in refused.items():
        LOGGER.warning('round %d: area %s: %s', number, area, reason)
    closed = server.step(now_ns)
    if closed is None:
        raise ModelError(f'round {number}: {len(nodes) - len(refused)} updates were accepted, '
                         f'quorum is {settings.aggregator.quorum}')
    LOGGER.info('round %d: %d of %d areas', number, len(closed.accepted), len(nodes))
    return closed


def _receive(
    server: FederationServer, area: str, records: RecordDict, now_ns: int,
) -> str | None:
    """Accept an update, or return the reason for its refusal. Raises ModelError."""
    update = read_update(records)
    if update is None:
        return 'nothing could be trained'
    if update.area != area:
        return f'an update in the name of {update.area!r:.80}'
    return server.receive(update, now_ns)


def _replies(
    grid: Grid, messages: Sequence[Message], timeout_s: float,
) -> list[tuple[int, RecordDict]]:
    """Send messages; return the nodes that answered in time and without an error, and replies."""
    replies = []
    for reply in grid.send_and_receive(messages, timeout=timeout_s):
        node = reply.metadata.src_node_id
        if reply.has_error():
            LOGGER.warning('node %d: %s', node, reply.error.reason)
        else:
            replies.append((node, reply.content))
    return replies


server_app = ServerApp()


@server_app.main()
def main(grid: Grid, context: Context) -> None:
    """Run the federation that the run's configuration describes."""
    run_rounds(grid, read_run_config(context.run_config))
