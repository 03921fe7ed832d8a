from collections.abc import Callable
from pathlib import Path

import pytest

from utt_ros.evaluation.results import Row
from utt_ros.evaluation.suites import suite_units
from utt_ros.evaluation.trained_models import Study
from utt_ros.training.recordings import Recordings
from utt_ros.training.training_recipe import Recipe

RunUnit = Callable[[str, str], tuple[Row, ...]]


@pytest.fixture
def study(data: Recordings, recipe: Recipe, tmp_path: Path) -> Study:
    """Compare small models on simulated walks."""
    return Study(data, tmp_path, (0,), recipe=recipe)


@pytest.fixture
def run_unit(study: Study) -> RunUnit:
    """Run a unit of a suite and return its rows."""
    def run(suite: str, key: str) -> tuple[Row, ...]:
        return next(unit for unit in suite_units(suite, study) if unit.key == key).run().rows
    return run
