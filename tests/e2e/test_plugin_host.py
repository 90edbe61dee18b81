"""Larder as the plugin of a host of our own, built on HashiCorp's go-plugin (plugin_host/)."""

import functools
import os
import re
import shutil
import subprocess

import pytest

from harness.larder import BINARY
from harness.process import ROOT

SOURCE = ROOT / "tests/e2e/plugin_host"
TESTS = re.findall(r"^func (Test\w+)", (SOURCE / "host_test.go").read_text(), re.MULTILINE)


@functools.cache
def build_host():
    if not shutil.which("go"):
        pytest.skip("the host is written in Go, which is not installed")
    program = ROOT / "build/plugin-host"
    build = subprocess.run(["go", "test", "-c", "-o", program, "."], cwd=SOURCE, text=True,
                           capture_output=True, env=os.environ | {"GOTOOLCHAIN": "local"})
    assert build.returncode == 0, build.stderr
    return program


@pytest.mark.parametrize("name", TESTS)
def test_host(name, tmp_path):
    run = subprocess.run([build_host(), "-test.run", f"^{name}$", "-test.v"], cwd=tmp_path,
                         text=True, capture_output=True, timeout=300,
                         env=os.environ | {"LARDER_BIN": str(BINARY)})
    assert run.returncode == 0, run.stdout + run.stderr
    assert f"--- PASS: {name}" in run.stdout, run.stdout
