"""Adds up the JUnit reports of a test run and prints `N passed, N failed` as its last line.

    count_tests.py REPORT_DIR [FAILED_STAGE...]

A stage that failed without a failed test in its report (it did not build, say) counts as one
failure. Exit code 0 only when nothing failed and something ran; with CI=true a skip is a failure.
"""

import os
import pathlib
import re
import sys
import xml.etree.ElementTree as xml


def read_report(path):
    """Returns (passed, failed, skipped) as lists of test names."""
    passed, failed, skipped = [], [], []
    for case in xml.parse(path).iter("testcase"):
        name = f"{path.stem}: {case.get('classname', '')} {case.get('name')}"
        tags = {child.tag for child in case}
        # A GoogleTest program passes with tests that it skipped; it names them on such lines.
        output = case.findtext("system-out") or ""
        skipped += [f"{name}: {each}" for each in re.findall(
            r"^\[  SKIPPED \] (\w\S*\.\S+)$", output, re.MULTILINE)]
        if tags & {"failure", "error"}:
            failed.append(name)
        elif "skipped" in tags or case.get("status") == "disabled":
            skipped.append(name)
        else:
            passed.append(name)
    return passed, failed, skipped


def main():
    report_dir, failed_stages = pathlib.Path(sys.argv[1]), set(sys.argv[2:])
    passed, failed, skipped = [], [], []
    for path in sorted(report_dir.glob("*.xml")):
        report = read_report(path)
        for total, part in zip((passed, failed, skipped), report):
            total += part
        if report[1]:
            failed_stages.discard(path.stem)
    failed += [f"{stage}: the stage itself (see above)" for stage in sorted(failed_stages)]
    if os.environ.get("CI") == "true":
        failed += [f"{name} (skipped)" for name in skipped]
        skipped = []

    for name in skipped:
        print(f"skipped  {name}")
    for name in failed:
        print(f"FAILED   {name}")
    print(f"{len(passed)} passed, {len(failed)} failed" +
          (f", {len(skipped)} skipped" if skipped else ""))
    return 0 if passed and not failed else 1


if __name__ == "__main__":
    sys.exit(main())
