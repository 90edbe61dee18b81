"""The stand-in for SLS, as its script starts it."""

import re

from sls_double.client import Client

from harness.process import ROOT, Program, free_port

KEY_ID = "test-id"
SECRET = "test-secret"
PROJECT = "larder"


class SlsDouble:
    """One data directory and the process that serves it; restarts keep directory and port."""

    def __init__(self, folder):
        self.folder = folder
        self.address = f"127.0.0.1:{free_port()}"
        self.log = folder / "double.log"
        self.start()

    def start(self):
        starts = self._starts() + 1
        self.program = Program([ROOT / "tools/sls_double.sh", "--data-dir", self.folder / "sls",
                                "--listen", self.address], self.log,
                               lambda: self._starts() == starts)
        self.client = Client(self.address)

    def kill(self):
        self.program.kill()

    def counts(self):
        """{"OPERATION STATUS": requests since its start}."""
        return self.client.admin("GET", "requests")["counts"]

    def refusals(self):
        return {what: count for what, count in self.counts().items() if not what.endswith(" 200")}

    def _starts(self):
        return len(re.findall(r"listening on", self.log.read_text())) if self.log.exists() else 0
