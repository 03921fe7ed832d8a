"""The untrained model of the benchmark, of default size, the same for every pipeline."""

from pathlib import Path

from utt_ros.models.onnx_export import export_onnx
from utt_ros.models.settings import ModelSettings, dump_config, load_config
from utt_ros.models.twin import UnifiedTwin, initial_weights, load_weights
from utt_ros.settings import WindowSettings

SEED = 1


def write_model(folder: Path) -> None:
    """Write the configuration and the ONNX graph of the model."""
    model, window = ModelSettings(), WindowSettings()
    (folder / 'config.json').write_text(dump_config(model, window), encoding='utf-8')
    (folder / 'model.onnx').write_bytes(export_onnx(make_twin(model, window)))


def read_twin(config: Path) -> UnifiedTwin:
    """Read the configuration and make the torch model."""
    return make_twin(*load_config(config.read_text(encoding='utf-8')))


def make_twin(model: ModelSettings, window: WindowSettings) -> UnifiedTwin:
    """Make the model; equal settings give equal weights."""
    twin = UnifiedTwin(model, window).eval()
    load_weights(twin, initial_weights(model, window, SEED))
    return twin
