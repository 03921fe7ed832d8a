"""Transfer, merge and split: which modalities are read, which are made [P]."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from itertools import combinations, permutations

Pair = tuple[tuple[str, ...], str]  # sources, target
KINDS = ('transfer', 'merge', 'split')


@dataclass(frozen=True, slots=True)
class Operation:
    """Read `sources`, make `targets`; both sorted."""

    kind: str  # one of KINDS
    sources: tuple[str, ...]
    targets: tuple[str, ...]

    @property
    def name(self) -> str:
        """Such as 'merge:camera+ftm->imu'."""
        return f'{self.kind}:{"+".join(self.sources)}->{"+".join(self.targets)}'

    @property
    def pairs(self) -> tuple[Pair, ...]:
        """The decodings it takes."""
        return tuple((self.sources, target) for target in self.targets)


def transfers(modalities: Iterable[str]) -> list[Operation]:
    """Every ordered pair."""
    return [Operation('transfer', (source,), (target,))
            for source, target in permutations(sorted(modalities), 2)]


def merges(modalities: Iterable[str], *, subsets: bool = False) -> list[Operation]:
    """To each modality from all others, or from every two or more of the others."""
    names = sorted(modalities)
    return [Operation('merge', sources, (target,))
            for target in names
            for sources in groups([name for name in names if name != target], subsets=subsets)]


def splits(modalities: Iterable[str], *, subsets: bool = False) -> list[Operation]:
    """From each modality to all others at once, or to every two or more of the others."""
    names = sorted(modalities)
    return [Operation('split', (source,), targets)
            for source in names
            for targets in groups([name for name in names if name != source], subsets=subsets)]


def groups(names: Sequence[str], *, subsets: bool) -> list[tuple[str, ...]]:
    """All of `names` or every subset of them, two at least."""
    smallest = 2 if subsets else max(2, len(names))
    return [group for size in range(smallest, len(names) + 1)
            for group in combinations(names, size)]


def operations(
    modalities: Iterable[str], kinds: Collection[str] = KINDS, *, subsets: bool = False,
) -> list[Operation]:
    """Every operation of the wanted kinds that the modalities allow."""
    names = sorted(modalities)
    made = [*transfers(names), *merges(names, subsets=subsets), *splits(names, subsets=subsets)]
    return [operation for operation in made if operation.kind in kinds]


def unique_pairs(wanted: Iterable[Operation]) -> list[Pair]:
    """The distinct decodings of some operations, by target: splits come free with transfers."""
    pairs = {pair for operation in wanted for pair in operation.pairs}
    return sorted(pairs, key=lambda pair: (pair[1], pair[0]))
