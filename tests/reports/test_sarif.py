"""The shape of SARIF 2.1.0, and what stands in it."""

import json

from dqops.reports import sarif

LEVELS = {"none", "note", "warning", "error"}


def run_of(audit):
    log = json.loads(sarif.render(audit))
    assert log["version"] == "2.1.0"
    assert set(log) == {"$schema", "version", "runs"}
    return log["runs"][0]


def test_the_shape_is_that_of_the_standard(any_audit):
    run = run_of(any_audit)
    driver = run["tool"]["driver"]
    assert driver["name"] == "dqops"
    rules = [rule["id"] for rule in driver["rules"]]
    assert len(rules) == len(set(rules))
    for rule in driver["rules"]:
        assert rule["shortDescription"]["text"]
        assert rule["defaultConfiguration"]["level"] in LEVELS
    assert run["invocations"][0]["executionSuccessful"] is True
    for note in run["invocations"][0]["toolExecutionNotifications"]:
        assert note["message"]["text"]
    assert len(run["results"]) == len(any_audit.findings)
    for result in run["results"]:
        assert rules[result["ruleIndex"]] == result["ruleId"]
        assert result["level"] in LEVELS
        assert 0 <= result["rank"] <= 100
        assert result["message"]["text"]
        assert "\n" not in result["message"]["text"]
        (location,) = result["locations"]
        uri = location["physicalLocation"]["artifactLocation"]["uri"]
        assert not set(uri) & set(" <>\"'\\{}")
        for place in location.get("logicalLocations", ()):
            assert set(place) == {"name", "kind", "fullyQualifiedName"}
    prints = [one["partialFingerprints"]["finding/v1"] for one in run["results"]]
    assert len(prints) == len(set(prints))


def test_levels_follow_what_a_finding_costs(made):
    levels = {one["ruleId"] + ":" + str(one["properties"]["standing"]): one["level"] for one in run_of(made.audits["titanic"]())["results"]}
    assert levels["leakage:leak"] == "error"
    assert levels["missing:worth"] == "error"
    assert levels["missing:nothing"] == "note"
    assert levels["outliers:harm"] == "note"
    assert levels["rules:unpriced"] == "warning"


def test_gains_and_columns_are_told(made):
    first = next(one for one in run_of(made.audits["titanic"]())["results"] if one["properties"]["standing"] == "worth")
    assert first["properties"]["gain"]["expected"] == 0.012
    assert first["locations"][0]["logicalLocations"][0]["name"] == "age"
    assert "+0.012 accuracy" in first["message"]["text"]


def test_no_raw_values(made):
    text = sarif.render(made.audits["titanic"]())
    assert not any(secret in text for secret in made.secrets)
