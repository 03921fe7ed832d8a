"""Rows over seeds: means and deviations, and ratios between methods."""

import json
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from math import nan
from pathlib import Path
from typing import Any

import numpy as np

from utt_ros.errors import SessionError

Key = tuple[str, str, str, str, str, str, str]
FIELDS = ('suite', 'method', 'operation', 'sources', 'target', 'fusor', 'metric')


@dataclass(frozen=True, slots=True)
class Cell:
    """A number over seeds."""

    mean: float
    std: float  # 0 for one seed
    seeds: int
    n_windows: int

    def __str__(self) -> str:
        spread = f' ± {self.std:.2g}' if self.seeds > 1 else ''
        return f'{self.mean:.4g}{spread}'


MISSING = Cell(nan, nan, 0, 0)


class Table:
    """All rows of a results.json."""

    def __init__(self, rows: Iterable[Mapping[str, Any]]) -> None:
        found: dict[Key, list[tuple[float, int]]] = defaultdict(list)
        for row in rows:
            value = nan if row['value'] is None else float(row['value'])
            suite, method, operation, sources, target, fusor, metric = (
                str(row[name]) for name in FIELDS)
            key = (suite, method, operation, sources, target, fusor, metric)
            found[key].append((value, int(row['n_windows'])))
        self.cells = {key: _cell(values) for key, values in found.items()}

    def find(self, **wanted: str) -> dict[Key, Cell]:
        """The cells whose key has these values."""
        places = {FIELDS.index(name): value for name, value in wanted.items()}
        return {key: cell for key, cell in self.cells.items()
                if all(key[place] == value for place, value in places.items())}

    def one(self, **wanted: str) -> Cell:
        """The only such cell, or MISSING."""
        found = list(self.find(**wanted).values())
        return found[0] if len(found) == 1 else MISSING

    def mean(self, **wanted: str) -> float:
        """Mean over the targets of such cells, first over the directions of each target."""
        of_target: dict[str, list[float]] = defaultdict(list)
        for key, cell in self.find(**wanted).items():
            of_target[key[FIELDS.index('target')]].append(cell.mean)
        return float(np.mean([np.mean(each) for each in of_target.values()])) if of_target else nan

    def values(self, field: str, **wanted: str) -> list[str]:
        """The distinct values of a field among such cells, sorted."""
        return sorted({key[FIELDS.index(field)] for key in self.find(**wanted)})


def read_results(folder: Path) -> tuple[Table, dict[str, Any]]:
    """The table and what is said about it. Raises SessionError."""
    path = folder / 'results.json'
    try:
        content = json.loads(path.read_bytes())
        return Table(content['rows']), content['about']
    except (OSError, ValueError, KeyError, TypeError) as err:
        raise SessionError(f'{path}: {type(err).__name__}: {err}') from err


def _cell(values: list[tuple[float, int]]) -> Cell:
    numbers = np.array([value for value, _ in values])
    counts = [count for _, count in values]
    return Cell(float(numbers.mean()), float(numbers.std()), len(values), max(counts))
