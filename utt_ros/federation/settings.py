"""What an aggregator is told when it starts."""

from dataclasses import dataclass
from pathlib import Path

from utt_ros.errors import SettingsError
from utt_ros.federation.averaging import RULES
from utt_ros.settings import check, setting

LONGEST_NAME = 64


def valid_area(area: object) -> bool:
    """Whether an area can have this name: short, of the characters that a topic name allows."""
    return (
        isinstance(area, str) and area.isascii() and area.isidentifier()
        and len(area) <= LONGEST_NAME
    )


@dataclass(frozen=True, slots=True)
class AggregatorSettings:
    """Rounds, limits of an update, and where the state is kept."""

    quorum: int = setting(1, 'updates that a round needs', low=1, high=1024)
    deadline: float = setting(
        30.0, 'time from the first update of a round until it completes without the others [s]',
        low=0.0, high=86400.0,
    )
    weighting: str = setting('windows', f'how areas are weighted: {" or ".join(sorted(RULES))}')
    max_rounds: int = setting(0, 'rounds after which the federation ends; 0: never', low=0)
    areas: tuple[str, ...] = setting((), 'areas that may take part; empty: any')
    max_areas: int = setting(64, 'areas that may take part in one round', low=1, high=1024)
    max_update_bytes: int = setting(64 * 2**20, 'largest payload of an update [bytes]', low=1)
    max_windows: int = setting(1_000_000, 'most windows that an area may claim', low=1)
    max_change: float = setting(
        100.0, 'largest norm of the difference between an update and the global model', low=0.0,
    )
    state_dir: str = setting('~/.ros/utt_ros/aggregator', 'folder of checkpoints and round log')
    keep: int = setting(5, 'newest checkpoints that are kept, besides the initial one', low=2)
    seed: int = setting(0, 'seed of the initial model', low=0, high=2**31 - 1)

    def __post_init__(self) -> None:
        check(self)
        if self.weighting not in RULES:
            raise SettingsError(
                f'weighting is {self.weighting!r}: it must be one of {sorted(RULES)}'
            )
        for area in self.areas:
            if not valid_area(area):
                raise SettingsError(f'areas has {area!r}, which is not a name of an area')
        most = len(self.areas) or self.max_areas
        if self.quorum > most:
            raise SettingsError(f'quorum is {self.quorum}: at most {most} areas may take part')

    @property
    def state_path(self) -> Path:
        """The folder of the state, with '~' expanded."""
        return Path(self.state_dir).expanduser()
