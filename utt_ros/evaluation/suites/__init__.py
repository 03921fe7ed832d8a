"""The suites of `utt evaluate`, by name: each says its units of work for a study."""

from collections.abc import Callable, Sequence
from importlib import import_module

from utt_ros.errors import SettingsError
from utt_ros.evaluation.results import Unit
from utt_ros.evaluation.trained_models import Study

SUITES = ('operations', 'fusors', 'federation', 'tasks', 'association')


def units(name: str, study: Study) -> Sequence[Unit]:
    """The units of a suite, in an order in which they can run; raises SettingsError."""
    if name not in SUITES:
        raise SettingsError(f'suite is {name!r}: it must be one of {", ".join(SUITES)}')
    suite: Callable[[Study], Sequence[Unit]] = import_module(f'{__name__}.{name}_suite').units
    return suite(study)
