"""What a trainer says <-> messages."""

from array import array

from builtin_interfaces.msg import Time
from std_msgs.msg import Header

from utt_ros.bridge.messages.federation import byte_array
from utt_ros.errors import ModelError
from utt_ros.federation.types import Deployment, Report
from utt_ros.federation.wire import checksum_of
from utt_ros.msg import DeployedModel, TrainingMetrics


def deployment_to_message(deployment: Deployment, stamp: Time) -> DeployedModel:
    """`stamp`: when the graph was made."""
    return DeployedModel(
        header=Header(stamp=stamp),
        area=deployment.area,
        federation=deployment.federation,
        round=deployment.round,
        config=deployment.config,
        checksum=checksum_of(deployment.graph),
        payload=byte_array(deployment.graph),
    )


def deployment_from_message(message: DeployedModel) -> Deployment:
    """Raises ModelError when the graph does not match its checksum."""
    graph = bytes(message.payload)
    actual = checksum_of(graph)
    if actual != message.checksum:
        raise ModelError(
            f'graph has checksum {actual[:12]}…: {message.checksum[:12]!r}… was announced'
        )
    return Deployment(message.area, message.federation, message.round, message.config, graph)


def report_to_message(report: Report, stamp: Time) -> TrainingMetrics:
    """`stamp`: when the model was evaluated. Operations are sorted."""
    operations = sorted(report.nmse)
    return TrainingMetrics(
        header=Header(stamp=stamp),
        area=report.area,
        round=report.round,
        windows=report.windows,
        held_out=report.held_out,
        steps=report.steps,
        loss=report.loss,
        operations=operations,
        nmse_var=array('f', (report.nmse[name] for name in operations)),
    )


def report_from_message(message: TrainingMetrics) -> Report:
    """Inverse of report_to_message; numbers have the precision of float32."""
    nmse = dict(zip(message.operations, message.nmse_var, strict=True))
    return Report(
        message.area, message.round, message.windows, message.held_out, message.steps,
        message.loss, nmse,
    )
