"""What the front door offers, for type checkers; `tests/test_docs.py` holds it and `__init__.py` together."""

from dqops.contracts import Cleaner as Cleaner
from dqops.contracts import Corruption as Corruption
from dqops.contracts import Detector as Detector
from dqops.errors import DqopsError as DqopsError
from dqops.flows.audit import audit as audit
from dqops.flows.certain_predictions import certain_predictions as certain_predictions
from dqops.flows.feasibility import feasibility as feasibility
from dqops.flows.propagate import propagate as propagate
from dqops.results.audit import Audit as Audit
from dqops.results.audit import load_run as load_run
from dqops.results.candidates import Candidates as Candidates
from dqops.results.candidates import Doubts as Doubts
from dqops.results.cell_influence import CellInfluence as CellInfluence
from dqops.results.certain_predictions import CertainPredictions as CertainPredictions
from dqops.results.curve import NoiseCurve as NoiseCurve
from dqops.results.curve import NoiseCurves as NoiseCurves
from dqops.results.feasibility import Feasibility as Feasibility
from dqops.results.findings import Finding as Finding
from dqops.results.findings import Findings as Findings
from dqops.results.gain import Baseline as Baseline
from dqops.results.gain import Estimate as Estimate
from dqops.results.gain import Gain as Gain
from dqops.results.gain import Gains as Gains
from dqops.results.label_doubts import LabelDoubts as LabelDoubts
from dqops.results.relabelling import Relabelling as Relabelling
from dqops.results.summary import ColumnSummary as ColumnSummary
from dqops.results.summary import LabelNoise as LabelNoise
from dqops.results.valuation import Valuation as Valuation
from dqops.results.verdict import Verdict as Verdict
from dqops.schema import Schema as Schema
from dqops.schema import infer_schema as infer_schema
from dqops.schema import load_schema as load_schema
from dqops.schema import validate as validate
from dqops.tables.io import read as read
from dqops.tables.registry import Dataset as Dataset
from dqops.tables.registry import find_dataset as find_dataset
from dqops.tables.registry import registered as registered
from dqops.tables.table import Roles as Roles
from dqops.tables.table import Table as Table
from dqops.valuers.influence import influence as influence
from dqops.valuers.influence import influence_matrix as influence_matrix
from dqops.valuers.influence import repair_influence as repair_influence
from dqops.valuers.knn_shapley import knn_shapley as knn_shapley
from dqops.valuers.label_doubts import label_doubts as label_doubts

__version__: str
