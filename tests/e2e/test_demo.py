"""The README's first command, with the binary under test instead of a release build."""

import os
import subprocess

from harness.larder import BINARY
from harness.process import ROOT, free_port


def test_demo_shows_a_trace_found_again(tmp_path):
    result = subprocess.run(
        [ROOT / "tools/run.sh", "--demo", "--once", "--data-dir", tmp_path / "data",
         "--grpc-listen", f"127.0.0.1:{free_port()}", "--admin-listen", f"127.0.0.1:{free_port()}"],
        env=os.environ | {"LARDER_BIN": str(BINARY)}, capture_output=True, text=True, timeout=600)
    assert result.returncode == 0, result.stdout + result.stderr
    for expected in ("POST /checkout", "charge card", "ERROR card declined",
                     "OTEL_EXPORTER_OTLP_ENDPOINT", "tools/jaeger/larder.yaml"):
        assert expected in result.stdout
