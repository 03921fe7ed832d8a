"""The figures that were set as goals, beside what was reached."""

from dataclasses import dataclass
from math import isfinite

from utt_ros.evaluation.report.results_table import Key, Table

GATES = ('gating', 'gating_sum')
UNTOLD = 0.85  # NMSE_var of a channel that hardly depends on anything measured


@dataclass(frozen=True, slots=True)
class Goal:
    """One figure; `value` is NaN where a suite that it needs was not run."""

    text: str
    value: float
    limit: float
    at_most: bool = True

    @property
    def verdict(self) -> str:
        """'reached', 'missed' or 'not measured'."""
        if not isfinite(self.value):
            return 'not measured'
        met = self.value <= self.limit if self.at_most else self.value >= self.limit
        return 'reached' if met else 'missed'


def least_ratio(table: Table, operation: str) -> float:
    """What a ratio to direct mapping could be at least, given channels that no method can tell.

    Those whose NMSE_var is at least UNTOLD for every method keep the best one; all others are
    perfect. An autoencoder, which is given what it makes, is no method.
    """
    best: dict[str, dict[str, float]] = {}
    for key, cell in table.find(suite='operations', operation=operation).items():
        channel = key[6].removeprefix('nmse_var_')
        if channel != key[6] and key[1] != 'direct_reconstruct':
            of_target = best.setdefault(key[4], {})
            of_target[channel] = min(of_target.get(channel, float('inf')), cell.mean)
    least = [sum(value for value in found.values() if value >= UNTOLD) / len(found)
             for found in best.values()]
    direct = table.mean(
        suite='operations', method='direct', operation=operation, metric='nmse_var')
    return sum(least) / len(least) / direct if least else float('nan')


def goals(table: Table) -> list[Goal]:
    """Goals of the operations, fusors and federation suites."""
    found = [Goal(f'{operation}, {method} / direct, NMSE_var, mean over targets',
                  _ratio(table, operation, method, 'direct', 'operations'), limit)
             for operation, limit in (('merge', 0.51), ('split', 0.76))
             for method in ('utt', 'utt_past')]
    found += [
        Goal('unified / function-specific, NMSE_var',
             _over_kinds(table, 'operations', 'utt', 'specific'), 1.05),
        Goal('federated / centralised, NMSE_var',
             _over_kinds(table, 'federation', 'utt', 'centralised'), 1.02),
        Goal('directions in which a gate is best, or within one deviation of the best',
             gates_win(table), 0.8, at_most=False)]
    for other, limit in (('direct_single', 0.585), ('centralised_single', 0.88)):
        name = other.removesuffix('_single')
        found += [Goal(f'{operation}, time to map all twins, utt / {name}',
                       worst(table, 'utt_single', operation, 'time_s')
                       / worst(table, other, operation, 'time_s'), limit)
                  for operation in ('split', 'merge')]
    return found


def worst(table: Table, method: str, operation: str, metric: str) -> float:
    """The largest over the configurations of an operation; NaN where there is none."""
    cells = table.find(suite='federation', method=method, operation=operation, metric=metric)
    return max((cell.mean for cell in cells.values()), default=float('nan'))


def gates_win(table: Table) -> float:
    """Share of the directions in which the better gate is best or within one std of the best."""
    found = [_best_gate(cells) for cells in by_direction(table).values()]
    return sum(found) / len(found) if found else float('nan')


def by_direction(table: Table) -> dict[tuple[str, str, str], dict[Key, tuple[str, float, float]]]:
    """(operation, sources, target) -> fusor, mean and deviation of NMSE_var of each fusor."""
    found: dict[tuple[str, str, str], dict[Key, tuple[str, float, float]]] = {}
    for key, cell in table.find(suite='fusors', metric='nmse_var').items():
        found.setdefault(key[2:5], {})[key] = key[5], cell.mean, cell.std
    return found


def _best_gate(cells: dict[Key, tuple[str, float, float]]) -> bool:
    best = min(cells.values(), key=lambda cell: cell[1])
    gate = min((cell for cell in cells.values() if cell[0] in GATES), key=lambda cell: cell[1],
               default=('', float('inf'), 0.0))
    return gate[1] <= best[1] + max(best[2], gate[2])


def _ratio(table: Table, operation: str, ours: str, theirs: str, suite: str) -> float:
    def mean(method: str) -> float:
        return table.mean(suite=suite, method=method, operation=operation, metric='nmse_var')
    return mean(ours) / mean(theirs)


def _over_kinds(table: Table, suite: str, ours: str, theirs: str) -> float:
    """Ratio of the means over the directions that both have."""
    kinds = table.values('operation', suite=suite, method=theirs, metric='nmse_var')
    ratios = [_ratio(table, kind, ours, theirs, suite) for kind in kinds]
    return sum(ratios) / len(ratios) if ratios else float('nan')
