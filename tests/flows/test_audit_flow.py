"""An audit from Python: what goes in, what comes out, and in which order."""

import json

import numpy as np
import polars as pl
import pytest
from polars.testing import assert_frame_equal
from sklearn.compose import make_column_selector, make_column_transformer
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OrdinalEncoder
from sklearn.tree import DecisionTreeClassifier

import dqops
from dqops.errors import DataError, OptionError, UnknownColumnError, UnknownNameError

ROWS = 120


def dirty():
    """Typos in `size`, holes in `depth`, a spelling slip in `city`; `size` tells the target, but not all of it."""
    rng = np.random.default_rng(0)
    numbers = rng.normal(20, 5, ROWS).round(2)
    sizes = [f"{one:.2f}" for one in numbers]
    sizes[4], sizes[30] = "17.x", "19..2"
    depth = rng.normal(3, 1, ROWS).round(3).tolist()
    depth[9] = depth[11] = depth[40] = None
    city = rng.choice(["london", "paris", "berlin"], ROWS).tolist()
    city[7] = "lonndon"
    y = (numbers + rng.normal(0, 4, ROWS) > 20).astype(int)
    return pl.DataFrame({"id": np.arange(ROWS) + 500, "size": sizes, "depth": depth, "city": city, "y": y})


@pytest.fixture
def frame():
    return dirty()


def searched(data, **options):
    return dqops.audit(data, model=None, **{"target": "y"} | options)


@pytest.fixture(scope="module")
def priced():
    """A small tree, to which what is no number is a level."""
    words = OrdinalEncoder(handle_unknown="use_encoded_value", unknown_value=-1)
    columns = make_column_transformer((words, make_column_selector(dtype_exclude="number")), remainder="passthrough")
    model = make_pipeline(columns, DecisionTreeClassifier(max_depth=2, random_state=0))
    frame = dirty().select("size", "y").to_pandas()
    return dqops.audit(frame, target="y", model=model, effort="quick", detectors=["formats", "missing"])


def test_a_search_finds_and_prices_nothing(frame):
    audit = searched(frame)
    assert {"formats:size", "missing:depth", "categories:city"} <= {one.id for one in audit.findings}
    assert (audit.model, audit.scoring, audit.baseline, len(audit.gains), audit.label_noise) == (None, None, None, 0, None)
    assert audit.data | {"fingerprint": ""} == {"name": audit.data["name"], "rows": ROWS, "columns": 5, "target": "y", "task": None, "fingerprint": ""}
    assert [one.name for one in audit.columns] == frame.columns


def test_pandas_and_polars_give_the_same_findings(frame):
    audits = [searched(one) for one in (frame, frame.to_pandas())]
    assert_frame_equal(audits[0].findings.to_cells(), audits[1].findings.to_cells())
    assert audits[0].ranking == audits[1].ranking


def test_a_table_and_a_file_are_as_good_as_a_frame(frame, tmp_path):
    path = tmp_path / "t.csv"
    frame.write_csv(path)
    ids = [one.id for one in searched(frame).findings]
    assert [one.id for one in searched(path).findings] == ids
    table = dqops.read(path, target="y")
    assert [one.id for one in searched(table).findings] == ids
    assert [one.id for one in dqops.audit(table, model=None).findings] == ids


def test_findings_stand_in_the_order_of_the_ranking(frame, priced):
    for audit in (searched(frame), priced):
        assert tuple(one.id for one in audit.findings) == audit.ranking
        assert len(set(audit.ranking)) == len(audit.ranking)
    by_weight = [one.share * one.score for one in searched(frame).findings]
    assert by_weight == sorted(by_weight, reverse=True)


def test_an_ignored_column_never_appears(frame):
    audit = searched(frame, ignore=["city"])
    told = audit.to_dict()
    assert told.pop("settings")["ignore"] == ["city"]
    assert "city" not in json.dumps(told)
    assert len(audit.findings)


def test_a_key_names_the_rows_and_is_not_searched(frame):
    audit = searched(frame, key="id")
    assert audit.findings["missing:depth"].rows.to_list() == [509, 511, 540]
    assert "id" not in {one.column for one in audit.findings} | {one.name for one in audit.columns}
    assert searched(frame).findings["missing:depth"].rows.to_list() == [9, 11, 40]


def test_drift_needs_a_reference(frame):
    moved = frame.with_columns(pl.col("depth") + 3)
    assert not searched(moved, detectors=["drift"]).findings
    found = searched(moved, detectors=["drift"], reference=frame).findings
    assert "drift:depth" in found
    assert {one.column for one in found} <= {"depth", None}
    assert not searched(frame, detectors=["drift"], reference=frame).findings


