"""Boards at pseudo-terminals of another process."""

import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from utt_ros.drivers.ftm.boards import Boards, BoardSettings, ConsoleSettings, esp_idf, gtec
from utt_ros.drivers.types import Ranging
from utt_ros.errors import SettingsError, SourceError

CAPTURES = Path(__file__).parents[3] / 'docs/sources/captures'
GTEC = (CAPTURES / 'gtec.txt').read_text().splitlines()
LINE = 'I ({ms}) ftm_station: Estimated RTT - 33 nSec, Estimated Distance - 5.07 meters'
AP = '02:00:00:00:00:01'
WAIT_S = 20.0


@pytest.fixture
def opened() -> Iterator[Callable[[Boards], Boards]]:
    with ExitStack() as stack:
        yield stack.enter_context


def read(source: Boards, done: Callable[[list[Ranging]], object]) -> list[Ranging]:
    samples: list[Ranging] = []
    deadline_s = time.monotonic() + WAIT_S
    while not done(samples):
        assert time.monotonic() < deadline_s, dict(source.counters)
        samples += source.read(0.05)
    return samples


def test_console_is_asked_and_answers(plug_board: Callable, opened: Callable) -> None:
    board = plug_board()
    board.say('!command', '', LINE)
    source = opened(esp_idf(ConsoleSettings(
        ports=(board.port,), phones=('anna',), ap=AP, command='ftm -I -s hall', period=0.05)))
    begin_ns = time.time_ns()
    (sample,) = read(source, bool)
    assert board.hear() == 'got ftm -I -s hall'
    assert (sample.phone, sample.range_m, sample.ap) == ('anna', 5.07, AP)
    assert begin_ns - 10**8 < sample.stamp_ns < time.time_ns()
    assert 'anna.offset_s' in source.status()


def test_several_boards_are_several_phones_in_all_variants(
        plug_board: Callable, opened: Callable) -> None:
    one, other = plug_board(), plug_board()
    source = opened(gtec(BoardSettings(
        ports=(one.port, other.port), phones=('anna', 'ben'))))
    one.say('', *GTEC[:3])
    other.say('', GTEC[3])
    samples = read(source, lambda got: len(got) >= 3)
    assert {(one.phone, one.range_m, one.ap[-2:]) for one in samples} == {
        ('anna', 5.07, '01'), ('anna', 5.12, '01'), ('ben', 6.2, '02')}
    assert all(abs(one.stamp_ns - time.time_ns()) < WAIT_S * 1e9 for one in samples)
    assert source.counters['other_line'] == 1


def test_half_a_line_before_us_and_garbage_are_no_range(
        plug_board: Callable, opened: Callable) -> None:
    board = plug_board()
    source = opened(gtec(BoardSettings(ports=(board.port,), phones=('anna',))))
    board.say(GTEC[1], GTEC[2][:40], r'\x00\xff\xfe\x80', 'x' * 20_000, GTEC[2])
    samples = read(source, bool)
    assert [sample.range_m for sample in samples] == [5.12]
    assert source.counters['garbage'] == 1
    assert source.counters['too_long'] >= 1


def test_a_burst_of_lines_is_read_whole(plug_board: Callable, opened: Callable) -> None:
    board = plug_board()
    source = opened(gtec(BoardSettings(ports=(board.port,), phones=('anna',))))
    board.say('', *[GTEC[2].replace('512', str(100 + number)) for number in range(300)])
    samples = read(source, lambda got: len(got) >= 300)
    stamps = [sample.stamp_ns for sample in samples]
    assert stamps == sorted(set(stamps))


def test_board_that_is_unplugged_does_not_hinder_the_other(
        plug_board: Callable, opened: Callable) -> None:
    one, other = plug_board(), plug_board()
    source = opened(gtec(BoardSettings(
        ports=(one.port, other.port), phones=('anna', 'ben'))))
    one.unplug()
    other.say('', GTEC[3])
    read(source, lambda got: got and 'anna.port' in source.status())
    other.unplug()
    with pytest.raises(SourceError, match='plug the board in'):
        read(source, lambda _: False)


def test_silent_board_is_no_error(plug_board: Callable, opened: Callable) -> None:
    board = plug_board()
    source = opened(gtec(BoardSettings(ports=(board.port,), phones=('anna',))))
    assert source.read(0.01) == []
    board.say('', GTEC[3])
    assert read(source, bool)


def test_missing_port_is_said_with_what_to_do() -> None:
    source = gtec(BoardSettings(ports=('/dev/there-is-none',), phones=('anna',)))
    with pytest.raises(SourceError, match=r'there-is-none.*dialout'):
        source.open()
    source.close()


def test_wrong_settings_are_refused() -> None:
    with pytest.raises(SettingsError, match='1 entries and phones 0'):
        BoardSettings(ports=('/dev/ttyUSB0',))
    with pytest.raises(SettingsError, match='ap is'):
        ConsoleSettings(ap='home')
    with pytest.raises(SettingsError, match='one line'):
        ConsoleSettings(command='ftm\nrm')
    with pytest.raises(SettingsError, match='ports is empty'):
        gtec(BoardSettings())


def test_clock_of_a_board_that_drifts_or_starts_anew_is_followed() -> None:
    source = esp_idf(ConsoleSettings(ports=('/dev/none',), phones=('anna',), ap=AP))
    begin_ns, errors = 1_790_000_000_000_000_000, []

    def hear(host_s: float, boot_s: float) -> list[Ranging]:
        arrival_ns = begin_ns + round((host_s + 0.004) * 1e9)
        return source._take('anna', LINE.replace('{ms}', str(round(boot_s * 1000))), arrival_ns)

    for step in range(240):  # two minutes; three days since it was plugged in
        host_s = step / 2
        for sample in hear(host_s, 259_200 + host_s * (1 + 100e-6)):
            errors.append((sample.stamp_ns - begin_ns) / 1e9 - host_s)  # noqa: PERF401
    assert len(errors) == 240
    assert max(map(abs, errors)) < 0.02
    again = [hear(130 + step / 2, 3 + step / 2) for step in range(20)]
    assert source.counters['clock'] in range(3, 7)  # two seconds
    assert abs(again[-1][0].stamp_ns - begin_ns - 139.5e9) < 0.02e9
