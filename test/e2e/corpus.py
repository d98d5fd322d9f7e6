# SPDX-License-Identifier: Apache-2.0
"""Real programs and what becomes of each: the tables in corpus/.

A program has a name and either language and code, or command; and what the API takes beside them
(args, stdin, stdin_base64, files, env, limits). stdin_repeat = [text, times] is a long stdin. What
it must come to: verdict ("ok" unless given; verdicts, where the host's speed decides), exit_code
(0 if ok), signal, stdout, stderr (exact), stdout_like, stderr_like (searched), stdout_base64,
stdout_bytes, stderr_bytes, truncated, evidence (names).
"""

import re
import tomllib
from dataclasses import dataclass
from pathlib import Path

FOLDER = Path(__file__).parent / "corpus"
REQUEST = ("language", "code", "command", "args", "stdin", "stdin_base64", "files", "env", "limits")
EXPECTED = ("verdict", "verdicts", "exit_code", "signal", "stdout", "stderr", "stdout_like",
            "stderr_like", "stdout_base64", "stdout_bytes", "stderr_bytes", "truncated",
            "evidence")
WALL_MS = 30_000  # for programs that end by themselves: never the reason on a slow machine


@dataclass(frozen=True)
class Program:
    name: str
    group: str
    row: dict

    def request(self):
        body = {name: self.row[name] for name in REQUEST if name in self.row}
        body["limits"] = {"wall_ms": WALL_MS} | self.row.get("limits", {})
        if "stdin_repeat" in self.row:
            text, times = self.row["stdin_repeat"]
            body["stdin"] = text * times
        body["metadata"] = {"program": self.name, "group": self.group}
        return body

    def faults(self, result):
        """What in a result is not as it must be; empty: nothing."""
        if result["status"] != "finished":
            return [f"status {result['status']}: {result.get('rejection')}"]
        row = self.row
        verdicts = row.get("verdicts", [row.get("verdict", "ok")])
        if result["verdict"] not in verdicts:
            return [f"verdict {result['verdict']} ({result['cause']}), not {verdicts}; exit code "
                    f"{result.get('exit_code')}, signal {result.get('signal')}; "
                    f"{result.get('evidence')}; stdout {result.get('stdout', '')[:200]!r}; "
                    f"stderr {result.get('stderr', '')[:300]!r}"]
        expected = {name: row[name] for name in EXPECTED if name in row}
        if verdicts == ["ok"]:
            expected["exit_code"] = 0
        found = {"truncated": result.get("stdout_truncated")} | result
        faults = [f"{name} is {found.get(name)!r:.300}, not {expected[name]!r:.300}"
                  for name in ("exit_code", "signal", "stdout", "stderr", "stdout_base64",
                               "stdout_bytes", "stderr_bytes", "truncated")
                  if name in expected and found.get(name) != expected[name]]
        for stream in ("stdout", "stderr"):
            pattern = expected.get(f"{stream}_like")
            if pattern and not re.search(pattern, result.get(stream, "")):
                faults.append(f"{stream} is {result.get(stream)!r:.300}, not like {pattern!r}")
        names = {item.partition("=")[0] for item in result.get("evidence", [])}
        faults += [f"no evidence of {name}" for name in expected.get("evidence", [])
                   if name not in names]
        return faults


def programs():
    found = []
    for path in sorted(FOLDER.glob("*.toml")):
        table = tomllib.loads(path.read_text(encoding="utf-8"))
        for row in table["program"]:
            unknown = set(row) - set(REQUEST) - set(EXPECTED) - {"name", "stdin_repeat"}
            assert not unknown, f"{path.name}: {row['name']}: {unknown}"
            found.append(Program(row["name"], path.stem, row))
    assert len({program.name for program in found}) == len(found), "names are unique"
    return found