def test_what_breaks_a_schema_is_a_finding(frame, tmp_path):
    path = tmp_path / "schema.yaml"
    path.write_text(dqops.infer_schema(dqops.read(frame.select("depth", "city", "y"))).to_yaml())
    broken = frame.select("depth", "city", "y").with_columns(depth=pl.when(pl.int_range(ROWS) == 77).then(999.0).otherwise("depth"))
    found = searched(broken, schema=path, detectors=["missing"]).findings
    assert found["rules:depth"].positions.tolist() == [77]
    assert found["rules:depth"].scores.tolist() == [1.0]
    assert "rules:depth" not in searched(broken, detectors=["missing"]).findings


def test_json_is_valid_and_holds_no_nan(frame, priced):
    def refuse(word):
        raise AssertionError(word)

    odd = frame.with_columns(depth=pl.when(pl.int_range(ROWS) < 5).then(float("nan")).when(pl.int_range(ROWS) < 9).then(float("inf")).otherwise("depth"))
    for audit in (searched(frame), searched(odd), priced):
        told = json.loads(audit.to_json(), parse_constant=refuse)
        assert told["ranking"] == [one["id"] for one in told["findings"]]
        assert told["settings"] == audit.settings


def test_settings_versions_and_timings_are_recorded(frame):
    audit = searched(frame, detectors=["missing", "formats"], seed=7, effort="quick", max_seconds=9.0, key="id", ignore=["city"])
    wanted = {"effort": "quick", "seed": 7, "max_seconds": 9.0, "detectors": ["missing", "formats"], "target": "y", "key": "id", "ignore": ["city"]}
    assert audit.settings == wanted
    assert {"dqops", "python", "polars", "pandas", "numpy", "scikit-learn"} <= set(audit.versions)
    assert set(audit.timings) == {"missing", "formats", "all"}


def test_the_input_is_left_alone(frame):
    before, pandas = frame.clone(), frame.to_pandas()
    pandas_before = pandas.copy()
    searched(frame)
    searched(pandas)
    assert_frame_equal(frame, before)
    assert pandas.equals(pandas_before)


def test_a_model_is_priced_in_three_arms(priced):
    assert priced.model is not None
    assert priced.scoring == "accuracy"
    assert priced.data["task"] == "classification"
    gain = priced.gains.of("formats:size")
    assert gain.repair.low > 0  # two typos make words of all numbers, and every size a level
    assert priced.baseline.score + gain.repair.expected > 0.7
    assert priced.ranking[0] == "formats:size"
    assert {one.arm for one in priced.gains if one.finding == "formats:size"} == {"deployed", "training", "serving"}
    for one in priced.gains:
        assert one.repair.low <= one.repair.expected <= one.repair.high
    assert priced.timings["pricing"] > 0


@pytest.mark.parametrize(
    ("options", "error"),
    [
        ({"detectors": ["mising"]}, UnknownNameError),
        ({"effort": "hard"}, OptionError),
        ({"target": "z"}, UnknownColumnError),
        ({"target": None, "model": "linear"}, DataError),
    ],
)
def test_what_cannot_be_is_refused(frame, options, error):
    with pytest.raises(error):
        dqops.audit(frame, **{"target": "y", "model": None} | options)


def test_a_column_may_be_called_count(rng):
    size = [f"{one:.1f}" for one in rng.normal(50, 5, 60)]
    frame = pl.DataFrame({"count": [*size, "4.2 kg", None], "count ": ["007", "012"] * 31, "y": [0, 1] * 31})
    assert "formats:count" in dqops.audit(frame, target="y", model="linear", effort="quick").findings
    words = pl.DataFrame({"count": ["u", "v", None] * 20, "y": [0, 1] * 30})
    assert "missing:count" in dqops.audit(words, target="y", model="linear", effort="quick").findings


def test_misspelt_classes_of_the_target_have_a_price(rng):
    x = rng.normal(size=400)
    label = np.where(x + rng.normal(size=400) > 0, "positive", "negative")
    label[rng.choice(400, 24, replace=False)] = "positve"
    found = dqops.audit(pl.DataFrame({"x": x, "label": label}), target="label", model="linear", effort="quick", detectors=["categories"])
    gain = found.gains.of("categories:label")
    assert "training rows" in gain.action
    assert found.gains.of("categories:label", "serving") is None
    assert gain.potential is not None


def test_a_holdout_judges_whatever_is_trusted_and_however_rows_are_split(frame):
    rows = frame.with_columns(day=pl.int_range(ROWS) // 3, good=pl.int_range(ROWS) % 7 == 0)
    told = dqops.audit(rows, target="y", model="linear", effort="quick", time="day", trusted="good", holdout=rows.tail(50), detectors=["formats"])
    assert told.baseline.judged_on == "holdout"
    assert [one.finding for one in told.gains]
