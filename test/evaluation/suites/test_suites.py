"""Units of all suites."""

import pytest

from utt_ros.errors import SettingsError
from utt_ros.evaluation.suites import SUITES, suite_units
from utt_ros.evaluation.trained_models import Study


@pytest.mark.parametrize('suite', SUITES)
def test_units_have_unique_keys_that_are_valid_file_names(study: Study, suite: str) -> None:
    keys = [unit.key for unit in suite_units(suite, study)]
    assert keys
    assert len(set(keys)) == len(keys)
    assert not [key for key in keys if '/' in key or not key.startswith(suite)]


def test_unknown_suite_is_refused(study: Study) -> None:
    with pytest.raises(SettingsError, match="suite is 'speed'"):
        suite_units('speed', study)
