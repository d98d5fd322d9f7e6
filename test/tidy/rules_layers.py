# SPDX-License-Identifier: Apache-2.0
"""Rules about who may include whom."""

import re

import cmake_scan
import cpp_scan
from tree import rule

# Lowest first. A library may include its own layer and lower ones; the last layer holds the
# adapters, which know nothing of each other.
LAYERS = [
    {"base"},
    {"obs", "codec", "crypto", "config", "jail", "guest"},
    {"domain"},
    {"event_log", "store", "sandbox", "http", "wire", "hosting"},
    {"runtime", "sealing", "live_output"},
    {"log_embedded", "kafka", "store_rocksdb", "store_dir", "store_s3", "sandbox_jail",
     "sandbox_qemu", "http_beast"},
]
ADAPTERS = LAYERS[-1]
LEVEL = {library: level for level, libraries in enumerate(LAYERS) for library in libraries}

# Services whose programs are small on purpose, and all they may know. The jailer is privileged;
# the agent stands inside the sandbox, and takes from jail how to drop capabilities and which
# descriptor the jailer hands it.
SMALL_SERVICES = {"services/jailer/": {"base", "jail"},
                  "services/agent/": {"base", "guest", "jail"}}
WIRING = "services/sandtrail/"

# What a third-party include begins with, and the folders that may have it. The first match counts.
FENCES = [
    (r"boost/json(?:/|\.hpp)", ["libs/codec/", "test/bench/"]),
    (r"boost/", ["libs/http_beast/"]),
    (r"rocksdb/", ["libs/log_embedded/", "libs/store_rocksdb/", "test/bench/", "test/contract/"]),
    (r"librdkafka/|rdkafka", ["libs/kafka/", "test/bench/", "test/unit/kafka/"]),
    (r"openssl/", ["libs/crypto/", "libs/http_beast/", "test/contract/"]),
    (r"curl/", ["libs/store_s3/"]),
    (r"simdjson", ["libs/codec/", "test/bench/"]),
    (r"spdlog/|prometheus/", ["libs/obs/"]),
    (r"toml\+\+/|toml\.hpp", ["libs/config/"]),
    (r"seccomp\.h", ["libs/jail/"]),
    (r"CLI/", ["services/"]),
]


def _fence_of(name):
    for pattern, folders in FENCES:
        if re.match(pattern, name):
            return folders
    return None


@rule("third-party")
def third_party(tree):
    """A dependency known in one place can be replaced there, and its compile time is paid there."""
    for path in tree.cpp:
        for line, name, _ in cpp_scan.includes(tree.text(path)):
            folders = _fence_of(name)
            if folders is not None and not path.startswith(tuple(folders)):
                allowed = ", ".join(folders) or "nowhere"
                yield path, line, f"<{name}> belongs into: {allowed}"


@rule("third-party-header")
def third_party_header(tree):
    """A public header with a third-party type in it makes every user depend on that library."""
    for path in tree.cpp:
        if not re.match(r"libs/[^/]+/include/", path):
            continue
        for line, name, _ in cpp_scan.includes(tree.text(path)):
            if _fence_of(name) is not None:
                yield path, line, f"a public header includes <{name}>; hide it in a source file"


def _library_includes(tree, path):
    """Yields (line, library) of the includes of public headers of our libraries."""
    for line, name, quoted in cpp_scan.includes(tree.text(path)):
        folder = name.split("/")[0]
        if quoted and "/" in name and folder in tree.libraries:
            yield line, folder


def _library_files(tree):
    """Yields (path, library) of the C++ files below libs/."""
    for path in tree.cpp:
        if path.startswith("libs/"):
            yield path, path.split("/")[1]


@rule("layer")
def layer(tree):
    """Lower layers outlive higher ones; a library that knows only what is below it can be read,
    tested and kept alone."""
    for library in tree.libraries:
        if library not in LEVEL:
            yield f"libs/{library}/CMakeLists.txt", 1, (
                f"'{library}' is in no layer; add it to LAYERS in test/tidy/rules_layers.py")
    for path, library in _library_files(tree):
        for line, other in _library_includes(tree, path):
            if other == library or library not in LEVEL or other not in LEVEL:
                continue
            if LEVEL[other] > LEVEL[library]:
                yield path, line, (
                    f"{library} (L{LEVEL[library]}) includes {other} (L{LEVEL[other]})")
            elif library in ADAPTERS and other in ADAPTERS:
                yield path, line, f"the adapter {library} includes the adapter {other}"


@rule("adapter")
def adapter(tree):
    """Only the wiring and the tests know adapters; all other code knows ports."""
    for path in tree.below("services/"):
        if path not in tree.cpp or path.startswith(WIRING):
            continue
        for line, other in _library_includes(tree, path):
            if other in ADAPTERS:
                yield path, line, f"the adapter {other} is wired in {WIRING} only; take its port"


@rule("service")
def service(tree):
    """Roles meet in the log, so they need not know each other; small programs stay small."""
    services = {path.split("/")[1] for path in tree.below("services/") if path.count("/") > 1}
    for path in tree.below("services/"):
        if path not in tree.cpp or path.startswith(WIRING):
            continue
        own = path.split("/")[1]
        small = next((known for at, known in SMALL_SERVICES.items() if path.startswith(at)), None)
        for line, name, quoted in cpp_scan.includes(tree.text(path)):
            other = name.split("/")[0]
            if not quoted or "/" not in name or other == own:
                continue
            if small is not None and other in tree.libraries and other not in small:
                yield path, line, f"{own} may know only {', '.join(sorted(small))}; not {other}"
            elif other in services and other not in tree.libraries:
                yield path, line, f"{own} includes {other}; a role knows no other role"


def _edges(tree):
    """{library: {other: (path, line) of the first include}}"""
    edges = {library: {} for library in tree.libraries}
    for path, library in _library_files(tree):
        for line, other in _library_includes(tree, path):
            if other != library:
                edges[library].setdefault(other, (path, line))
    return edges


@rule("library-cycle")
def library_cycle(tree):
    """Libraries in a cycle are one library that pretends to be several."""
    edges = _edges(tree)
    done = set()

    def visit(library, trail):
        if library in done:
            return
        for other in sorted(edges[library]):
            if other in trail:
                cycle = trail[trail.index(other):] + [other]
                path, line = edges[library][other]
                yield path, line, "cycle: " + " -> ".join(cycle)
            else:
                yield from visit(other, trail + [other])
        done.add(library)

    for library in sorted(edges):
        yield from visit(library, [library])


@rule("declared-dependency")
def declared_dependency(tree):
    """The DEPS of a library are its list of dependencies: complete, and nothing more."""
    edges = _edges(tree)
    for library in tree.declared_libraries:
        declared = cmake_scan.declared_dependencies(tree, library)
        for other, (path, line) in sorted(edges[library].items()):
            if other not in declared:
                yield path, line, f"add {other} to DEPS in libs/{library}/CMakeLists.txt"
        for other in sorted(declared & set(tree.libraries) - set(edges[library])):
            yield f"libs/{library}/CMakeLists.txt", 1, f"DEPS names {other}, which nothing includes"
