"""Findings: where a table is doubtful, how surely, and why."""

from dataclasses import dataclass, replace

import numpy as np
import polars as pl


@dataclass(frozen=True, eq=False)
class Finding:
    """One group of doubts: a kind of error in one column (or in whole rows).

    Parameters
    ----------
    kind : str
        Name of the detector: missing, formats, outliers, categories, rules, duplicates, labels, leakage, drift.
    column : str or None
        None where whole rows are doubtful.
    positions : int64 (count,)
        Row positions, ascending.
    rows : polars.Series (count,)
        Row ids, in the same order.
    scores : float64 (count,), or (1,) where `whole`
        Probability of being wrong, in [0, 1].
    values : polars.Series of String (count,) or None
        Recorded text of the cells.
    suggestions : polars.Series (count,) or None
        The likeliest true value where the detector knows it.
    reasons, reason_codes : tuple of str, int32 (count,)
        Distinct sentences, and which of them holds for each cell.
    related : int64 (count,) or None
        Position of the row that this one repeats or contradicts, -1 for none.
    message : str
        One sentence on the group; holds no raw values.
    n_rows : int
        Rows of the table that was searched.
    whole : bool
        The column as a whole is the finding; `positions` is empty then.
    also : tuple of str
        Other kinds whose cells were joined to this group.
    """

    kind: str
    column: str | None
    positions: np.ndarray
    rows: pl.Series
    scores: np.ndarray
    values: pl.Series | None
    suggestions: pl.Series | None
    reasons: tuple[str, ...]
    reason_codes: np.ndarray
    related: np.ndarray | None
    message: str
    n_rows: int
    whole: bool = False
    also: tuple[str, ...] = ()

    @property
    def id(self):
        """``kind:column``, or ``kind:rows`` for whole rows."""
        return f"{self.kind}:{'rows' if self.column is None else self.column}"

    @property
    def count(self):
        """Doubtful cells or rows; all rows where the whole column is the finding."""
        return self.n_rows if self.whole else len(self.positions)

    @property
    def share(self):
        """Doubtful share of the rows, in [0, 1]."""
        return self.count / self.n_rows if self.n_rows else 0.0

    @property
    def score(self):
        """Mean probability of being wrong, in [0, 1]."""
        return float(self.scores.mean()) if len(self.scores) else 0.0

    @property
    def why(self):
        """Reason of each doubt, as text (count,)."""
        return np.asarray(self.reasons, dtype=object)[self.reason_codes] if len(self.reason_codes) else np.array([], dtype=object)

    def at_least(self, score):
        """The part of this group whose score is `score` or more."""
        if self.whole:
            return self
        return self.select(self.scores >= score)

    def select(self, keep):
        """The part of this group that the boolean mask `keep` (count,) keeps."""
        return self.select_at(np.flatnonzero(keep))

    def select_at(self, chosen):
        """The part of this group at these places, in this order."""
        if self.whole:
            return self
        return replace(
            self,
            positions=self.positions[chosen],
            rows=self.rows.gather(chosen),
            scores=self.scores[chosen],
            values=None if self.values is None else self.values.gather(chosen),
            suggestions=None if self.suggestions is None else self.suggestions.gather(chosen),
            reason_codes=self.reason_codes[chosen],
            related=None if self.related is None else self.related[chosen],
        )

    def joined(self, other):
        """This group with the cells of another in the same column; a cell of both keeps what this one says."""
        fresh = other.select(~np.isin(other.positions, self.positions))
        order = np.argsort(np.concatenate([self.positions, fresh.positions]), kind="stable")
        parts = {
            name: pl.concat([_known(self, name), _known(fresh, name)]).gather(order)
            for name in ("rows", "values", "suggestions")
        }
        codes = np.concatenate([self.reason_codes, fresh.reason_codes + len(self.reasons)]).astype(np.int32)
        arrays = {name: np.concatenate([getattr(self, name), getattr(fresh, name)])[order] for name in ("positions", "scores")}
        reasons = {"reasons": self.reasons + fresh.reasons, "reason_codes": codes[order]}
        told = f"{self.message}; {other.message.removeprefix(f'{self.column}: ')}"
        return replace(self, **parts, **arrays, **reasons, message=told, related=None, also=(*self.also, other.kind))

    def on_rows(self, rows):
        """The part of this group in a sample of the table's rows, by the positions there.

        Parameters
        ----------
        rows : polars.Series
            Ids of the sampled rows, in their order.
        """
        places = pl.DataFrame({"row": rows, "place": np.arange(len(rows), dtype=np.int64)})
        here = pl.DataFrame({"row": self.rows, "at": np.arange(len(self.rows), dtype=np.int64)})
        met = here.join(places, on="row", how="inner").sort("place")
        part = self.select_at(met["at"].to_numpy())
        return replace(part, positions=met["place"].to_numpy(), n_rows=len(rows), related=None)

    def to_dict(self):
        """The group as the JSON of an audit has it: at most 20 row ids, the surest first."""
        worst = [] if self.whole else np.argsort(-self.scores, kind="stable")[:20]
        return {
            "id": self.id,
            "kind": self.kind,
            "column": self.column,
            "count": int(self.count),
            "share": float(self.share),
            "score": self.score,
            "rows": self.rows.gather(worst).to_list() if len(worst) else [],
            "message": self.message,
        }

    @classmethod
    def from_saved(cls, saved, own, n_rows):
        """The group that `to_dict` and `to_cells` wrote; positions are not known again and are -1.

        Parameters
        ----------
        saved : dict
        own : polars.DataFrame
            The cells of this group, as `to_cells` has them.
        n_rows : int
        """
        whole = own.is_empty() and saved["count"] > 0
        reasons, codes = np.unique(own["why"].fill_null("").to_numpy().astype(object), return_inverse=True)
        return cls(
            kind=saved["kind"],
            column=saved["column"],
            positions=np.full(own.height, -1, dtype=np.int64),
            rows=own["row"],
            scores=np.array([saved["score"]]) if whole else own["score"].to_numpy(),
            values=None if own["value"].is_null().all() else own["value"],
            suggestions=None,
            reasons=tuple(reasons.tolist()),
            reason_codes=codes.astype(np.int32),
            related=None,
            message=saved["message"],
            n_rows=n_rows,
            whole=whole,
        )

    def to_cells(self):
        """One line a doubt: row, column, kind, score, value, why."""
        text = {"column": pl.String, "value": pl.String}
        return pl.DataFrame(
            {
                "row": self.rows.cast(pl.String) if self.rows.dtype == pl.String else self.rows,
                "column": pl.Series([self.column], dtype=text["column"]).new_from_index(0, len(self.positions)),
                "kind": pl.Series([self.kind], dtype=pl.String).new_from_index(0, len(self.positions)),
                "score": pl.Series(self.scores if not self.whole else [], dtype=pl.Float64),
                "value": pl.Series([None], dtype=text["value"]).new_from_index(0, len(self.positions)) if self.values is None else self.values,
                "why": pl.Series(self.reasons, dtype=pl.String).gather(self.reason_codes),
            }
        )


