"""Plants one breach of each rule of tidy.py in a small tree and expects each to be named."""

import pathlib
import subprocess
import sys
import tempfile
import unittest

TIDY = pathlib.Path(__file__).resolve().parent / "tidy.py"

CLEAN = {
    "storage/base/a.h": "#pragma once\n",
    "storage/model/b.cc": '#include "storage/base/a.h"\n',
    "storage/model/CMakeLists.txt": "larder_library(model SOURCES b.cc)\n",
    "bench/d.cc": '#include "tests/support/e.h"\n#include <zstd.h>\n',
    "bench/CMakeLists.txt": "add_executable(d d.cc)\n",
    "README.md": "[the map](storage/model/b.cc)\n",
}

BREACHES = {
    "layers": ("storage/base/a.h", '#pragma once\n#include "storage/model/b.h"\n', "point down"),
    "layers inside a folder": (
        "storage/query/view.h", '#pragma once\n#include "storage/query/edges/e.h"\n', "point down"),
    "layers above storage": ("plugin/p.h", '#pragma once\n#include "bench/d.h"\n', "point down"),
    "vendor": ("storage/model/b.cc", "#include <rocksdb/db.h>\n", "storage/kv/ alone"),
    "banned word": ("storage/model/b.cc", "std::mutex mu;\n", "use Mutex"),
    "banned word in comment": ("storage/model/b.cc", "// TODO later\n", "do it"),
    "file size": ("storage/model/b.cc", "int a;\n" * 601, "split by idea"),
    "function size": ("storage/model/b.cc", "void F() {\n" + "  G();\n" * 71 + "}\n", "split it"),
    "guard": ("storage/base/a.h", "int a;\n", "pragma once"),
    "unlisted": ("storage/model/c.cc", "int a;\n", "listed in no CMakeLists.txt"),
    "machine path": ("README.md", "see /ro" + "ot/notes\n", "one machine"),
    "dead link": ("README.md", "[gone](gone.md)\n", "not there"),
}


def run_tidy(files):
    with tempfile.TemporaryDirectory() as root:
        for name, text in files.items():
            path = pathlib.Path(root, name)
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
        subprocess.run(["git", "init", "-q", root], check=True)
        return subprocess.run([sys.executable, TIDY, root], capture_output=True, text=True)


class TidyTest(unittest.TestCase):
    def test_clean_tree_passes(self):
        result = run_tidy(CLEAN)
        self.assertEqual(result.returncode, 0, result.stdout + result.stderr)

    def test_each_breach_is_named(self):
        for rule, (name, text, expected) in BREACHES.items():
            with self.subTest(rule):
                result = run_tidy(CLEAN | {name: text})
                self.assertEqual(result.returncode, 1, result.stdout + result.stderr)
                self.assertIn(expected, result.stdout)
                self.assertIn(name + ":", result.stdout)


if __name__ == "__main__":
    unittest.main()
