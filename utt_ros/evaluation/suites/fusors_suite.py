"""Every fusor in every direction, trained alike: Fig. 4 of the paper."""

from functools import partial

from utt_ros.evaluation.recipes import with_fusor
from utt_ros.evaluation.results import Outcome, Unit
from utt_ros.evaluation.suites.operations_suite import evaluate, its_sources, model_says
from utt_ros.evaluation.trained_models import Study
from utt_ros.models.fusors import FUSORS

SUITE = 'fusors'


def units(study: Study) -> list[Unit]:
    """By fusor and seed."""
    return [Unit(f'{SUITE}-{fusor}-seed{seed}', partial(_fusor, study, fusor, seed))
            for fusor in FUSORS.names() for seed in study.seeds]


def _fusor(study: Study, fusor: str, seed: int) -> Outcome:
    twin, _ = study.trained(seed, with_fusor(study.recipe, fusor))
    return evaluate(study, 'utt', fusor, seed, model_says(twin, its_sources), suite=SUITE)
