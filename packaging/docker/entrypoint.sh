#!/bin/bash
# Runs `utt` with its arguments in the workspace of the image.
set -eo pipefail
source /opt/ros/jazzy/setup.bash
source /opt/utt_ros/setup.bash
exec /opt/utt_ros/bin/utt "$@"
