"""Many phones at one source: who they are, and a clock and an assembler for each."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from operator import attrgetter

from utt_ros.drivers.clock_sync import PeerClock
from utt_ros.drivers.imu.assembler import Assembler, Pairing
from utt_ros.drivers.imu.readings import Reading
from utt_ros.drivers.phone_registry import SET_BACK_NS, Owners, check_phones
from utt_ros.drivers.types import Inertial, Magnetic
from utt_ros.errors import SettingsError
from utt_ros.settings import check, setting
from utt_ros.types import NS_PER_S

MAX_BATCH_NS = 60 * NS_PER_S  # of what a phone sends at once
AT_ONCE = 1000  # readings; less than wait at most, so that a long batch has room
UPSIDE_DOWN = ('accel', 'gravity')


@dataclass(frozen=True, slots=True)
class PhoneSettings:
    """Whose phones they are, and how their readings become samples."""

    devices: tuple[str, ...] = setting(
        (), 'what the app calls the phones, or their IP addresses; empty: all that come')
    phones: tuple[str, ...] = setting((), 'their names in topics, one for each device')
    reorder: float = setting(
        0.0, 'readings wait for earlier ones that come later, for so long [s]', low=0.0, high=10.0)
    max_gap: float = setting(
        0.1, 'longest gap of the gyroscope that is interpolated [s]', low=0.001, high=2.0)

    def __post_init__(self) -> None:
        check(self)
        check_phones('devices', self.devices, self.phones)

    def pairing(self, *, apart: bool = False) -> Pairing:
        """For the assembler; `apart`: gravity is to be added."""
        return Pairing(round(self.reorder * NS_PER_S), round(self.max_gap * NS_PER_S), apart)


class _Phone:
    def __init__(self, name: str, pairing: Pairing, counters: 'Counter[str]') -> None:
        self.clock = PeerClock()
        self.assembler = Assembler(name, pairing, counters, self.clock.to_host)


class Phones:
    """Readings in, samples out. Phones in `inverted` send accelerations with the opposite sign."""

    def __init__(
        self, settings: PhoneSettings, pairing: Pairing, counters: 'Counter[str]',
        inverted: Sequence[str] = (),
    ) -> None:
        self._owners = Owners(settings.devices, settings.phones)
        self._pairing, self._counters, self._inverted = pairing, counters, inverted
        self._phones: dict[str, _Phone] = {}
        self._heard_ns = 0

    def add(
        self, device: str, readings: Sequence[Reading], arrival_ns: int,
    ) -> list[Inertial | Magnetic]:
        """Samples that are complete with what a device sent at once, stamped by its own clock."""
        self._notice(arrival_ns)
        name = self._owners.name(device)
        if not name:
            self._counters['unknown_phone'] += 1
            return []
        if not readings:
            return []
        phone = self._phones.get(name)
        if phone is None:
            phone = self._phones[name] = _Phone(name, self._pairing, self._counters)
        newest_ns = max(reading.peer_ns for reading in readings)
        jumps = phone.clock.jumps
        if not phone.clock.observe(newest_ns, arrival_ns):
            self._counters['other_clock'] += len(readings)
            return []
        if phone.clock.jumps > jumps:
            phone.assembler.clear()
        usable = sorted(self._usable(name, readings, newest_ns), key=attrgetter('peer_ns'))
        samples = []
        for begin in range(0, len(usable), AT_ONCE):
            phone.assembler.add(usable[begin:begin + AT_ONCE])
            samples += phone.assembler.take()
        return samples

    def _notice(self, arrival_ns: int) -> None:
        if arrival_ns < self._heard_ns - SET_BACK_NS:
            self._counters['host_set_back'] += 1
            for phone in self._phones.values():
                phone.assembler.restart()
        self._heard_ns = arrival_ns

    def _usable(self, name: str, readings: Sequence[Reading], newest_ns: int) -> list[Reading]:
        recent = [reading for reading in readings
                  if newest_ns - reading.peer_ns < MAX_BATCH_NS]
        if len(recent) < len(readings):
            self._counters['late'] += len(readings) - len(recent)
        return [_negated(reading) for reading in recent] if name in self._inverted else recent

    def status(self) -> Mapping[str, object]:
        """Offset, drift and spread of each phone's clock."""
        return {f'{name}.{key}': value for name, phone in sorted(self._phones.copy().items())
                for key, value in phone.clock.status().items()}


def check_inverted(inverted: Sequence[str], phones: Sequence[str]) -> None:
    """Raise SettingsError when a phone whose signs are inverted is not one of the phones."""
    unknown = sorted(set(inverted) - set(phones))
    if phones and unknown:
        raise SettingsError(
            f'inverted has {unknown[0]!r}: it must be one of {", ".join(sorted(phones))}')


def _negated(reading: Reading) -> Reading:
    if reading.kind not in UPSIDE_DOWN:
        return reading
    x, y, z = reading.values
    return Reading(reading.kind, reading.peer_ns, (-x, -y, -z))
