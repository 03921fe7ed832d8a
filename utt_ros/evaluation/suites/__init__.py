"""Suites of `utt evaluate`, by name: each lists its units of work for a study."""

from collections.abc import Callable, Sequence
from importlib import import_module

from utt_ros.errors import SettingsError
from utt_ros.evaluation.results import Unit
from utt_ros.evaluation.trained_models import Study

SUITES = ('operations', 'fusors', 'federation', 'tasks', 'association')


def suite_units(name: str, study: Study) -> Sequence[Unit]:
    """List the units of a suite, in an order in which they can run; raises SettingsError."""
    if name not in SUITES:
        raise SettingsError(f'suite is {name!r}: it must be one of {", ".join(SUITES)}')
    module = import_module(f'{__name__}.{name}_suite')
    units: Callable[[Study], Sequence[Unit]] = getattr(module, f'{name}_units')
    return units(study)
