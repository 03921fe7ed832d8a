"""Directions of operations, evaluated with a given predictor."""

import numpy as np
import pytest

from utt_ros.evaluation.metrics.translation import TranslationWindows
from utt_ros.evaluation.suites.operations_suite import (
    direction_sources,
    evaluate_directions,
    target_past,
)
from utt_ros.evaluation.trained_models import Study
from utt_ros.models.operations import Pair
from utt_ros.types import FloatArray, Indices


def perfect(windows: TranslationWindows, rows: Indices, pair: Pair) -> FloatArray:
    return np.asarray(windows.columns[pair[1]][rows])


def test_perfect_predictor_has_no_error_in_any_direction(study: Study) -> None:
    result = evaluate_directions(study, 'perfect', 'none', 0, perfect)
    errors = [row.value for row in result.rows if row.metric == 'nmse_var']
    assert errors == pytest.approx([0.0] * 15)  # six transfers, three merges, three splits of two
    assert len(result.predictions) == len(errors)
    ious = [row.value for row in result.rows if row.metric == 'iou']
    assert ious == pytest.approx([1.0] * len(ious))


def test_kinds_and_targets_can_be_selected(study: Study) -> None:
    result = evaluate_directions(
        study, 'perfect', 'none', 0, perfect, kinds=('merge',), targets=('imu',))
    assert {(row.operation, row.sources, row.target) for row in result.rows} == {
        ('merge', 'camera+ftm', 'imu')}


def test_unified_model_reads_sources_and_direct_mapping_the_past_of_the_target() -> None:
    assert direction_sources((('ftm',), 'imu')) == ('ftm',)
    assert target_past((('ftm',), 'imu')) == ('imu_past',)
