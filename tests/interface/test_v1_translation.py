"""Our translation between Jaeger v1 and OTLP agrees with the one that Jaeger itself uses."""

import os
import pathlib
import subprocess

import pytest

from harness.larder import BINARY
from harness.process import ROOT

PAIRS = pathlib.Path(os.environ.get(
    "LARDER_V1_PAIRS", BINARY.parent.parent / "tests/interface/larder_v1_pairs"))


def test_agrees_with_jaegers_own():
    build = subprocess.run([ROOT / "tools/jaeger/build_v1_compare.sh"], text=True,
                           capture_output=True)
    if build.returncode == 77:
        pytest.skip(build.stderr.strip())
    assert build.returncode == 0, build.stderr
    pairs = subprocess.run([PAIRS, "5000"], capture_output=True, check=True)
    compare = subprocess.run([build.stdout.strip()], input=pairs.stdout, capture_output=True)
    assert compare.returncode == 0, pairs.stderr.decode() + compare.stdout.decode()
    assert b"10000 pairs agree" in compare.stdout
