from collections.abc import Callable
from typing import Any

import pytest

from utt_ros.drivers.imu.sensor_logger import SensorLoggerSettings
from utt_ros.errors import SettingsError


def test_accelerations_with_the_sign_of_ios_are_negated(
    open_source: Callable, start_phone: Callable, free_port: int, collect: Callable,
    check_samples: Callable,
) -> None:
    source = open_source('sensor_logger', inverted=('one',))
    start_phone('sensor_logger', free_port, '--ios')
    check_samples(collect(source, lambda found: len(found) > 20), 'one')


@pytest.mark.parametrize(('values', 'error'), [
    ({'devices': ('x',), 'phones': ('a b',)}, "'a b'"),
    ({'devices': ('x',), 'phones': ('a',), 'inverted': ('b',)}, "'b'"),
    ({'reorder': -1.0}, 'at least 0'),
])
def test_wrong_settings_are_refused(values: dict[str, Any], error: str) -> None:
    with pytest.raises(SettingsError, match=error):
        SensorLoggerSettings(**values)
