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

"""The tables of an export."""

import re

from utt_ros import cdr
from utt_ros.sessions.export import message_rows
from utt_ros.sessions.export.export_table import (
    COVARIANCE,
    MAPPED,
    POSITION,
    Column,
    ExportTable,
    float_columns,
)
from utt_ros.types import CAMERA_CHANNELS, IMU_CHANNELS

ACCELERATION = float_columns(
    *((name, 'acceleration with gravity, axes of the phone [m/s^2]') for name in IMU_CHANNELS[:3]),
    *((name, 'angular velocity, axes of the phone [rad/s]') for name in IMU_CHANNELS[3:6]))
BOX = float_columns(*(
    (name, '{0[0]} of the box [{0[2]}]'.format(name.rpartition('_'))) for name in CAMERA_CHANNELS))
TRAINING_METRICS = re.compile(r'/(?P<area>\w+)/training_metrics')
TABLES = {table.name: table for table in (
    ExportTable(
        'positions', cdr.POSE.type, re.compile(r'/(?P<area>\w+)/twins/(?P<owner>\w+)/position'),
        'subject', (*POSITION, *COVARIANCE), message_rows.positions_rows, 'area'),
    ExportTable(
        'people', 'utt_ros/msg/People', re.compile(r'(?:/\w+)*/utt/people(?P<area>)'), '', (
            Column('person', 'str', 'id of the person, the same in every area'),
            Column('areas', 'str', 'areas whose estimates are part of the position'),
            *MAPPED, *float_columns(('map_z_m', 'height of the floor in the frame map [m]')),
            *COVARIANCE), message_rows.people_rows, 'map'),
    ExportTable(
        'futures', 'nav_msgs/msg/Path',
        re.compile(r'/(?P<area>\w+)/twins/(?P<owner>\w+)/trajectory'), 'subject',
        (*float_columns(('ahead_s', 'time of the predicted position after stamp_ns [s]')),
         *POSITION), message_rows.futures_rows, 'area', is_default=False),
    ExportTable(
        'truth', cdr.ODOMETRY.type, re.compile(r'/(?P<area>\w+)/truth/(?P<owner>\w+)/odom'),
        'subject', (*POSITION, *float_columns(
            ('heading_rad', 'heading, counter-clockwise from x of the area [rad]'))),
        message_rows.truth_rows, 'area'),
    ExportTable(
        'boxes', 'utt_ros/msg/Tracks', re.compile(r'/(?P<area>\w+)/camera/tracks'), '', (
            Column('track_id', 'str', 'given by the tracker'),
            Column('subject', 'str', 'person, where it is known'),
            *BOX, *float_columns(('confidence', 'of the detection, 0 to 1'))),
        message_rows.boxes_rows),
    ExportTable(
        'ranges', cdr.FTM_RANGE.type, re.compile(r'/(?P<area>\w+)/phones/(?P<owner>\w+)/ftm'),
        'phone', (
            Column('ap', 'str', 'address of the access point'),
            *float_columns(('range_m', 'measured range [m]'),
                     ('range_std_m', 'standard deviation over the burst [m]'),
                     ('rssi_dbm', 'signal strength [dBm]')),
            Column('attempted', 'int64', 'frames attempted in the burst'),
            Column('successful', 'int64', 'frames that succeeded')), message_rows.ranges_rows),
    ExportTable(
        'imu', cdr.IMU.type, re.compile(r'/(?P<area>\w+)/phones/(?P<owner>\w+)/imu/data_raw'),
        'phone', ACCELERATION, message_rows.inertial_rows),
    ExportTable(
        'magnetic', cdr.MAGNETIC_FIELD.type,
        re.compile(r'/(?P<area>\w+)/phones/(?P<owner>\w+)/imu/mag'), 'phone',
        float_columns(*((name, 'magnetic field, axes of the phone [T]')
                        for name in IMU_CHANNELS[6:])),
        message_rows.magnetic_rows),
    ExportTable(
        'synthesized_imu', cdr.IMU.type, re.compile(r'/(?P<area>\w+)/twins/(?P<owner>\w+)/imu'),
        'subject', ACCELERATION, message_rows.inertial_rows),
    ExportTable(
        'twins', 'utt_ros/msg/TwinStatus', re.compile(r'/(?P<area>\w+)/twin_status'), '', (
            Column('round', 'int64', 'of the model in use'),
            Column('model_ready', 'bool', 'whether there is a model'),
            Column('ticks', 'int64', 'processed since start'),
            Column('ticks_lost', 'int64', 'gaps in the sequence of ticks'),
            Column('predictions', 'int64', 'published since start'),
            *float_columns(('compute_p50_ms', 'median time of a tick [ms]'),
                     ('compute_p99_ms', '99 % quantile of it [ms]')),
            Column('note', 'str', 'of the twin')), message_rows.twins_rows),
    ExportTable(
        'metrics', message_rows.METRICS, TRAINING_METRICS, '', (
            Column('round', 'int64', 'of the global model that was evaluated'),
            Column('operation', 'str', 'such as transfer:ftm->imu'),
            *float_columns(('nmse_var', 'on held-out windows; 1 is the error of the mean')),
            Column('windows', 'int64', 'training windows in the buffer'),
            Column('held_out', 'int64', 'held-out windows in the buffer'),
            Column('steps', 'int64', 'training steps since start'),
            *float_columns(('loss', 'mean training loss of the last round'))),
        message_rows.metrics_rows),
    ExportTable(
        'gates', message_rows.METRICS, TRAINING_METRICS, '', (
            Column('round', 'int64', 'of the global model that was evaluated'),
            Column('modality', 'str', 'of the area'),
            *float_columns(('gate_weight', 'mean over held-out windows, 0 to 1'))),
        message_rows.gates_rows),
)}
