import pytest

from utt_ros.errors import SettingsError
from utt_ros.sync.settings import SyncSettings


def test_a_gap_longer_than_the_wait_is_refused() -> None:
    with pytest.raises(SettingsError, match=r'max_gap is 0\.2: .* at most max_wait, 0\.15'):
        SyncSettings(max_gap=0.2)


def test_an_unknown_method_of_association_is_refused() -> None:
    with pytest.raises(SettingsError, match="association is 'guess': it must be one of labels"):
        SyncSettings(association='guess')
