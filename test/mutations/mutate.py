# SPDX-License-Identifier: Apache-2.0
"""Breaks the product on purpose, one patch at a time, and sees that tests find it, for
scripts/mutate.

A patch of this folder begins with what it breaks, and names the tests that find it, one a line:
    Found-by: TEST PROGRAM: TEST CASE
Everything is done in a copy of the tree, build/mutate, which is kept: the next run builds less.
"""

import argparse
import re
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
COPY = ROOT / "build" / "mutate"
PRESET = "release"
TEST_SECONDS_MAX = 300


class Mutation:
    def __init__(self, path):
        text = path.read_text()
        head, self.diff = re.split(r"(?m)^(?=--- a/)", text, maxsplit=1)
        self.name = path.stem
        self.what = head.split("\n\n")[0].replace("\n", " ")
        self.tests = re.findall(r"(?m)^Found-by: (\S+): (.+)$", head)
        if not self.tests:
            raise SystemExit(f"{path.name} names no test")

    def apply(self, *options):
        command = ["patch", "-p1", "--fuzz=1", "--silent", "--force", "--no-backup-if-mismatch"]
        done = subprocess.run([*command, *options], cwd=COPY, input=self.diff, text=True,
                              capture_output=True, check=False)
        if done.returncode != 0:
            raise RuntimeError(f"the patch does not apply any more: {done.stdout.strip()}")


def run(*command, **options):
    return subprocess.run(command, cwd=COPY, capture_output=True, text=True, check=False,
                          stdin=subprocess.DEVNULL, errors="replace", **options)


def copy_tree(paths):
    """Writes only what differs, so that the build sees only what changed."""
    COPY.mkdir(parents=True, exist_ok=True)
    for path in paths:
        source, target = ROOT / path, COPY / path
        if target.is_file() and target.read_bytes() == source.read_bytes():
            continue
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(source, target)
    wanted = set(paths)
    for path in COPY.rglob("*"):
        name = path.relative_to(COPY).as_posix()
        if path.is_file() and not name.startswith("build/") and name not in wanted:
            path.unlink()


def build(targets):
    """What does not compile breaks nothing: that is the patch's fault."""
    if not (COPY / "build" / PRESET / "build.ninja").is_file():
        done = run("cmake", "--preset", PRESET)
        if done.returncode != 0:
            raise RuntimeError(f"cannot configure:\n{done.stdout[-3000:]}{done.stderr[-3000:]}")
    done = run("cmake", "--build", f"build/{PRESET}", "--target", *sorted(targets))
    if done.returncode != 0:
        raise RuntimeError(f"does not build:\n{done.stdout[-3000:]}")


def fails(program, case):
    """True if the test case fails, crashes or hangs."""
    pattern = re.sub(r"[,\\]", "*", case)
    try:
        done = run(f"build/{PRESET}/test/{program}", f"--test-case={pattern}",
                   timeout=TEST_SECONDS_MAX)
    except subprocess.TimeoutExpired:
        return True
    ran = re.search(r"test cases:\s+(\d+) \|", done.stdout)
    if done.returncode == 0 and (ran is None or int(ran[1]) == 0):
        raise RuntimeError(f"{program} has no test case '{case}'")
    return done.returncode != 0


def check_whole(mutations):
    """Unbroken, every named test passes; else its failure would say nothing."""
    build({program for mutation in mutations for program, _ in mutation.tests})
    for program, case in sorted({test for mutation in mutations for test in mutation.tests}):
        if fails(program, case):
            raise RuntimeError(f"{program}: '{case}' fails without any mutation")


def try_one(mutation):
    """The named tests that did not find it, of all."""
    mutation.apply()
    try:
        build({program for program, _ in mutation.tests})
        return [test for test in mutation.tests if not fails(*test)]
    finally:
        mutation.apply("--reverse")


def main():
    parser = argparse.ArgumentParser(prog="scripts/mutate")
    parser.add_argument("names", nargs="*", help="only these")
    parser.add_argument("--paths", required=True, help="file that lists the files of the tree")
    options = parser.parse_args()
    mutations = [Mutation(path) for path in sorted(Path(__file__).parent.glob("*.patch"))
                 if not options.names or path.stem in options.names]
    if not mutations:
        raise SystemExit("no such mutation")
    copy_tree(Path(options.paths).read_text().splitlines())
    print("the tests pass unbroken", end=" ", flush=True)
    check_whole(mutations)
    print("- yes\n", flush=True)
    wrong = 0
    for mutation in mutations:
        print(f"{mutation.name}: {mutation.what}", flush=True)
        try:
            missed = try_one(mutation)
        except RuntimeError as error:
            print(f"  ERROR {error}", flush=True)
            wrong += 1
            continue
        for test in mutation.tests:
            verdict = "MISSED by" if test in missed else "found by"
            print(f"  {verdict} {': '.join(test)}", flush=True)
        wrong += bool(missed)
    right = len(mutations) - wrong
    print(f"\n{len(mutations)} mutations, {right} found by every test named for them")
    return 1 if wrong else 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except RuntimeError as error:
        sys.exit(f"scripts/mutate: {error}")
