from builtin_interfaces.msg import Time

from utt_ros.evaluation.benchmarks.naive_pipeline import latest_window, stamp_nanoseconds


def test_newest_rows_stand_at_the_end_of_the_window() -> None:
    values, mask = latest_window([[1.0], [2.0], [3.0]], 2, 1)
    assert values[0, :, 0].tolist() == [2.0, 3.0]
    values, mask = latest_window([[1.0]], 3, 1)
    assert values[0, :, 0].tolist() == [0.0, 0.0, 1.0]
    assert mask[0].tolist() == [False, False, True]
    assert not latest_window([], 3, 1)[1].any()


def test_stamps_become_nanoseconds() -> None:
    assert stamp_nanoseconds(Time(sec=2, nanosec=5)) == 2_000_000_005
