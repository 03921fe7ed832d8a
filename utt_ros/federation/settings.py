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

"""Settings of the aggregator."""

from dataclasses import dataclass
from pathlib import Path

from utt_ros.errors import SettingsError
from utt_ros.federation.aggregation_rules import AGGREGATION_RULES, BUILTIN_RULES, FLTRUST
from utt_ros.federation.compression import COMPRESSIONS, check_compression
from utt_ros.federation.modality_gating import parse_gates
from utt_ros.federation.types import PLAIN
from utt_ros.settings import check, setting

MAX_NAME_LENGTH = 64
SERVER_NAMES = ('fedavg', 'fedadagrad', 'fedadam', 'fedyogi')


def valid_area(area: object) -> bool:
    """Return whether an area can have this name: short, of characters allowed in topic names."""
    return (
        isinstance(area, str) and area.isascii() and area.isidentifier()
        and len(area) <= MAX_NAME_LENGTH
    )


@dataclass(frozen=True, slots=True)
class SigningSettings:
    """Keys of a node that sends or receives updates, models or graphs."""

    signed: bool = setting(
        True, 'sign updates, models and graphs and refuse unsigned ones; false: believe anybody')
    keys: str = setting('~/.ros/utt_ros/keys', 'folder of keys, see `utt keys`')

    def __post_init__(self) -> None:
        check(self)


@dataclass(frozen=True, slots=True)
class AggregatorSettings:
    """Rounds, aggregation, limits of updates, and the folder of the state."""

    quorum: int = setting(1, 'updates that a round needs', low=1, high=1024)
    deadline: float = setting(
        30.0, 'time from the first update of a round until it completes without the others [s]',
        low=0.0, high=86400.0,
    )
    weighting: str = setting(
        'windows',
        f'aggregation rule: {", ".join(BUILTIN_RULES)}, {FLTRUST} or a registered one')
    trust_sessions: str = setting(
        '', f'folder of recordings of your own, with which {FLTRUST} compares the updates')
    gates: tuple[str, ...] = setting(
        (), 'weights of modalities for gated, such as camera=0.5; empty: equal')
    screening: bool = setting(
        True, 'cap, clip or leave out updates that differ from those of the other areas')
    clip: float = setting(
        1.5, 'largest norm of a change, relative to the median of the areas', low=1.0, high=1e6)
    max_share: float = setting(
        2.0, 'largest window count that weights an update, relative to the median',
        low=1.0, high=1e6)
    agreement: float = setting(
        0.3, 'least agreement of a change with the median change, relative to the median area',
        low=0.0, high=1.0)
    server: str = setting('fedavg', f'server optimizer: {" or ".join(SERVER_NAMES)}')
    server_rate: float = setting(0.01, 'step size of an adaptive server', low=1e-9, high=1e3)
    server_tau: float = setting(1e-3, 'adaptivity of an adaptive server', low=1e-9, high=1e3)
    server_beta2: float = setting(
        0.99, 'decay of v in fedadam and fedyogi', low=0.0, high=0.9999)
    compression: str = setting(
        PLAIN, f'of updates and of changes of the model: {", ".join(COMPRESSIONS)}')
    max_rounds: int = setting(0, 'rounds after which the federation ends; 0: never', low=0)
    areas: tuple[str, ...] = setting((), 'areas that may take part; empty: any')
    max_areas: int = setting(64, 'areas that may take part in one round', low=1, high=1024)
    max_update_bytes: int = setting(64 * 2**20, 'largest payload of an update [bytes]', low=1)
    max_windows: int = setting(1_000_000, 'largest window count that an update may claim', low=1)
    max_change: float = setting(
        100.0, 'largest norm of the difference between an update and the global model', low=0.0,
    )
    state_dir: str = setting('~/.ros/utt_ros/aggregator', 'folder of checkpoints and round log')
    keep: int = setting(5, 'newest checkpoints that are kept, besides the initial one', low=2)
    initial_model: str = setting(
        '', 'model file of utt train with which a new federation begins; empty: untrained')
    seed: int = setting(0, 'seed of the initial model', low=0, high=2**31 - 1)

    def __post_init__(self) -> None:
        check(self)
        if self.weighting == FLTRUST and not self.trust_sessions:
            raise SettingsError(f'weighting is {FLTRUST!r}: it needs trust_sessions')
        if self.weighting != FLTRUST:
            AGGREGATION_RULES[self.weighting]  # raises for an unknown name
        if self.trust_sessions and self.weighting != FLTRUST:
            raise SettingsError(f'trust_sessions is {self.trust_sessions!r}: only the weighting '
                                f'{FLTRUST} uses it, and it is {self.weighting}')
        if self.server not in SERVER_NAMES:
            raise SettingsError(
                f'server is {self.server!r}: it must be one of {", ".join(SERVER_NAMES)}')
        check_compression(self.compression)
        parse_gates(self.gates)
        for area in self.areas:
            if not valid_area(area):
                raise SettingsError(f'areas has {area!r}, which is not a name of an area')
        max_areas = len(self.areas) or self.max_areas
        if self.quorum > max_areas:
            raise SettingsError(
                f'quorum is {self.quorum}: at most {max_areas} areas may take part')

    @property
    def state_path(self) -> Path:
        """Folder of the state, with '~' expanded."""
        return Path(self.state_dir).expanduser()

    @property
    def trust_path(self) -> Path:
        """Folder of trusted recordings, with '~' expanded. Raises SettingsError without one."""
        path = Path(self.trust_sessions).expanduser()
        if not path.is_dir():
            raise SettingsError(
                f'trust_sessions is {self.trust_sessions!r}: there is no such folder')
        return path
