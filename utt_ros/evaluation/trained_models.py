"""What all suites share: data, seeds, models that are trained once and kept."""

import fcntl
import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field, replace
from hashlib import sha256
from pathlib import Path
from typing import Any

from utt_ros.errors import ModelError
from utt_ros.evaluation.metrics.translation import Bench, make_bench
from utt_ros.evaluation.recipes import deployable
from utt_ros.models.model_card import code_digest, load_model, save_model
from utt_ros.models.twin import UnifiedTwin
from utt_ros.training.offline_trainer import Recipe, Trained, train
from utt_ros.training.recordings import Data

MODELS = 'models'


@dataclass(frozen=True, slots=True)
class Study:
    """One evaluation."""

    data: Data
    folder: Path  # of caches; what lies there may be used by several processes
    seeds: tuple[int, ...] = (0,)
    split: str = 'test'
    given: Path | None = None  # a model that is judged instead of trained ones
    recipe: Recipe = field(default_factory=Recipe)
    _benches: list[Bench] = field(default_factory=list, init=False, repr=False)  # one at most

    def bench(self) -> Bench:
        """The windows that operations are judged on; cut once."""
        if not self._benches:
            self._benches.append(make_bench(self.data, self.split))
        return self._benches[0]

    def model(self, seed: int, **variant: Any) -> UnifiedTwin:
        """The paper's method; `variant` changes fields of its recipe. See `trained`.

        Without a variant it is the given model, where there is one.
        """
        if self.given is not None and not variant:
            return load_model(self.given)[0]
        return self.trained(seed, replace(self.recipe, **variant))[0]

    def deployed(self, seed: int) -> UnifiedTwin:
        """What is judged at its tasks: the paper's method trained to its end, or a given model."""
        if self.given is not None:
            return load_model(self.given)[0]
        return self.trained(seed, deployable(self.recipe))[0]

    def trained(self, seed: int, recipe: Recipe) -> tuple[UnifiedTwin, dict[str, Any]]:
        """The model of a recipe, trained or from the cache, and how it was trained.

        Another process that wants the same model waits for this one.
        """
        path = self.folder / MODELS / f'{self._key(seed, recipe)}.safetensors'
        path.parent.mkdir(parents=True, exist_ok=True)
        with _turn(path.with_suffix('.lock')):
            try:
                twin, card = load_model(path)
            except ModelError:
                made = train(self.data, recipe, seed)
                card = save_model(
                    path, made.twin, self.data.fingerprint, summary(made, recipe, seed),
                    {'score': made.score})
                twin = made.twin
        return twin, card.training

    def _key(self, seed: int, recipe: Recipe) -> str:
        text = json.dumps(
            [code_digest(), self.data.fingerprint, repr(self.data.shape), seed, asdict(recipe)],
            sort_keys=True, default=str)
        return sha256(text.encode()).hexdigest()[:24]


def summary(made: Trained, recipe: Recipe, seed: int) -> dict[str, Any]:
    """How a model was trained, as a card keeps it."""
    rounds = made.mapped.rounds
    return {
        'plan': recipe.plan, 'fusor': recipe.model.fusor, 'terms': list(recipe.terms),
        'seed': seed, 'rounds': len(rounds), 'best_round': made.best_round,
        'local_steps': recipe.local_steps, 'batch': recipe.batch, 'windows': made.windows,
        'server': recipe.server, 'weighting': recipe.weighting, 'history': list(made.history),
        'areas': len(rounds[0].train_s),
        'round_slowest_s': [max(each.train_s.values()) + each.aggregate_s for each in rounds],
        'train_s': sum(sum(each.train_s.values()) for each in rounds),
        'compute_s': sum(sum(each.train_s.values()) + each.aggregate_s for each in rounds),
        'bytes_down': [sum(each.bytes_down.values()) for each in rounds],
        'bytes_up': [sum(each.bytes_up.values()) for each in rounds],
        'bytes_slowest': [max(each.bytes_down[area] + each.bytes_up.get(area, 0)
                              for area in each.train_s) for each in rounds],
        'bytes_final': made.mapped.bytes_final,
    }


@contextmanager
def _turn(path: Path) -> Iterator[None]:
    """Hold a lock on a file; freed also when the process dies."""
    with path.open('w') as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield
