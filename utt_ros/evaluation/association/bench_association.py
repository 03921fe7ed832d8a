"""`utt bench association` and `fit-association`: what they do, without the command line."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

from utt_ros.association.scorers import COLUMNS, write_scorers
from utt_ros.evaluation.association.live_replay import Run, join, run, without_phone
from utt_ros.evaluation.association.live_scorers import fit_scorers
from utt_ros.evaluation.benchmarks.association_cost import match_cost
from utt_ros.evaluation.twin_translator import TwinTranslator
from utt_ros.files import write_atomically
from utt_ros.models.model_card import load_model
from utt_ros.models.onnx_export import export_onnx
from utt_ros.training.recordings import Data, load
from utt_ros.training.trainer import use_one_thread
from utt_ros.twin.onnx_model import OnnxRuntime
from utt_ros.twin.onnx_translator import OnnxTranslator

METHODS = ('labels', *COLUMNS)


def fit(data: Path, model: Path, out: Path, seed: int) -> None:
    """Fit the likelihoods on the val split and write them. Raises UttError."""
    use_one_thread()
    translator = TwinTranslator(load_model(model)[0])
    found = fit_scorers(read(data, None), translator, seed)
    write_atomically(out, write_scorers(found).encode())


def judge(
    data: Data, split: str, model: Path | None, methods: Sequence[str],
) -> Iterator[tuple[str, Run, Run | None]]:
    """By method: all sequences of a split, and again with one phone left at home.

    Raises UttError.
    """
    use_one_thread()
    graph = None if model is None else export_onnx(load_model(model)[0])
    translator = None if graph is None else OnnxTranslator(graph, data.shape)
    runtime = None if graph is None else OnnxRuntime(graph, data.shape)
    found = [item for item in data.of(split) if item.session.frames is not None]
    for method in methods:
        with_all = [run(item, data.shape, method, translator, runtime) for item in found]
        with_less = [
            run(item, data.shape, method, translator, twin=False,
                session=without_phone(item.session)[0])
            for item in found if method != 'labels' and len(item.session.phones) > 1]
        yield method, join(with_all), join(with_less) if with_less else None


def cost(data: Data, model: Path | None, method: str) -> tuple[float, float]:
    """See `match_cost`."""
    graph = None if model is None else export_onnx(load_model(model)[0])
    return match_cost(method, OnnxTranslator(graph, data.shape) if graph else None, data.shape)


def read(folder: Path, cache: Path | None) -> Data:
    """Recordings; what is read is kept in `cache`, if given."""
    with TemporaryDirectory(prefix='utt_bench_') as aside:
        return load(folder, cache or Path(aside))
