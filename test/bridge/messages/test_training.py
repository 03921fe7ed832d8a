"""What a trainer says survives the wire."""

from dataclasses import replace
from math import isnan, nan

import pytest
from builtin_interfaces.msg import Time

from utt_ros.bridge.messages.training import (
    deployment_from_message,
    deployment_to_message,
    report_from_message,
    report_to_message,
)
from utt_ros.errors import ModelError
from utt_ros.federation.types import Deployment, Report

STAMP = Time(sec=12, nanosec=34)


def test_a_graph_survives_the_wire() -> None:
    deployment = Deployment('north', 'fed', 7, '{"model":{}}', bytes(range(256)) * 10)
    message = deployment_to_message(deployment, STAMP)
    assert message.header.stamp == STAMP
    assert deployment_from_message(message) == deployment


def test_a_damaged_graph_is_refused() -> None:
    message = deployment_to_message(Deployment('north', 'fed', 7, '', b'graph'), STAMP)
    message.payload[0] ^= 1
    with pytest.raises(ModelError, match='checksum'):
        deployment_from_message(message)


def test_a_report_survives_the_wire() -> None:
    report = Report('north', 3, 500, 120, 80, 1.5, {'transfer:ftm->imu': 0.5, 'a': 0.25})
    message = report_to_message(report, STAMP)
    assert list(message.operations) == ['a', 'transfer:ftm->imu']
    assert report_from_message(message) == report
    first = report_from_message(report_to_message(replace(report, loss=nan, nmse={}), STAMP))
    assert isnan(first.loss)
    assert first.nmse == {}
