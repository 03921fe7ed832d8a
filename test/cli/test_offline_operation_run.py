# Copyright 2026 The utt_ros maintainers
# SPDX-License-Identifier: Apache-2.0
#
# Licensed under the Apache License, Version 2.0 (the "License");
# you may not use this file except in compliance with the License.
# You may obtain a copy of the License at
#
#     http://www.apache.org/licenses/LICENSE-2.0
#
# Unless required by applicable law or agreed to in writing, software
# distributed under the License is distributed on an "AS IS" BASIS,
# WITHOUT WARRANTIES OR CONDITIONS OF ANY KIND, either express or implied.
# See the License for the specific language governing permissions and
# limitations under the License.

"""`utt transfer`, `utt merge` and `utt split` on saved models and recordings."""

import json
import os
import signal
import threading
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from utt_ros.federation.wire import pack
from utt_ros.models.saved_model import read_saved_model, write_saved_model
from utt_ros.task_twins.twin_files import twin_in_model


@pytest.fixture
def model(trained: tuple[Path, str]) -> Path:
    return trained[0]


@pytest.fixture
def transferred(model: Path, sessions: Path, utt: Callable, tmp_path: Path) -> Path:
    """Transfer ranges to boxes in area0."""
    out = tmp_path / 'trajectory.safetensors'
    done = utt('transfer', model, '--sources', 'ftm', '--to-task', 'trajectory', '--data',
               sessions, '--area', 'area0', '--out', out, '--seconds', 3)
    assert done.code == 0, done.err
    return out


def test_a_transfer_of_a_trained_model_is_a_task_twin_with_its_errors(
    transferred: Path, model: Path, utt: Callable,
) -> None:
    twin = twin_in_model(transferred)
    assert (twin.id, twin.sources, twin.operation, twin.parents) == (
        'area0_trajectory_2', ('ftm',), 'transfer', ())
    assert (twin.judged_in, twin.judged_windows > 20) == ('area0', True)
    assert set(twin.nmse) == {'center_x_px', 'center_y_px', 'depth_m', 'width_px', 'height_px'}
    weights, card = read_saved_model(transferred)
    assert card.statistics is not None
    is_tuned = pack(weights).checksum != pack(read_saved_model(model)[0]).checksum
    assert (twin.windows > 40) is is_tuned, 'worse weights are dropped, with their windows'
    assert 'trajectory: ftm -> camera' in utt('twins', 'show', transferred).out


def test_a_split_writes_a_model_for_each_task_and_names_its_parent(
    transferred: Path, sessions: Path, utt: Callable, tmp_path: Path,
) -> None:
    out = tmp_path / 'made'
    done = utt('split', transferred, '--sources', 'camera', '--to-task', 'position', 'tracking',
               '--data', sessions / 'area0', '--out', out, '--seconds', 0, '--json')
    assert done.code == 0, done.err
    content = json.loads(done.out)
    assert [twin['id'] for twin in content['twins']] == ['area0_position_2', 'area0_tracking_2']
    assert content['windows'] == 0
    for twin in content['twins']:
        record = twin_in_model(out / f'{twin["id"]}.safetensors')
        assert (record.parents, record.sources) == (('area0_trajectory_2',), ('camera',))
        assert content['nmse_before'] == pytest.approx(
            [sum(item['nmse'].values()) / len(item['nmse']) for item in content['twins']])


def test_a_merge_averages_models_of_one_shape(
    transferred: Path, model: Path, sessions: Path, utt: Callable, tmp_path: Path,
) -> None:
    out = tmp_path / 'merged.safetensors'
    done = utt('merge', transferred, model, '--sources', 'ftm,imu', '--to-task', 'trajectory',
               '--data', sessions, '--area', 'area0', '--out', out, '--seconds', 0)
    assert done.code == 0, done.err
    assert done.out.startswith(f'{out}: area0_trajectory_2 (NMSE_var ')
    weights = [read_saved_model(path)[0] for path in (transferred, model, out)]
    name = max(weights[0], key=lambda key: abs(weights[0][key] - weights[1][key]).max())
    assert weights[2][name] == pytest.approx((weights[0][name] + weights[1][name]) / 2, abs=1e-6)
    assert twin_in_model(out).sources == ('ftm', 'imu')


