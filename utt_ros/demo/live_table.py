"""The live demonstration's table, from the same summary that is written as JSON."""

from collections.abc import Mapping
from typing import Any

from utt_ros.demo.summary_table import SITUATIONS, aligned


def live_table(summary: Mapping[str, Any]) -> str:
    """What came, how late, from which clocks, of whom, and where that puts people."""
    streams = [
        [name, str(each['made']), str(each['heard']), f'{each["rate_hz"]:.1f}',
         f'{each["late_ms"]:.0f}'] for name, each in summary['streams'].items()]
    drivers = [
        [name, told['source'], str(told['dropped']), str(told['reopened']),
         ' '.join(f'{reason} {count}' for reason, count in told['refused'].items()) or '-']
        for name, told in sorted(summary['drivers'].items())]
    clocks = [
        [name, f'{each["offset_s"]:.3f}', f'{each["error_ms"]:+.1f}', f'{each["drift_ppm"]:.0f}',
         f'{each["true_ppm"]:.0f}'] for name, each in summary['clocks'].items()]
    errors = [
        [label, f'{found["median"]:.2f}', f'{found["p90"]:.2f}', f'{found["covered_90"]:.2f}']
        for key, label in SITUATIONS.items() if (found := summary['position_error_m'][key])]
    who, late = summary['identity'], summary['latency_ms']
    identity = (
        f'  whose phone: {who["tracked"]} boxes of people, {who["given"]} given to a phone, '
        f'{who["right"]} to the right one: IDP {who["idp"]:.2f}, '
        f'{who["right_of_given"]:.2f} of those given')
    return '\n'.join([
        *aligned(['stream', 'made', 'heard', 'rate [Hz]', 'late [ms]'], streams), '',
        *aligned(['driver', 'source', 'dropped', 'reopened', 'refused'], drivers, left=5), '',
        *aligned(['clock', 'host - phone [s]', 'error [ms]', 'drift [ppm]', 'true'], clocks), '',
        identity, '',
        *aligned(['position error [m]', 'median', 'p90', 'in 90 % ellipse'], errors),
        f'  stamp to position: p50 {late["p50"]:.0f} ms, p99 {late["p99"]:.0f} ms'])
