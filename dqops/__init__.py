"""dqops: what dirty data costs your model, and what to clean first."""

from importlib import import_module

from dqops.version import VERSION as __version__  # noqa: F401

_HOME = {
    "Appraisal": "results.appraisal",
    "Audit": "results.audit",
    "Baseline": "results.gain",
    "Bench": "results.bench",
    "Candidates": "results.candidates",
    "CellInfluence": "results.cell_influence",
    "CertainPredictions": "results.certain_predictions",
    "Certainty": "results.certainty",
    "Cleaner": "contracts",
    "CleaningPlan": "results.plan",
    "CleaningPrioritizer": "flows.prioritizer",
    "ColumnSummary": "results.summary",
    "Corruption": "contracts",
    "Dataset": "tables.registry",
    "Detector": "contracts",
    "Doubts": "results.candidates",
    "DqopsError": "errors",
    "Estimate": "results.gain",
    "Feasibility": "results.feasibility",
    "Finding": "results.findings",
    "Findings": "results.findings",
    "Gain": "results.gain",
    "Gains": "results.gain",
    "LabelDoubts": "results.label_doubts",
    "LabelNoise": "results.summary",
    "NoiseCurve": "results.curve",
    "NoiseCurves": "results.curve",
    "Propagator": "contracts",
    "Ranking": "results.ranking",
    "NoisyRows": "results.noisy_rows",
    "Relabelling": "results.relabelling",
    "RepairValues": "results.repair_values",
    "ResolvedAnswers": "results.resolved",
    "Review": "flows.reviewing",
    "ReviewStatus": "results.review_status",
    "Roles": "tables.table",
    "Sampling": "results.valuation",
    "Schema": "schema",
    "Strategy": "contracts",
    "Table": "tables.table",
    "TableCleaner": "flows.table_cleaner",
    "Valuation": "results.valuation",
    "Verdict": "results.verdict",
    "appraise": "flows.appraise",
    "audit": "flows.audit",
    "bench": "flows.bench",
    "certain_predictions": "flows.certain_predictions",
    "certify": "flows.certify",
    "clean": "flows.clean",
    "data_oob": "valuers.data_oob",
    "feasibility": "flows.feasibility",
    "find_dataset": "tables.registry",
    "infer_schema": "schema",
    "influence": "valuers.influence",
    "influence_matrix": "valuers.influence",
    "knn_shapley": "valuers.knn_shapley",
    "label_doubts": "valuers.label_doubts",
    "load_run": "results.audit",
    "load_schema": "schema",
    "price": "flows.gains",
    "prioritize": "flows.prioritize",
    "propagate": "flows.propagate",
    "noisy_rows": "valuers.noisy_rows",
    "read": "tables.io",
    "recalibrate": "models.recalibration",
    "registered": "tables.registry",
    "repair_influence": "valuers.influence",
    "repair_values": "valuers.repair_values",
    "resolve_answers": "models.crowd",
    "review": "flows.review",
    "rows_to_ask": "models.recalibration",
    "semivalues": "valuers.semivalues",
    "validate": "schema",
}
__all__ = list(_HOME)


def __getattr__(name):
    if name not in _HOME:
        raise AttributeError(f"module 'dqops' has no attribute {name!r}")
    return getattr(import_module(f"dqops.{_HOME[name]}"), name)


def __dir__():
    return [*__all__, "__version__"]
