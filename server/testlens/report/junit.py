"""A check as JUnit XML: each gate is a test case, so that any CI shows it among the tests."""

from __future__ import annotations

import re
from xml.etree import ElementTree as ET

from testlens.domain.gates import Gate
from testlens.report.gate_words import gate_details
from testlens.workspace.checking import Check

# What XML 1.0 has no way to write.
_ILLEGAL = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def render_junit(check: Check) -> str:
    """The whole file."""
    counts = {"tests": str(len(check.gates)), "failures": str(len(check.failed)), "errors": "0", "time": "0"}
    suites = ET.Element("testsuites", {"name": "testlens", **counts})
    suite = ET.SubElement(suites, "testsuite", {"name": "testlens check", **counts, "skipped": "0"})
    for gate in check.gates:
        case = ET.SubElement(suite, "testcase", {"classname": "testlens.check", "name": _name(gate), "time": "0"})
        if not gate.passed:
            failure = ET.SubElement(case, "failure", {"message": _legal(gate.summary), "type": "gate"})
            failure.text = _legal("\n".join(gate_details(gate)))
    ET.indent(suites)
    return f'<?xml version="1.0" encoding="UTF-8"?>\n{ET.tostring(suites, encoding="unicode")}\n'


def _name(gate: Gate) -> str:
    # A CI follows a test case by its name: no number that changes may be in it.
    return _legal(gate.name)


def _legal(text: str) -> str:
    return _ILLEGAL.sub("\N{REPLACEMENT CHARACTER}", text)
