#!/usr/bin/env python3
"""Judges what wstest found. A case passes if its behavior and its closing
behavior are each OK, or INFORMATIONAL after a clean close. All else fails:
NON-STRICT too, and a case that was selected and is not in the result.

    check.py --cases FILE ROLE=DIR...   FILE lists the cases that were selected
    check.py --self-test                whether all that is wrong is found

DIR has index.json and the reports that it names, by wstest, and may have
troubles.txt: what else went wrong, one a line. The last line printed is
'N passed, N failed'; the exit status is 1 if any failed or none passed.
"""

import collections
import contextlib
import io
import json
import os
import sys
import tempfile

TIMED = ("9.3.", "9.4.")


def order(case):
    return [int(part) if part.isdigit() else 0 for part in case.split(".")]


def read_json(path):
    with open(path, encoding="utf-8") as file:
        return json.load(file)


def read_lines(path):
    with open(path, encoding="utf-8") as file:
        return list(filter(None, file.read().splitlines()))


def reason(result, folder):
    """Why a case does not pass; None if it does."""
    behavior, closing = result.get("behavior"), result.get("behaviorClose")
    try:
        report = read_json(os.path.join(folder, result["reportfile"]))
        is_clean, why = report["wasClean"] is True, f"{report['result']} {report['resultClose']}"
    except (OSError, ValueError, KeyError, TypeError) as error:
        is_clean, why = False, f"no report ({error!r})"
    if behavior == closing == "OK":
        return None
    if {behavior, closing} <= {"OK", "INFORMATIONAL"} and is_clean:
        return None
    clean = "clean" if is_clean else "not clean"
    code, duration = result.get("remoteCloseCode"), result.get("duration")
    return f"{behavior}, closing {closing} ({clean}, code {code}), after {duration} ms: {why}"


def judge(role, folder, wanted):
    """Prints what failed, and in what time; how many passed, and how many failed."""
    passed, failures = 0, []
    with contextlib.suppress(FileNotFoundError):
        failures += [f": {trouble}" for trouble in read_lines(os.path.join(folder, "troubles.txt"))]
    try:
        agents = read_json(os.path.join(folder, "index.json"))
        if len(agents) != 1:
            failures.append(f": the result has {len(agents)} agents, not one")
        results = {case: result for agent in agents.values() for case, result in agent.items()}
    except (OSError, ValueError, AttributeError) as error:
        failures.append(f": no result: {error!r}")
        results = {}
    if not wanted:
        failures.append(": no case was selected")

    missing = sorted(wanted - results.keys(), key=order)
    milliseconds = collections.Counter()
    for case in sorted(results, key=order):
        milliseconds[case.split(".")[0]] += results[case].get("duration", 0)
        if case not in wanted:
            failures.append(f" {case}: was not selected")
        elif why := reason(results[case], folder):
            failures.append(f" {case}: {why}")
        else:
            passed += 1

    for failure in failures:
        print(f"FAIL  Autobahn {role}{failure}")
    if missing:
        print(f"FAIL  Autobahn {role}: not in the result ({len(missing)}): {' '.join(missing)}")
    if failures or missing:
        print(f"Autobahn {role}: logs and reports (index.html) are in {folder}")
    seconds = [f"{category}.* {milliseconds[category] / 1000:.1f}" for category in sorted(milliseconds, key=int)]
    print(f"Autobahn {role}, seconds by category: {', '.join(seconds) or 'none'}")
    timed = [f"{case} {results[case].get('duration')}" for case in sorted(results, key=order) if case.startswith(TIMED)]
    if timed:
        print(f"Autobahn {role}, milliseconds: {', '.join(timed)}")
    return passed, len(failures) + len(missing)


def main(arguments):
    if len(arguments) < 3 or arguments[0] != "--cases" or not all("=" in pair for pair in arguments[2:]):
        print(__doc__, file=sys.stderr)
        return 2
    wanted = set(read_lines(arguments[1]))
    counts = {}
    for pair in arguments[2:]:
        role, folder = pair.split("=", 1)
        counts[role] = judge(role, folder, wanted)
    print()
    for role, (passed, failed) in counts.items():
        print(f"{'FAIL' if failed or not passed else 'ok  '}  Autobahn {role}: {passed} passed, {failed} failed")
    passed, failed = (sum(column) for column in zip(*counts.values()))
    print(f"{passed} passed, {failed} failed")
    return 1 if failed or not all(passed for passed, _ in counts.values()) else 0


# The self-test: one thing at a time is made wrong in a result that is good.

