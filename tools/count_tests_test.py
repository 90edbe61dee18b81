"""What count_tests.py says about small reports."""

import os
import pathlib
import subprocess
import sys
import tempfile
import unittest

COUNT = pathlib.Path(__file__).resolve().parent / "count_tests.py"
PASSED = '<testcase name="a"/>'
FAILED = '<testcase name="b"><failure/></testcase>'
SKIPPED = '<testcase name="c"><skipped/></testcase>'
SKIPPED_INSIDE = ('<testcase name="d"><system-out>[  SKIPPED ] Disk.Full (0 ms)\n'
                  '[  SKIPPED ] 1 test, listed below:\n[  SKIPPED ] Disk.Full\n'
                  '</system-out></testcase>')


def count(cases, failed_stages=(), ci="false"):
    """Returns (exit code, last line) for one report named `unit`."""
    with tempfile.TemporaryDirectory() as folder:
        pathlib.Path(folder, "unit.xml").write_text(f"<testsuite>{''.join(cases)}</testsuite>")
        result = subprocess.run([sys.executable, COUNT, folder, *failed_stages], text=True,
                                capture_output=True, env=os.environ | {"CI": ci})
    return result.returncode, result.stdout.splitlines()[-1]


class CountTestsTest(unittest.TestCase):
    def test_all_passed(self):
        self.assertEqual(count([PASSED, PASSED]), (0, "2 passed, 0 failed"))

    def test_a_failure_fails(self):
        self.assertEqual(count([PASSED, FAILED], ["unit"]), (1, "1 passed, 1 failed"))

    def test_a_stage_that_failed_without_a_report_counts(self):
        self.assertEqual(count([PASSED], ["asan"]), (1, "1 passed, 1 failed"))

    def test_nothing_ran_fails(self):
        self.assertEqual(count([]), (1, "0 passed, 0 failed"))

    def test_a_skip_is_a_failure_in_ci_alone(self):
        for skip in (SKIPPED, SKIPPED_INSIDE):
            code, line = count([PASSED, skip])
            self.assertEqual((code, line.split(", ", 1)[1]), (0, "0 failed, 1 skipped"))
            code, line = count([PASSED, skip], ci="true")
            self.assertEqual((code, line.split(", ", 1)[1]), (1, "1 failed"))


if __name__ == "__main__":
    unittest.main()
