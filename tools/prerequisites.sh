#!/bin/sh
# Says in one sentence what this machine lacks for `make setup`; silent when nothing is missing.
# Usage: prerequisites.sh PYTHON FOLDER
python=$1
folder=$2
needed_kib=8388608  # the packages take 5.4 GiB with CUDA in torch, and 1.7 without

lacks() {
    echo "utt_ros cannot be set up: $1" >&2
    exit 1
}

[ "$(uname -s) $(uname -m)" = 'Linux x86_64' ] ||
    lacks "it needs Linux on x86-64, for which the ROS wheels are made; this is $(uname -s) on $(uname -m)."
command -v "$python" >/dev/null ||
    lacks "the command $python is missing; name another with PYTHON=."
"$python" -c 'import sys; sys.exit(not (3, 10) <= sys.version_info < (3, 15))' ||
    lacks "it needs Python 3.10 to 3.14, and $python is $("$python" -V 2>&1); name another with PYTHON=."
"$python" -c 'import ensurepip, venv' 2>/dev/null ||
    lacks "$python cannot make virtual environments; on Debian and Ubuntu the package python3-venv adds it."
"$python" -c '
import os, sys, sysconfig
sys.exit(not os.path.exists(os.path.join(sysconfig.get_path("include"), "Python.h")))' ||
    lacks "the C headers of $python are missing; on Debian and Ubuntu the package python3-dev adds them."
"$python" -c '
import platform, sys
name, version = platform.libc_ver()
sys.exit(name != "glibc" or tuple(map(int, version.split("."))) < (2, 28))' ||
    lacks 'the C library is not glibc 2.28 or newer, for which the wheels are made.'
command -v "${CC:-cc}" >/dev/null && command -v "${CXX:-c++}" >/dev/null ||
    lacks "a C and C++ compiler is missing (${CC:-cc}, ${CXX:-c++}); on Debian and Ubuntu the package build-essential adds it."
[ "$(df -Pk "$folder" | awk 'NR == 2 {print $4}')" -ge "$needed_kib" ] ||
    lacks "$folder has less than $((needed_kib / 1048576)) GiB of free space."
