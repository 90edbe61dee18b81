"""Jaeger's own end-to-end tests of a storage backend, as its project runs them for its own."""

import os
import pathlib
import re
import socket
import subprocess

import pytest

from harness.jaeger import VERSION, build_jaeger
from harness.larder import Larder

FIXED_PORTS = (4317, 4318, 8888, 13133, 16685, 16686)


def skip_when_ports_are_taken():
    for port in FIXED_PORTS:
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                pytest.skip(f"Jaeger's tests need port {port}, which another program has")


def test_grpc_storage(tmp_path):
    suite = pathlib.Path(build_jaeger(), f"suite-{VERSION}/cmd/jaeger/internal/integration")
    skip_when_ports_are_taken()
    larder = Larder(tmp_path, "--enable-purge")
    try:
        result = subprocess.run(
            ["./integration.test", "-test.run", "^TestGRPCStorage$", "-test.v",
             "-test.timeout", "9m"],
            cwd=suite, capture_output=True, text=True, timeout=600,
            env=os.environ | {
                "STORAGE": "grpc", "CUSTOM_STORAGE": "true",
                "REMOTE_STORAGE_ENDPOINT": larder.grpc_address,
                "REMOTE_STORAGE_WRITER_ENDPOINT": larder.grpc_address,
                "PURGER_ENDPOINT": larder.admin_url + "/purge"})
        (tmp_path / "suite.log").write_text(result.stdout + result.stderr)
        passed = re.findall(r"--- PASS: TestGRPCStorage/(\S+)", result.stdout)
        failed = re.findall(r"--- FAIL: TestGRPCStorage/(\S+)", result.stdout)
        # Not the exit code: the suite's leak check also counts its idle connection to /purge,
        # which ends with the process when the store is a part of Jaeger.
        assert "--- PASS: TestGRPCStorage (" in result.stdout and not failed, (
            f"{failed}, see {tmp_path}/suite.log")
        assert len(passed) >= 25, passed
    finally:
        larder.stop()
