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

"""Initial weights of a federation: `python -m utt_ros.models.initial CONFIG SEED FILE`.

A separate process, so that the long-lived aggregator never loads torch.
"""

import sys
from collections.abc import Sequence
from pathlib import Path

import safetensors.numpy

from utt_ros.errors import UttError
from utt_ros.files import write_atomically
from utt_ros.models.settings import load_config
from utt_ros.models.twin import initial_weights


def main(arguments: Sequence[str] | None = None) -> int:
    """Write weights for a configuration (JSON) and a seed as safetensors; return 2 on error."""
    config, seed, path = sys.argv[1:] if arguments is None else arguments
    try:
        weights = initial_weights(*load_config(config), seed=int(seed))
    except UttError as err:
        sys.stderr.write(f'{err}\n')
        return 2
    write_atomically(Path(path), safetensors.numpy.save(weights))
    return 0


if __name__ == '__main__':
    sys.exit(main())
