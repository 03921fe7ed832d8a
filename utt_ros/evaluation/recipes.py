"""How each method of the comparisons is trained."""

from collections.abc import Iterable
from dataclasses import replace

from utt_ros.models.operations import Operation, Pair, operations
from utt_ros.training.offline_trainer import Recipe, centralised
from utt_ros.training.windows import past


def direct(base: Recipe, target: str) -> Recipe:
    """A twin of its native modality alone, which extrapolates from the window before.

    All areas' data are in one place: the strongest form of it.
    """
    return _alone(base, target, past(target))


def reconstruct(base: Recipe, target: str) -> Recipe:
    """A twin of its native modality alone that is given the very window: an autoencoder."""
    return _alone(base, target, target)


def _alone(base: Recipe, target: str, source: str) -> Recipe:
    wanted = (Operation('transfer', (source,), (target,)),)
    return centralised(replace(
        base, terms=('transfer',), wanted=wanted,
        model=replace(base.model, modalities=(target, past(target)))))


def deployable(base: Recipe) -> Recipe:
    """The unified model for use: comparisons train all methods for half as long [R]."""
    return replace(base, rounds=2 * base.rounds, patience=2 * base.patience)


def with_past(base: Recipe, modalities: Iterable[str]) -> Recipe:
    """The unified model that reads, besides the others, the target's own window before."""
    names = sorted(modalities)
    wanted = [Operation('merge', tuple(sorted((*item.sources, past(target)))), (target,))
              for item in operations(names, subsets=True) for target in item.targets
              if item.kind != 'split']
    everything = tuple(sorted([*names, *map(past, names)]))
    return replace(base, terms=('merge',), wanted=tuple(wanted),
                   model=replace(base.model, modalities=everything))


def specific(base: Recipe, kind: str) -> Recipe:
    """A model of one kind of operation: Eq. 8 [P]."""
    return replace(base, terms=(kind,))


def with_fusor(base: Recipe, fusor: str) -> Recipe:
    """The same with another fusor; without motion, which no direction is judged on."""
    return replace(base, terms=('transfer', 'merge', 'split'),
                   model=replace(base.model, fusor=fusor))


def directions(modalities: Iterable[str]) -> list[tuple[str, Pair]]:
    """Every (kind, (sources, target)): what rows are made of."""
    return [(item.kind, pair) for item in operations(modalities, subsets=True)
            for pair in item.pairs
            if item.kind != 'split' or len(item.targets) == len(set(modalities)) - 1]


