"""The published schema says exactly what `Audit.to_dict` writes."""

import json
from dataclasses import fields
from pathlib import Path

import pytest
from jsonschema import Draft202012Validator, ValidationError

from dqops.results.audit import Audit
from dqops.results.gain import Baseline, Estimate
from dqops.results.summary import ColumnSummary, LabelNoise

SCHEMA = json.loads((Path(__file__).parents[2] / "docs" / "audit.schema.json").read_text())
VALIDATOR = Draft202012Validator(SCHEMA)


def no_constant(name):
    raise AssertionError(f"{name} is no JSON")


def parsed(audit, **options):
    return json.loads(audit.to_json(**options), parse_constant=no_constant)


def test_the_schema_is_a_schema():
    Draft202012Validator.check_schema(SCHEMA)


@pytest.mark.parametrize("show_values", [False, True])
def test_every_audit_is_valid(any_audit, show_values):
    said = parsed(any_audit, show_values=show_values)
    VALIDATOR.validate(said | {"columns": said["columns"][:50]})


def test_no_field_is_forgotten(made):
    said = made.audits["titanic"]().to_dict()
    definitions = SCHEMA["$defs"]
    # An audit without a model, or a quick one, looks no further ahead.
    assert set(said) == set(SCHEMA["required"]) == set(SCHEMA["properties"]) - {"outlook"}
    assert set(said["gains"][0]) == set(definitions["gain"]["properties"])
    assert set(said["findings"][0]) == set(definitions["finding"]["properties"])
    for kind, name in ((Baseline, "baseline"), (ColumnSummary, "column"), (LabelNoise, "label_noise"), (Estimate, "estimate")):
        assert {one.name for one in fields(kind)} == set(definitions[name]["properties"]), name
    assert {one.name for one in fields(Audit)} | {"schema_version"} == set(said) | {"outlook"}


def test_strangers_are_refused(made):
    said = made.audits["clean"]().to_dict()
    with pytest.raises(ValidationError):
        VALIDATOR.validate(said | {"surprise": 1})
    with pytest.raises(ValidationError):
        VALIDATOR.validate(said | {"ranking": ["a", "a"]})


def test_what_is_not_finite_is_null(made):
    nan, endless = float("nan"), float("inf")
    finding = made.finding("missing", "age", 3)
    gains = made.gains("missing:age", nan, endless)
    audit = made.audit([finding], gains, baseline=Baseline(0.8, -endless, nan), timings={"all": 1.0})
    said = parsed(audit)
    VALIDATOR.validate(said)
    assert said["baseline"]["low"] is None
    assert said["gains"][0]["expected"] is None


def test_raw_values_are_left_out_unless_asked_for(made):
    audit = made.audits["titanic"]()
    assert not any(secret in audit.to_json() for secret in made.secrets)
    assert made.secrets[1] in audit.to_json(show_values=True)
    assert made.secrets[2] in audit.to_json(show_values=True)


def test_at_most_twenty_rows(made):
    said = made.audits["titanic"]().to_dict()
    assert max(len(one["rows"]) for one in said["findings"]) == 20
