"""Checks the rules of this tree that no compiler checks, and prints each breach as FILE:LINE: why.

    tidy.py [ROOT]

The rules are the functions named `check_*`; a new one is found by its name. Runs as a unit test.
"""

import pathlib
import re
import subprocess
import sys

# Includes point down only: a folder may include itself and folders of a lower rank. A sub-folder
# that is named here stands before the folder around it; so does a header with its source, which is
# named without its ending.
RANKS = {
    "storage/base": 0,
    "storage/model": 1,
    "storage/bitmap": 2,
    "storage/filter": 2,
    "storage/kv": 2,
    "storage/journal": 2,
    "storage/segment/encoding": 3,
    "storage/segment/page": 3,
    "storage/segment/source": 3,
    "storage/segment/format": 4,
    "storage/segment/table": 4,
    "storage/segment/reader": 5,
    "storage/segment/writer": 5,
    "storage/segment/index": 6,
    "storage/segment/search": 7,
    "storage/segment": 8,
    "storage/query/answer": 9,
    "storage/query/shards": 9,
    "storage/query/cold/cold_tier": 10,
    "storage/query/query_context": 10,
    "storage/query/view": 11,
    "storage/query/facts": 12,
    "storage/query/edges": 13,
    "storage/query/index": 14,
    "storage/query/spans": 15,
    "storage/query/traces": 16,
    "storage/query/cold": 17,
    "storage/query/calls": 18,
    "storage/query": 19,
    "storage/engine": 20,
    "tiering": 21,
    "plugin": 22,
    "bench": 23,
    "tests": 23,
    "tools": 23,
}
TOP_RANK = max(RANKS.values())  # These may use anything, and nobody uses them.

# A vendor's headers, by prefix, and the only places that may include them.
VENDOR_OWNERS = {
    "rocksdb/": ("storage/kv/",),
    "roaring/": ("storage/bitmap/",),
    "grpc": ("plugin/", "bench/"),
    "google/protobuf/": ("plugin/",),
    "httplib.h": ("plugin/", "tiering/"),
    "nlohmann/": ("plugin/", "tiering/", "tests/filter/"),
    "yaml-cpp/": ("plugin/",),
    "flatbuffers/": ("storage/segment/", "storage/engine/"),
    "utf8proc.h": ("storage/model/",),
    "re2/": ("storage/model/",),
    "zstd": ("storage/", "tiering/"),
    "lz4": ("tiering/",),
    "curl/": ("tiering/sls/",),
    "xxhash.h": ("storage/base/",),
    "protozero/": ("storage/", "tiering/", "plugin/"),
}

BANNED = {
    r"\bstd::(recursive_|shared_)?mutex\b": "use Mutex of storage/base/mutex.h, which clang checks",
    r"\bstd::regex\b": "use RE2, which is linear in its input",
    r"\bthrow\b": "return a Status",
    r"\b(TODO|FIXME|XXX)\b": "do it, or file an issue",
    r"\busing namespace\b": "name what is used",
    r"(?<![_\w])assert\(": "use LARDER_CHECK, which stays in release builds",
    r"\bstd::endl\b": "use '\\n'",
}
# The one place where a banned word is at home.
BANNED_EXCEPT = {"storage/base/mutex.h"}

FILE_LINES_MAX = 600
FUNCTION_LINES_MAX = 70

MACHINE_PATHS = re.compile(
    r"/(?:work|root|home/\w+)/[\w.]"
    r"|proxy\.golang\.org|registry\.npmjs\.org|repo1?\.maven\.|pypi\.org|deb\.debian\.org")


class Tree:
    """The tracked and the not yet tracked files below a root, ignored ones left out."""

    def __init__(self, root):
        self.root = pathlib.Path(root)
        names = subprocess.run(
            ["git", "ls-files", "-co", "--exclude-standard", "--deduplicate"],
            cwd=root, check=True, capture_output=True, text=True).stdout.splitlines()
        self.names = sorted(name for name in names if (self.root / name).is_file())

    def sources(self, *suffixes):
        return [name for name in self.names if name.endswith(suffixes or (".h", ".cc"))]

    def lines(self, name):
        text = (self.root / name).read_text(encoding="utf-8", errors="replace")
        return list(enumerate(text.splitlines(), 1))


def folder_of(name):
    """The ranked folder that a file belongs to, or None."""
    for folder in RANKS:
        if name.startswith((folder + "/", folder + ".")):
            return folder
    return None


