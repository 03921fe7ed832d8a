import json
from pathlib import Path

import utt_ros.msg
from rosbags.rosbag2 import Reader


def test_type_hashes_are_those_of_the_generated_interfaces(bag: Path) -> None:
    places = (parent / 'share' / 'utt_ros' for parent in Path(utt_ros.msg.__file__).parents)
    share = next(place for place in places if place.is_dir())
    with Reader(bag) as reader:
        ours = {item.msgtype: item.digest for item in reader.connections
                if item.msgtype.startswith('utt_ros/')}
    for msgtype, digest in ours.items():
        described = json.loads((share / 'msg' / f'{msgtype.split("/")[2]}.json').read_text())
        assert {item['hash_string'] for item in described['type_hashes']
                if item['type_name'] == msgtype} == {digest}
    assert len(ours) == 2
