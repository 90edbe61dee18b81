"""The bundle runs where there is nothing else: in an empty directory that a process takes for /."""

import os
import shutil
import subprocess

import pytest

from harness.jaeger_v1 import OLDEST, JaegerV1
from harness.larder import BINARY, Larder
from harness.otlp import TraceMaker, request
from harness.process import ROOT, wait_until
from harness.v1_shop import check_reads, write_native_shop

LAUNCHER = BINARY.parent / "bundle/larder-launcher"


@pytest.fixture(scope="module")
def bundle(tmp_path_factory):
    folder = tmp_path_factory.mktemp("bundle") / "bundle"
    subprocess.run([ROOT / "tools/bundle.sh", BINARY, LAUNCHER, folder], check=True)
    return folder


@pytest.fixture
def root(bundle, tmp_path):
    """A directory with the bundle, a place for data and one for sockets: no C library, no shell,
    not even /proc or /dev."""
    if os.geteuid() != 0:
        pytest.skip("only root may chroot")
    shutil.copytree(bundle, tmp_path / "root/plugin")
    for name in ("data", "tmp"):
        (tmp_path / "root" / name).mkdir()
    return tmp_path / "root"


def test_serves_in_an_empty_root(root):
    larder = Larder(root, command=("chroot", root, "/plugin/larder"), data_dir="/data/larder")
    make = TraceMaker("empty root")
    trace_id = make.trace_id()
    larder.export(request("shop", [make.span(trace_id, f"step {n}") for n in range(3)]))
    assert len(larder.spans_of(trace_id)) == 3
    larder.kill()
    larder.start()
    assert len(larder.spans_of(trace_id)) == 3
    assert larder.stop() == 0, larder.program.log_tail()
    assert sorted(os.listdir(root)) == ["data", "larder.log", "plugin", "tmp"]


# As in the images of Jaeger v1, which have another C library or none.
def test_is_the_sidecar_of_a_jaeger_in_an_empty_root(root, tmp_path):
    def start():
        return JaegerV1(tmp_path, OLDEST, "--grpc-storage-plugin.binary=/plugin/larder", root=root,
                        SPAN_STORAGE_TYPE="grpc-plugin", TMPDIR="/tmp",
                        LARDER_DATA_DIR="/data/larder")

    jaeger = start()
    try:
        trace_id, root_id = write_native_shop(jaeger, "chroot")
        check_reads(jaeger, "chroot", trace_id, root_id)
        [socket] = (root / "tmp").glob("larder-plugin-*")
        jaeger.stop()
        wait_until(lambda: not socket.exists(), "the sidecar to leave", 10)
        jaeger = start()
        check_reads(jaeger, "chroot", trace_id, root_id)
    finally:
        jaeger.kill()