def is_test(name):
    return name.endswith(("_test.cc", "_fuzz.cc", "_bench.cc")) or RANKS.get(folder_of(name)) == TOP_RANK


def without_strings_and_comments(line):
    line = re.sub(r'"(?:\\.|[^"\\])*"', '""', line)
    return re.sub(r"//.*", "", line)


def check_layers(tree):
    for name in tree.sources():
        folder = folder_of(name)
        for number, line in tree.lines(name):
            match = re.match(r'#include "([^"]+)"', line)
            other = match and folder_of(match[1])
            if not other or other == folder or folder is None or is_test(name):
                continue
            if RANKS[other] >= RANKS[folder]:
                yield name, number, f"{folder} must not include {other}: includes point down"


def check_vendor_headers(tree):
    for name in tree.sources():
        if is_test(name):
            continue
        for number, line in tree.lines(name):
            match = re.match(r'#include [<"]([^>"]+)[>"]', line)
            for prefix, owners in VENDOR_OWNERS.items():
                if match and match[1].startswith(prefix) and not name.startswith(owners):
                    yield name, number, f"{match[1]} belongs to {' and '.join(owners)} alone"


def check_banned_words(tree):
    for name in tree.sources():
        if name in BANNED_EXCEPT:
            continue
        for number, line in tree.lines(name):
            comment = line.partition("//")[2]
            for word, instead in BANNED.items():
                text = comment + without_strings_and_comments(line) if "TODO" in word else (
                    without_strings_and_comments(line))
                if re.search(word, text):
                    yield name, number, f"'{re.search(word, text)[0]}': {instead}"


def check_file_size(tree):
    for name in tree.sources(".h", ".cc", ".py", ".sh"):
        count = len(tree.lines(name))
        if count > FILE_LINES_MAX:
            yield name, count, f"{count} lines; split by idea below {FILE_LINES_MAX}"


def check_function_size(tree):
    """Relies on clang-format: a closing brace stands under the first line of its function."""
    for name in tree.sources():
        starts = {}  # Indentation: number of the last line that began there.
        for number, line in tree.lines(name):
            indent = len(line) - len(line.lstrip())
            if indent > 2 or not line.strip() or line.startswith("#"):
                continue
            if line.strip() == "}" and number - starts.get(indent, number) > FUNCTION_LINES_MAX:
                yield name, starts[indent], (f"function of {number - starts[indent]} lines; "
                                             f"split it below {FUNCTION_LINES_MAX}")
            if not line.lstrip().startswith("}"):
                starts[indent] = number


def check_headers_have_a_guard(tree):
    for name in tree.sources(".h"):
        if not any(line == "#pragma once" for _, line in tree.lines(name)):
            yield name, 1, "no #pragma once"


def check_sources_are_listed(tree):
    """A test listed nowhere is not a test."""
    for name in tree.sources(".cc"):
        for folder in pathlib.PurePosixPath(name).parents:
            cmake = tree.root / folder / "CMakeLists.txt"
            relative = str(pathlib.PurePosixPath(name).relative_to(folder))
            if cmake.is_file() and re.search(rf"(?<![\w/]){re.escape(relative)}\b",
                                             cmake.read_text()):
                break
        else:
            yield name, 1, "listed in no CMakeLists.txt"


def check_machine_paths(tree):
    for name in tree.names:
        if name in ("LICENSE", "tools/tidy.py") or name.endswith((".bin", ".zst")):
            continue
        for number, line in tree.lines(name):
            match = MACHINE_PATHS.search(line)
            if match:
                yield name, number, f"'{match[0]}' is a fact of one machine"


def check_links(tree):
    """Relative links of Markdown pages lead to files that exist."""
    for name in tree.sources(".md"):
        for number, line in tree.lines(name):
            for target in re.findall(r"\]\(([^)#\s]+)[^)]*\)", line):
                if "://" not in target and not (tree.root / name).parent.joinpath(target).exists():
                    yield name, number, f"link to {target}, which is not there"


def main():
    default_root = pathlib.Path(__file__).resolve().parent.parent
    tree = Tree(sys.argv[1] if len(sys.argv) > 1 else default_root)
    breaches = 0
    for rule in [value for key, value in globals().items() if key.startswith("check_")]:
        for name, number, why in rule(tree):
            print(f"{name}:{number}: {why}")
            breaches += 1
    print(f"tidy: {len(tree.names)} files, {breaches} breaches")
    return 1 if breaches else 0


if __name__ == "__main__":
    sys.exit(main())
