"""The findings as SARIF 2.1.0, for tools that show the results of code scanning.

A rule is a kind of finding, a result is a finding, its place is a column of the source. References: OASIS 2020,
Static Analysis Results Interchange Format (SARIF) 2.1.0.
"""

import json
from hashlib import sha256
from urllib.parse import quote

from dqops.reports.story import story_of
from dqops.reports.words import KINDS, Scale, sentence

SCHEMA = "https://json.schemastore.org/sarif-2.1.0.json"
LEVELS = {"leak": "error", "worth": "error", "nothing": "note", "harm": "note"}
SURE = 0.5


def render(audit, *, show_values=False):
    """The audit as SARIF text; holds no raw values either way."""
    story = story_of(audit)
    kinds = list(dict.fromkeys(line.finding.kind for line in story.lines))
    run = {
        "tool": {"driver": _driver(audit, kinds)},
        "columnKind": "unicodeCodePoints",
        "invocations": [{"executionSuccessful": True, "toolExecutionNotifications": [_notification(one) for one in audit.warnings]}],
        "results": [_result(line, story, kinds.index(line.finding.kind)) for line in story.lines],
        "properties": {"rows": audit.data.get("rows"), "columns": audit.data.get("columns"), "fingerprint": audit.data.get("fingerprint")},
    }
    if audit.baseline is not None:
        run["properties"]["baseline"] = {"scoring": audit.scoring, "score": audit.baseline.score}
    log = {"$schema": SCHEMA, "version": "2.1.0", "runs": [run]}
    return json.dumps(log, indent=2, default=str) + "\n"


def _driver(audit, kinds):
    driver = {"name": "dqops", "rules": [_rule(kind) for kind in kinds]}
    version = audit.versions.get("dqops")
    return driver | ({"version": str(version)} if version else {})


def _rule(kind):
    meaning, advice = KINDS.get(kind, (f"Findings of the detector {kind}", "look at these cells"))
    return {
        "id": kind,
        "shortDescription": {"text": f"{meaning}."},
        "help": {"text": f"{advice[:1].upper()}{advice[1:]}."},
        "defaultConfiguration": {"level": "warning"},
    }


def _result(line, story, rule):
    finding = line.finding
    column = [] if finding.column is None else [{"name": sentence(finding.column), "kind": "member", "fullyQualifiedName": f"{story.title}/{sentence(finding.column)}"}]
    location = {"physicalLocation": {"artifactLocation": {"uri": quote(story.title)}}}
    return {
        "ruleId": finding.kind,
        "ruleIndex": rule,
        "level": _level(line),
        "rank": round(100 * finding.score, 2),
        "message": {"text": _message(line, story.scale)},
        "locations": [location | ({"logicalLocations": column} if column else {})],
        "partialFingerprints": {"finding/v1": sha256(finding.id.encode("utf-8", "replace")).hexdigest()[:32]},
        "properties": _properties(line),
    }


def _level(line):
    """error: it costs the model; warning: surely wrong, price unknown; note: it costs nothing or is unsure."""
    return LEVELS.get(line.standing, "warning" if line.finding.score >= SURE else "note")


def _message(line, scale: Scale):
    where = line.place or "whole rows"
    if line.standing == "nothing":
        price = f"costs this model nothing measurable ({scale.gain(line.gain.repair, unit=True)})"
    elif line.standing in ("worth", "harm"):
        price = f"repair expected to change the score by {scale.gain(line.gain.repair, unit=True)}"
    else:
        price = "gives the target away" if line.standing == "leak" else "not priced"
    return f"{where}: {line.message} {line.count}; {price}. To do: {line.action}."


def _properties(line):
    one = line.finding
    facts = {"count": int(one.count), "share": float(one.share), "score": one.score, "standing": line.standing, "rows": one.to_dict()["rows"]}
    if line.gain is not None:
        facts["gain"] = line.gain.to_dict()
    return facts


def _notification(text):
    return {"level": "warning", "message": {"text": sentence(text)}}