def test_one_bag_is_judged_on_blocks_of_time_that_were_held_out(
    model: Path, sessions: Path, utt: Callable, tmp_path: Path,
) -> None:
    bag = next(iter(sorted(sessions.glob('area0/*/metadata.yaml')))).parent
    done = utt('transfer', model, '--sources', 'ftm', '--to-task', 'trajectory', '--data', bag,
               '--out', tmp_path / 'x.safetensors', '--seconds', 0)
    assert done.code in (0, 1), done.err
    assert done.code == 0 or 'no data to judge on: area0 holds no windows out' in done.err


@pytest.mark.parametrize(('words', 'code', 'complaint'), [
    (['x.safetensors'], 2, 'x.safetensors is for work on model files: it needs --data'),
    (['a', '--out', 'y.safetensors'], 2, '--out is for work on model files: it needs --data'),
    (['MODEL', '--data', 'DATA'], 2, '--data is given: --out must name the model'),
    (['hall_position', '--data', 'DATA', '--out', 'y.safetensors'], 2,
     'hall_position is not a .safetensors file: --data is for model files'),
    (['MODEL', '--data', 'DATA', '--out', 'y.json'], 2, '--out is y.json: it must be a'),
    (['MODEL', '--data', 'nowhere', '--out', 'y.safetensors'], 2, 'nowhere is not a folder'),
    (['MODEL', '--data', 'DATA', '--out', 'y.safetensors'], 2, 'has the areas area0, area1: give'),
    (['MODEL', '--data', 'DATA', '--area', 'x', '--out', 'y.safetensors'], 2, "has no area 'x'"),
    (['none.safetensors', '--data', 'DATA', '--area', 'area0', '--out', 'y.safetensors'], 2,
     'none.safetensors: there is no such model file'),
    (['old.safetensors', '--data', 'DATA', '--area', 'area0', '--out', 'y.safetensors'], 2,
     'old.safetensors: it was made by version 99.0'),
    (['MODEL', '--data', 'DATA', '--area', 'area0', '--out', 'y.safetensors'], 2,
     'its card has no task twin: name the modalities'),
    (['MODEL', '--data', 'DATA', '--area', 'area0', '--out', 'y.safetensors', '--sources',
      'lidar'], 2, 'the model has no lidar: it has camera, ftm, imu'),
    (['MODEL', '--data', 'DATA', '--area', 'area0', '--out', 'y.safetensors', '--sources',
      'camera'], 2, 'reads camera, which it makes'),
    (['MODEL', '--data', 'DATA', '--area', 'area1', '--out', 'y.safetensors', '--sources', 'ftm'],
     1, 'no data to judge on: area1 does not measure camera'),
    (['MODEL', '--data', 'DATA', '--area', 'area0', '--out', 'y.safetensors', '--sources', 'ftm',
      '--seconds', '0', '--max-nmse', '1e-9'], 1, 'so it is not put in service')])
def test_a_wrong_request_is_refused_in_one_sentence_and_writes_nothing(
    words: list[str], code: int, complaint: str, model: Path, sessions: Path, utt: Callable,
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(tmp_path)
    weights, card = read_saved_model(model)
    write_saved_model(Path('old.safetensors'), weights, replace(card, code_version='99.0'))
    given = {'MODEL': model, 'DATA': sessions}
    done = utt('transfer', *(given.get(word, word) for word in words), '--to-task', 'trajectory')
    assert (done.code, done.out) == (code, '')
    assert complaint in done.err
    assert done.err.splitlines()[-1].startswith('utt transfer: ')
    assert not Path('y.safetensors').exists()


def test_ctrl_c_writes_nothing(
    model: Path, sessions: Path, utt: Callable, tmp_path: Path,
) -> None:
    out, former = tmp_path / 'x.safetensors', signal.getsignal(signal.SIGINT)

    def interrupt() -> None:
        """Press Ctrl-C as soon as the work has begun."""
        while signal.getsignal(signal.SIGINT) is former and not ended.wait(0.01):
            pass
        if not ended.is_set():
            os.kill(os.getpid(), signal.SIGINT)

    ended = threading.Event()
    thread = threading.Thread(target=interrupt)
    thread.start()
    try:
        done = utt('transfer', model, '--sources', 'ftm', '--to-task', 'trajectory', '--data',
                   sessions, '--area', 'area0', '--out', out, '--seconds', '600')
    finally:
        ended.set()
        thread.join()
    assert (done.code, done.out) == (130, '')
    assert done.err.endswith('was canceled: everything is as it was before\n')
    assert signal.getsignal(signal.SIGINT) is former
    assert not out.exists()