GOOD = {"behavior": "OK", "behaviorClose": "OK", "remoteCloseCode": 1000, "duration": 1}
SOME = {
    "1.1.1": GOOD,
    "7.1.6": {**GOOD, "behavior": "INFORMATIONAL", "behaviorClose": "INFORMATIONAL"},
    "9.3.1": GOOD,
}
REPORT = {"wasClean": True, "result": "As expected.", "resultClose": "Closed."}
BAD = ["NON-STRICT", "FAILED", "UNCLEAN", "WRONG CODE", "FAILED BY CLIENT", "UNIMPLEMENTED", "NO_CLOSE", "ok", "", None]


class Doctored:
    """The files of a result, to be made wrong before they are written."""

    def __init__(self):
        self.wanted = list(SOME)
        self.cases = {case: {**result, "reportfile": f"{case}.json"} for case, result in SOME.items()}
        self.index = {"agent": self.cases}
        self.reports = {case: dict(REPORT) for case in SOME}
        self.files = {}

    def judged(self, roles):
        """The exit status and the last line of the check of these files, for a role or several."""
        with tempfile.TemporaryDirectory() as folder:
            self.files.setdefault("cases.txt", "\n".join(self.wanted))
            self.files.setdefault("index.json", json.dumps(self.index))
            for case, report in self.reports.items():
                self.files.setdefault(f"{case}.json", json.dumps(report))
            for name, text in self.files.items():
                if text is not None:
                    with open(os.path.join(folder, name), "w", encoding="utf-8") as file:
                        file.write(text)
            printed = io.StringIO()
            with contextlib.redirect_stdout(printed):
                status = main(["--cases", os.path.join(folder, "cases.txt"), *(role.format(folder) for role in roles)])
            return status, printed.getvalue().splitlines()[-1]


def put(values, key, value):
    return lambda doctored: values(doctored).__setitem__(key, value)


def drop(values, key):
    return lambda doctored: values(doctored).__delitem__(key)


def wrongs():
    """What can be wrong: its name, how it is made, and how many of three cases pass and how many fail."""
    for case in ("1.1.1", "7.1.6"):
        for key in ("behavior", "behaviorClose"):
            for value in BAD:
                yield f"{case}'s {key} is {value}", put(lambda d, case=case: d.cases[case], key, value), 2, 1
            yield f"{case} has no {key}", drop(lambda d, case=case: d.cases[case], key), 2, 1
    informational = put(lambda d: d.cases["1.1.1"], "behavior", "INFORMATIONAL")
    unclean = put(lambda d: d.reports["1.1.1"], "wasClean", False)
    yield "INFORMATIONAL, closing OK, not clean", lambda d: (informational(d), unclean(d)), 2, 1
    yield "INFORMATIONAL, not clean", put(lambda d: d.reports["7.1.6"], "wasClean", False), 2, 1
    yield "INFORMATIONAL, clean unknown", drop(lambda d: d.reports["7.1.6"], "wasClean"), 2, 1
    yield "INFORMATIONAL, no report", put(lambda d: d.files, "7.1.6.json", None), 2, 1
    yield "a case is missing", drop(lambda d: d.cases, "9.3.1"), 2, 1
    yield "all cases are missing", lambda d: d.cases.clear(), 0, 3
    yield "a case that was not selected", put(lambda d: d.cases, "2.1", GOOD), 3, 1
    yield "no case was selected", lambda d: (d.wanted.clear(), d.cases.clear()), 0, 1
    yield "no agent", lambda d: d.index.clear(), 0, 4
    yield "two agents", put(lambda d: d.index, "other", {}), 3, 1
    yield "no index", put(lambda d: d.files, "index.json", None), 0, 4
    yield "half an index", put(lambda d: d.files, "index.json", '{"agent": {'), 0, 4
    yield "an index of another form", put(lambda d: d.files, "index.json", "[1]"), 0, 4
    yield "a trouble besides", put(lambda d: d.files, "troubles.txt", "wstest ended with status 124\n"), 3, 1


def self_test():
    mistaken = 0

    def expect(what, doctored, status, line, roles=("role={}",)):
        nonlocal mistaken
        got = doctored.judged(roles)
        if got != (status, line):
            mistaken += 1
            print(f"FAIL  the checker: {what}: status {got[0]} and '{got[1]}', expected {status} and '{line}'")

    expect("nothing is wrong", Doctored(), 0, "3 passed, 0 failed")
    expect("nothing is wrong in both", Doctored(), 0, "6 passed, 0 failed", ("one={}", "other={}"))
    expect("one of two is missing", Doctored(), 1, "3 passed, 4 failed", ("one={}", "other={}/absent"))
    tried = 1  # that one
    for what, make, passed, failed in wrongs():
        doctored = Doctored()
        make(doctored)
        expect(what, doctored, 1, f"{passed} passed, {failed} failed")
        tried += 1
    if not mistaken:
        print(f"fails {tried} results of {tried} that are wrong, passes one that is good")
    return 1 if mistaken else 0


if __name__ == "__main__":
    sys.exit(self_test() if sys.argv[1:] == ["--self-test"] else main(sys.argv[1:]))
