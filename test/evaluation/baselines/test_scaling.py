import numpy as np

from utt_ros.evaluation.baselines.scaling import scale_values, stack_examples, step_means


def test_means_leave_out_masked_values() -> None:
    values = np.array([[[1.0], [3.0], [9.0], [9.0]]], np.float32)
    mask = np.array([[True, True, False, False]])
    means, known = step_means(values, mask, 2)
    assert means[0, :, 0].tolist() == [2.0, 0.0]
    assert known[0].tolist() == [True, False]


def test_masked_values_are_scaled_to_zero() -> None:
    values = np.array([[5.0, 0.3]] * 2, np.float32)
    scaled = scale_values('ftm', values, np.array([True, False]))
    assert np.abs(scaled[0]).max() < 10.0
    assert scaled[1].tolist() == [0.0, 0.0]


def test_examples_are_stacked_by_name() -> None:
    stacked = stack_examples([{'a': np.zeros(3)}, {'a': np.ones(3)}])
    assert stacked['a'].tolist() == [[0.0] * 3, [1.0] * 3]
