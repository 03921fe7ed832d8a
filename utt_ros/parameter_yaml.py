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

"""YAML of ROS 2 parameter files: numbers as rcl reads them."""

import re
from typing import Any

import yaml

from utt_ros.documents import load_yaml_document

# Decimal numbers as strtod, and so rcl, reads them; PyYAML takes 5e2 and 1e-05 for texts, 1:30 for
# a number.
FLOAT = re.compile(
    r'[-+]?(?:[0-9]+\.[0-9]*|\.[0-9]+|[0-9]+(?=[eE]))(?:[eE][-+]?[0-9]+)?'
    r'|[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN)')
INTEGER = re.compile(r'[-+]?(?:0x[0-9a-fA-F]+|[0-9]+)')
MAX_PARAMETER_FILE_BYTES = 2**20
NUMBER_STARTS = '-+.0123456789'


class _Loader(yaml.SafeLoader):
    """Reads YAML with the numbers of ROS 2 parameter files."""


class _Dumper(yaml.SafeDumper):
    """Writes texts that look like such numbers in quotes."""


def _resolve_numbers(cls: type[yaml.resolver.BaseResolver]) -> None:
    numbers = {f'tag:yaml.org,2002:{kind}' for kind in ('float', 'int')}
    cls.yaml_implicit_resolvers = {
        first: [(tag, pattern) for tag, pattern in patterns if tag not in numbers]
        for first, patterns in cls.yaml_implicit_resolvers.items()}
    for kind, pattern in (('float', FLOAT), ('int', INTEGER)):
        whole = re.compile(f'(?:{pattern.pattern})$')
        cls.add_implicit_resolver(f'tag:yaml.org,2002:{kind}', whole, list(NUMBER_STARTS))


_resolve_numbers(_Loader)
_resolve_numbers(_Dumper)


def load_yaml(content: str | bytes) -> Any:
    """Load YAML with numbers as ROS reads them: 5e2, 5.28e2, 1e-05. Raises DocumentError."""
    return load_yaml_document(content, _Loader, MAX_PARAMETER_FILE_BYTES)


def dump_yaml(document: Any) -> str:
    """Write YAML; texts that ROS would take for numbers are in quotes."""
    return yaml.dump(document, Dumper=_Dumper, sort_keys=False, allow_unicode=True)
