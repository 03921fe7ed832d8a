"""Whose measurement it is, when it was made, and whether it can be true."""

import re
from collections import Counter
from collections.abc import Mapping, Sequence

from utt_ros.drivers.clock_sync import PeerClock
from utt_ros.errors import SettingsError
from utt_ros.sensor_limits import MAX_NAME_LENGTH, RANGE_LIMITS_M, MAX_RANGE_STD_M, is_name

MAX_PHONES = 64
MAX_ID_LENGTH = 256  # of a device; it is remembered
MAC = re.compile(r'[0-9a-f]{2}(:[0-9a-f]{2}){5}', re.ASCII)
SET_BACK_NS = 1_000_000_000


def is_mac(text: str) -> bool:
    """Whether it is a hardware address such as '02:00:00:00:00:01', in lower case."""
    return MAC.fullmatch(text) is not None


def is_plausible(range_m: float, std_m: float) -> bool:
    """Whether a range and its standard deviation (NaN: not told) [m] can be those of a phone."""
    return RANGE_LIMITS_M[0] <= range_m <= RANGE_LIMITS_M[1] and not (std_m < 0.0 or std_m > MAX_RANGE_STD_M)


def check_phones(
        what: str, keys: Sequence[str], phones: Sequence[str], *, repeated: bool = False) -> None:
    """Check lists of ids and of the phones they belong to; a phone may be listed again if said.

    Raises SettingsError.
    """
    if len(keys) != len(phones):
        raise SettingsError(
            f'{what} has {len(keys)} entries and phones {len(phones)}: one phone for each')
    if len(keys) > MAX_PHONES:
        raise SettingsError(f'{what} has {len(keys)} entries: {MAX_PHONES} at most')
    for name, values in ((what, keys), ('phones', phones)):
        if any(not isinstance(value, str) for value in values):
            raise SettingsError(f'{name} is {list(values)}: it must hold texts')
        twice = [value for value, count in Counter(values).items() if count > 1]
        if twice and not (repeated and name == 'phones'):
            raise SettingsError(f'{name} holds {twice[0]!r} more than once')
    for phone in phones:
        if not is_name(phone):
            raise SettingsError(
                f'phones holds {phone!r}: a letter, then letters, digits and single underscores')


class Owners:
    """Names of phones by the ids that their apps send.

    Without a list every id gets a name made of its letters and digits, as long as no other id has
    taken that name and there are not too many.
    """

    def __init__(self, devices: Sequence[str], phones: Sequence[str]) -> None:
        self._names = dict(zip(devices, phones, strict=True))
        self._is_open = not devices

    def name(self, device: str) -> str:
        """The phone of a device; empty when there is none."""
        found = self._names.get(device, '')
        if found or not self._is_open or len(self._names) >= MAX_PHONES:
            return found
        if len(device) > MAX_ID_LENGTH:
            return ''
        name = re.sub('[^A-Za-z0-9]+', '_', device).strip('_')[:MAX_NAME_LENGTH]
        if name[:1].isdigit():
            name = f'phone_{name}'[:MAX_NAME_LENGTH].strip('_')
        if not is_name(name) or name in self._names.values():
            return ''
        self._names[device] = name
        return name


class StreamClocks:
    """Host stamps from clocks of devices; one clock per device, stamps of a stream only grow."""

    def __init__(self, counters: Counter[str]) -> None:
        self._counters = counters
        self._clocks: dict[str, PeerClock] = {}
        self._last: dict[tuple[str, str], int] = {}
        self._heard_ns = 0

    def notice(self, arrival_ns: int) -> None:
        """Begin anew when the host's own clock was set back: else all would be refused."""
        if arrival_ns < self._heard_ns - SET_BACK_NS:
            self._last.clear()
            self._counters['host_set_back'] += 1
        self._heard_ns = arrival_ns

    def observe(self, device: str, peer_ns: int, arrival_ns: int) -> bool:
        """Learn from the newest stamp of what a device sent at once; false: map none of it.

        There must be a bounded number of devices.
        """
        self.notice(arrival_ns)
        clock = self._clocks.setdefault(device, PeerClock())
        return clock.observe(peer_ns, arrival_ns)

    def stamp(self, device: str, stream: str, peer_ns: int) -> int | None:
        """The host's time [ns] of a stamp, after `observe`; None, counted: it is refused."""
        return self.advance(device, stream, self._clocks[device].to_host(peer_ns))

    def advance(self, device: str, stream: str, stamp_ns: int) -> int | None:
        """A stamp of the host if it lies after the last one of its stream; else None, counted."""
        last_ns = self._last.get((device, stream), 0)
        if stamp_ns <= last_ns:
            self._counters['repeated' if stamp_ns == last_ns else 'backward'] += 1
            return None
        if len(self._last) >= MAX_PHONES**2 and (device, stream) not in self._last:
            self._counters['too_many_streams'] += 1
            return None
        self._last[device, stream] = stamp_ns
        return stamp_ns

    def status(self) -> Mapping[str, object]:
        """Offset, drift and spread of every clock."""
        return {
            f'{device}.{key}': value
            for device, clock in sorted(self._clocks.copy().items())
            for key, value in clock.status().items()}
