#!/usr/bin/env python3
"""What the cold tier costs over SLS: spans are stored, then brought to the stand-in for SLS, verified and evicted.

    tools/python.sh                                # prints the python that has what this needs
    PYTHON bench/tier_to_sls.py [FLAG...]          FLAGs go to `larder-bench ingest` (--spans=300k)

Wants `larder` and `larder-bench` in build/release (LARDER_BUILD names another folder). LARDER_CAPTURE is replayed
when it is set. The stand-in is Python and slow, so no figure here is a time that passed: they are CPU time of the
server, bytes, and requests.
"""

import os
import pathlib
import shutil
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parents[1]
BUILD = ROOT / os.environ.get("LARDER_BUILD", "build/release")
os.environ["LARDER_BIN"] = str(BUILD / "plugin/larder")
sys.path[:0] = [str(ROOT / "tests"), str(ROOT / "tests/e2e")]

from harness.larder import Larder  # noqa: E402
from harness.process import wait_until  # noqa: E402
from harness.sls_double import SlsDouble  # noqa: E402
from harness.tiers import sls_settings  # noqa: E402



def cpu_seconds(larder):
    fields = pathlib.Path(f"/proc/{larder.program.process.pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def store(larder, flags):
    command = [BUILD / "bench/larder-bench", "ingest", f"--server={larder.grpc_address}",
               f"--server-pid={larder.program.process.pid}", *flags]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)


def bring(folder, data, double, compression):
    """The server's figures from its start until the tier alone has every span of a copy of `data`."""
    before = double.counts()
    shutil.copytree(data, folder / "data")
    larder = Larder(folder, "--partition.time", "1s", "--tier.after", "0s", "--tier.evict-after", "1ms",
                    "--tier.rate-max", "1GiB", *sls_settings(
                        double, folder, "--tier.sls.instance", "shop", "--tier.sls.create",
                        "--tier.sls.compression", compression))
    count = larder.metric("larder_stored_spans") + larder.metric("larder_cold_spans")
    wait_until(lambda: larder.metric("larder_cold_spans") == count and not larder.metric("larder_stored_spans"),
               "every span to be in the tier alone", 3600)
    assert larder.metric("larder_tier_spans_uploaded_total") == count
    assert larder.metric("larder_tier_packs_resent_total") == 0
    result = {"spans": int(count), "cpu": cpu_seconds(larder),
              "mover cpu": larder.metric("larder_tier_cpu_seconds_total"),
              "wire bytes": larder.metric("larder_tier_uploaded_bytes_total"),
              "local bytes": larder.metric("larder_cold_local_bytes")}
    assert larder.stop() == 0, larder.program.log_tail()
    after = double.counts()
    result["requests"] = {what: count - before.get(what, 0) for what, count in after.items()
                          if count != before.get(what, 0)}
    return result


def bodies(double):
    """Bytes of the uploads among the last 1,000 requests, and how many those are."""
    sizes = [each["body_size"] for each in double.client.admin("GET", "requests")["last"] if each["op"] == "PutLogs"]
    return sum(sizes), len(sizes)


def show(title, result):
    spans = result["spans"]
    requests = result["requests"]
    print(f"{title}: {spans} spans")
    print(f"  spans/s for a core, packing and sending   {spans / result['mover cpu']:12,.0f}")
    print(f"  spans/s for a core, the whole server      {spans / result['cpu']:12,.0f}")
    print(f"  bytes per span on the wire (bodies)       {result['wire bytes'] / spans:12,.0f}")
    print(f"  bytes per span that stay on the disk      {result['local bytes'] / spans:12,.1f}")
    for what, count in sorted(requests.items()):
        print(f"  {what + ' for a million spans':41} {count * 1e6 / spans:12,.0f}")
    print(flush=True)


def run(work, title, data, compression):
    folder = pathlib.Path(tempfile.mkdtemp(dir=work))
    double = SlsDouble(folder)
    try:
        result = bring(folder, data, double, compression)
        arrived, puts = bodies(double)
        if puts == result["requests"].get("PutLogs 200"):
            assert arrived == result["wire bytes"]
        show(title, result)
    finally:
        double.kill()
    shutil.rmtree(folder)


def main():
    with tempfile.TemporaryDirectory() as work:
        folder = pathlib.Path(work) / "hot"
        folder.mkdir()
        larder = Larder(folder)
        store(larder, sys.argv[1:] or ["--spans=300k"])
        assert larder.stop() == 0, larder.program.log_tail()
        for compression in ("lz4", "zstd"):
            run(work, compression, folder / "data", compression)


if __name__ == "__main__":
    main()
