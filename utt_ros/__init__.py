"""Federated network digital twins on ROS 2."""

from pkgutil import extend_path

# In a checkout the generated `utt_ros.msg` lies in the environment, beside this package.
__path__ = extend_path(__path__, __name__)