def _known(group, name):
    """That series of a group, as text but for the ids; nulls where the group has none."""
    held = getattr(group, name)
    if name == "rows":
        return held
    return pl.Series([None] * group.count, dtype=pl.String) if held is None else held.cast(pl.String, strict=False)


@dataclass(frozen=True, eq=False)
class Findings:
    """All groups of doubts that a search brought; adds up with ``+``.

    Examples
    --------
    >>> Findings(()).to_frame().columns
    ['id', 'kind', 'column', 'count', 'share', 'score', 'rows', 'message']
    """

    groups: tuple[Finding, ...] = ()

    def __iter__(self):
        return iter(self.groups)

    def __len__(self):
        return len(self.groups)

    def __add__(self, other):
        return Findings(self.groups + other.groups)

    def __getitem__(self, id):
        """The group of that id, such as ``"missing:age"``."""
        for one in self.groups:
            if one.id == id:
                return one
        raise KeyError(id)

    def __contains__(self, id):
        return any(one.id == id for one in self.groups)

    def of_kind(self, *kinds):
        """The groups of these kinds."""
        return Findings(tuple(one for one in self.groups if one.kind in kinds))

    def to_frame(self):
        """One line a group, as a polars frame."""
        schema = {
            "id": pl.String,
            "kind": pl.String,
            "column": pl.String,
            "count": pl.Int64,
            "share": pl.Float64,
            "score": pl.Float64,
            "rows": pl.List(pl.String),
            "message": pl.String,
        }
        lines = [one.to_dict() for one in self.groups]
        for line in lines:
            line["rows"] = [str(row) for row in line["rows"]]
        return pl.DataFrame(lines, schema=schema, orient="row")

    def to_cells(self):
        """One line a doubtful cell or row: row, column, kind, score, value, why."""
        parts = [one.to_cells() for one in self.groups if not one.whole]
        if not parts:
            schema = {"row": pl.Int64, "column": pl.String, "kind": pl.String, "score": pl.Float64, "value": pl.String, "why": pl.String}
            return pl.DataFrame(schema=schema)
        return pl.concat(parts, how="vertical")
