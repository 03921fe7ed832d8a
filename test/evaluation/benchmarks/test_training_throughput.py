"""Training throughput beside the loop over operations."""

from utt_ros.evaluation.benchmarks.training_throughput import measure_throughput


def test_both_are_measured_in_one_run() -> None:
    found = measure_throughput(steps=1, repeats=1)
    assert found['ours'] > 0.0
    assert found['naive'] > 0.0
    assert found['ratio'] == found['ours'] / found['naive']
