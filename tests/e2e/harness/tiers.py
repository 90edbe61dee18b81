"""The kinds of cold tier as tests need them: the settings of a store, and a tier that goes away."""

import contextlib
import subprocess

from harness.larder import BINARY
from harness.sls_double import KEY_ID, PROJECT, SECRET, SlsDouble


class DirectoryTier:
    def __init__(self, folder):
        self.folder = folder
        self.settings = ("--tier.kind", "directory", "--tier.directory", str(folder))
        subprocess.run([BINARY, "tier", "check", "--create", *self.settings], check=True)

    @contextlib.contextmanager
    def away(self):
        mark = self.folder / "LARDER-TIER"
        hidden = mark.rename(self.folder / "away")
        try:
            yield
        finally:
            hidden.rename(mark)

    def stop(self):
        pass


class SlsTier:
    """A Logstore of the stand-in for SLS, made by the store that uses it."""

    def __init__(self, folder):
        self.double = SlsDouble(folder)
        self.settings = sls_settings(self.double, folder, "--tier.sls.instance", "shop",
                                     "--tier.sls.create")

    @contextlib.contextmanager
    def away(self):
        self.double.kill()
        try:
            yield
        finally:
            self.double.start()

    def stop(self):
        self.double.kill()


def sls_settings(double, folder, *more):
    """Settings of a store whose tier is SLS; `more` names the Logstore."""
    secret = folder / "secret"
    secret.write_text(SECRET)
    return ("--tier.kind", "sls", "--tier.sls.endpoint", f"http://{double.address}",
            "--tier.sls.project", PROJECT, "--tier.sls.access-key-id", KEY_ID,
            "--tier.sls.access-key-secret-file", str(secret), *more)


KINDS = {"directory": DirectoryTier, "sls": SlsTier}
