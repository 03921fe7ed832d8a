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

"""Message definitions of detections of other packages, for machines without these packages.

They name each field of the wire format; comments and constants of the packages are left out.
"""

from rosbags.typesys import get_types_from_msg
from rosbags.typesys.store import Typestore

BOX_3D = 'geometry_msgs/Pose center\ngeometry_msgs/Vector3 size'
LIST_2D = 'std_msgs/Header header\nvision_msgs/Detection2D[] detections'
LIST_3D = 'std_msgs/Header header\nvision_msgs/Detection3D[] detections'
VISION = {  # release 4: Humble and later
    'Point2D': 'float64 x\nfloat64 y',
    'Pose2D': 'vision_msgs/Point2D position\nfloat64 theta',
    'BoundingBox2D': 'vision_msgs/Pose2D center\nfloat64 size_x\nfloat64 size_y',
    'BoundingBox3D': BOX_3D,
    'ObjectHypothesis': 'string class_id\nfloat64 score',
    'ObjectHypothesisWithPose':
        'vision_msgs/ObjectHypothesis hypothesis\ngeometry_msgs/PoseWithCovariance pose',
    'Detection2D':
        'std_msgs/Header header\nvision_msgs/ObjectHypothesisWithPose[] results\n'
        'vision_msgs/BoundingBox2D bbox\nstring id',
    'Detection3D':
        'std_msgs/Header header\nvision_msgs/ObjectHypothesisWithPose[] results\n'
        'vision_msgs/BoundingBox3D bbox\nstring id',
    'Detection2DArray': LIST_2D, 'Detection3DArray': LIST_3D}
VISION_GALACTIC = {  # release 3
    **VISION, 'BoundingBox2D': 'geometry_msgs/Pose2D center\nfloat64 size_x\nfloat64 size_y'}
VISION_FOXY = {  # release 2
    'BoundingBox2D': VISION_GALACTIC['BoundingBox2D'], 'BoundingBox3D': BOX_3D,
    'ObjectHypothesisWithPose':
        'string id\nfloat64 score\ngeometry_msgs/PoseWithCovariance pose',
    'Detection2D':
        'std_msgs/Header header\nvision_msgs/ObjectHypothesisWithPose[] results\n'
        'vision_msgs/BoundingBox2D bbox\nsensor_msgs/Image source_img\nbool is_tracking\n'
        'string tracking_id',
    'Detection3D':
        'std_msgs/Header header\nvision_msgs/ObjectHypothesisWithPose[] results\n'
        'vision_msgs/BoundingBox3D bbox\nsensor_msgs/PointCloud2 source_cloud\n'
        'bool is_tracking\nstring tracking_id',
    'Detection2DArray': LIST_2D, 'Detection3DArray': LIST_3D}
ZED = {
    'Keypoint2Di': 'uint32[2] kp', 'Keypoint2Df': 'float32[2] kp', 'Keypoint3D': 'float32[3] kp',
    'BoundingBox2Di': 'zed_msgs/Keypoint2Di[4] corners',
    'BoundingBox2Df': 'zed_msgs/Keypoint2Df[4] corners',
    'BoundingBox3D': 'zed_msgs/Keypoint3D[8] corners',
    'Skeleton2D': 'zed_msgs/Keypoint2Df[70] keypoints',
    'Skeleton3D': 'zed_msgs/Keypoint3D[70] keypoints',
    'Object':
        'string label\nint16 label_id\nstring sublabel\nfloat32 confidence\n'
        'float32[3] position\nfloat32[6] position_covariance\nfloat32[3] velocity\n'
        'bool tracking_available\nint8 tracking_state\nint8 action_state\n'
        'zed_msgs/BoundingBox2Di bounding_box_2d\nzed_msgs/BoundingBox3D bounding_box_3d\n'
        'float32[3] dimensions_3d\nbool skeleton_available\nint8 body_format\n'
        'zed_msgs/BoundingBox2Df head_bounding_box_2d\n'
        'zed_msgs/BoundingBox3D head_bounding_box_3d\nfloat32[3] head_position\n'
        'zed_msgs/Skeleton2D skeleton_2d\nzed_msgs/Skeleton3D skeleton_3d',
    'ObjectsStamped': 'std_msgs/Header header\nzed_msgs/Object[] objects'}
YOLO = {
    'Point2D': 'float64 x\nfloat64 y',
    'Pose2D': 'yolo_msgs/Point2D position\nfloat64 theta',
    'Vector2': 'float64 x\nfloat64 y',
    'BoundingBox2D': 'yolo_msgs/Pose2D center\nyolo_msgs/Vector2 size',
    'BoundingBox3D': f'{BOX_3D}\nstring frame_id',
    'Mask': 'int32 height\nint32 width\nyolo_msgs/Point2D[] data',
    'KeyPoint2D': 'int32 id\nyolo_msgs/Point2D point\nfloat64 score',
    'KeyPoint3D': 'int32 id\ngeometry_msgs/Point point\nfloat64 score',
    'KeyPoint2DArray': 'yolo_msgs/KeyPoint2D[] data',
    'KeyPoint3DArray': 'yolo_msgs/KeyPoint3D[] data\nstring frame_id',
    'Detection':
        'int32 class_id\nstring class_name\nfloat64 score\nstring id\n'
        'yolo_msgs/BoundingBox2D bbox\nyolo_msgs/BoundingBox3D bbox3d\nyolo_msgs/Mask mask\n'
        'yolo_msgs/KeyPoint2DArray keypoints\nyolo_msgs/KeyPoint3DArray keypoints3d',
    'DetectionArray': 'std_msgs/Header header\nyolo_msgs/Detection[] detections'}


def register_detections(store: Typestore, vision: dict[str, str] = VISION) -> None:
    """Add the types to a store; `vision` are those of a release of vision_msgs."""
    packages = {'vision_msgs': vision, 'zed_msgs': ZED, 'yolo_msgs': YOLO, 'zed_interfaces': {
        name: text.replace('zed_msgs/', 'zed_interfaces/') for name, text in ZED.items()}}
    types = {}
    for package, definitions in packages.items():
        for name, text in definitions.items():
            types.update(get_types_from_msg(text, f'{package}/msg/{name}'))
    store.register(types)
