import pytest

from utt_ros.errors import SettingsError
from utt_ros.evaluation.baselines.settings import BaselineSettings


def test_constant_outside_its_limits_is_refused() -> None:
    with pytest.raises(SettingsError, match='particles'):
        BaselineSettings(particles=3)
