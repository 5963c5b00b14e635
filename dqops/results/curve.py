"""Noise curves: how the score of a model falls as one kind of error becomes more frequent."""

import json
from dataclasses import dataclass
from importlib import import_module

import numpy as np
import polars as pl

from dqops.errors import OptionError
from dqops.results.gain import Estimate


@dataclass(frozen=True, eq=False)
class Response:
    """A fitted curve: mean score as a function of the rate, with draws that tell how unsure it is.

    Parameters
    ----------
    form : {"linear", "quadratic", "logarithmic", "power"}
        ``a - b r``, ``a - b r - c r²``, ``a - b ln(1 + k r)`` or ``a - b r^p``.
    coefficients : float64 (p,)
        a, b and what the form has beside them.
    draws : float64 (n_draws, p)
        Coefficients fitted to resampled repeats.
    """

    form: str
    coefficients: np.ndarray
    draws: np.ndarray

    def at(self, rates):
        """Fitted scores, float64 (n_rates,).

        >>> Response("linear", np.array([0.9, 0.5]), np.zeros((0, 2))).at([0, 0.2]).round(3).tolist()
        [0.9, 0.8]
        """
        return curve_at(self.form, self.coefficients, rates)

    def band(self, rates, level=0.9):
        """Lower and upper end of the fitted scores, each float64 (n_rates,)."""
        drawn = np.array([curve_at(self.form, one, rates) for one in self.draws])
        return tuple(np.quantile(drawn, share, axis=0) for share in ((1 - level) / 2, (1 + level) / 2))


def curve_at(form, coefficients, rates):
    """The curve of that form at these rates."""
    rates, (first, slope, *rest) = np.asarray(rates, dtype=np.float64), coefficients
    if form == "linear":
        return first - slope * rates
    if form == "quadratic":
        return first - slope * rates - rest[0] * rates**2
    if form == "power":
        return first - slope * np.where(rates > 0, np.maximum(rates, 1e-12) ** rest[0], 0.0)
    return first - slope * np.log1p(rest[0] * rates)


@dataclass(frozen=True)
class Tolerance:
    """Highest rate up to which the score stays within a loss.

    Parameters
    ----------
    loss : float
        In score units.
    rate : float
        From the fitted curve; the highest rate of the grid where the loss is not reached.
    low, high : float
        From the ends of its band.
    reached : bool
        Whether the loss is reached on the grid at all.
    """

    loss: float
    rate: float
    low: float
    high: float
    reached: bool


@dataclass(frozen=True, eq=False)
class NoiseCurve:
    """Scores of a model at rising rates of one kind of error.

    Parameters
    ----------
    corruption : str
    column : str or None
        None where all columns that can bear it do.
    arm : {"training", "serving", "deployed"}
        Noise in the training rows, in the served rows of a fixed model, or in both.
    rates : float64 (n_rates,)
        Share of cells, labels or rows corrupted, rising, starting at 0.
    scores : float64 (n_rates, n_repeats)
        Held-out score, higher is better; one column a split, the same splits and draws at all rates. NaN where the
        model failed, or where a rate was not anchored by a fast run.
    stderr : float64 (n_rates,)
        Standard error of the mean drop from rate 0; at 0 that of the score.
    response : Response
    fast : bool
        Estimated by little work, not measured at all rates.
    method : str
        How: "measured", "counted" (votes of k-NN, exact), "refitted" (a linear model on features that are held) or "anchored"
        (two fits, a usual shape between them).
    unmet : float
        Share of fits that failed, in [0, 1].
    clean : Estimate or None
        Score that is expected with today's noise of this kind gone: an extrapolation.

    Raises
    ------
    OptionError
        Where the rates do not start at 0 and rise.
    """

    corruption: str
    column: str | None
    arm: str
    rates: np.ndarray
    scores: np.ndarray
    stderr: np.ndarray
    response: Response
    fast: bool = False
    method: str = "measured"
    unmet: float = 0.0
    clean: Estimate | None = None

    def __post_init__(self):
        if len(self.rates) < 2 or self.rates[0] != 0 or np.any(np.diff(self.rates) <= 0):
            raise OptionError("rates", list(self.rates), "two or more rates that start at 0 and rise")
        if self.scores.shape[0] != len(self.rates):
            raise OptionError("scores", self.scores.shape, f"one line for each of {len(self.rates)} rates")

    @property
    def name(self):
        """``corruption`` or ``corruption:column``."""
        return self.corruption if self.column is None else f"{self.corruption}:{self.column}"

    def means(self):
        """Mean score at each rate, float64 (n_rates,): measured where it was, else fitted."""
        measured = np.isfinite(self.scores)
        held = np.where(measured, self.scores, 0.0).sum(axis=1) / np.maximum(measured.sum(axis=1), 1)
        return np.where(measured.any(axis=1), held, self.response.at(self.rates))

    def drop(self, rate):
        """Expected loss of score at that rate of noise, with the band of the fitted curve.

        What was counted is known better than a curve of three numbers says: the curve is bent to lead through it. Scores
        that hang on draws are smoothed by the curve instead.
        """
        fitted = self.response.at([0.0, rate])
        drawn = np.array([curve_at(self.response.form, one, [0.0, rate]) for one in self.response.draws])
        low, high = np.quantile(drawn[:, 0] - drawn[:, 1], [0.05, 0.95])
        bent = float(np.interp(rate, self.rates, self._beside())) if self.method == "counted" else 0.0
        return Estimate(float(fitted[0] - fitted[1]) + bent, float(low) + bent, float(high) + bent)

    def _beside(self):
        """By how much the drops at the rates lie beside those of the fitted curve, float64 (n_rates,)."""
        fitted, means = self.response.at(self.rates), self.means()
        return (means[0] - means) - (fitted[0] - fitted)

    def tolerance(self, loss):
        """Highest rate up to which the score stays within `loss` of that at rate 0, as `Tolerance`.

        Raises
        ------
        OptionError
            Where `loss` is below 0.
        """
        if not loss >= 0:
            raise OptionError("loss", loss, "a loss of 0 or more, in score units")
        grid = np.linspace(0, self.rates[-1], 401)
        own = _within(curve_at(self.response.form, self.response.coefficients, grid), grid, loss)
        drawn = sorted(_within(curve_at(self.response.form, one, grid), grid, loss) for one in self.response.draws)
        low, high = (float(np.quantile(drawn, share)) for share in (0.05, 0.95))
        return Tolerance(float(loss), own, min(low, own), max(high, own), bool(own < grid[-1]))

    def to_dict(self):
        """As the JSON has it."""
        low, high = self.response.band(self.rates)
        points = zip(self.rates, self.means(), self.stderr, low, high, strict=True)
        names = ("rate", "score", "stderr", "low", "high")
        return {
            "corruption": self.corruption,
            "column": self.column,
            "arm": self.arm,
            "form": self.response.form,
            "coefficients": [float(one) for one in self.response.coefficients],
            "fast": self.fast,
            "method": self.method,
            "failed": self.unmet,
            "points": [dict(zip(names, map(float, point), strict=True)) for point in points],
            "clean": None if self.clean is None else {name: getattr(self.clean, name) for name in ("expected", "low", "high", "level")},
        }


def _within(fitted, grid, loss):
    """Highest rate of the grid before the fitted loss is first exceeded."""
    above = np.flatnonzero(fitted[0] - fitted > loss + 1e-12)
    return float(grid[max(above[0] - 1, 0)] if len(above) else grid[-1])


@dataclass(frozen=True, eq=False)
class NoiseCurves:
    """Noise curves of one table and model; adds up with ``+``.

    Parameters
    ----------
    curves : tuple of NoiseCurve
    data : dict
        Name, rows, columns, target, task and fingerprint of the table.
    model, scoring : str
    loss : float
        Loss of score that tolerances are told for.
    warnings : tuple of str
    settings, versions, timings : dict
    """

    curves: tuple[NoiseCurve, ...]
    data: dict
    model: str
    scoring: str
    loss: float = 0.01
    warnings: tuple[str, ...] = ()
    settings: dict | None = None
    versions: dict | None = None
    timings: dict | None = None

    def __iter__(self):
        return iter(self.curves)

    def __len__(self):
        return len(self.curves)

    def __getitem__(self, name):
        """The first curve of that name, such as ``"label_flips"`` or ``"outliers:age"``."""
        for one in self.curves:
            if one.name == name:
                return one
        raise KeyError(name)

    def __add__(self, other):
        return NoiseCurves(self.curves + other.curves, self.data, self.model, self.scoring, self.loss, (*self.warnings, *other.warnings), self.settings, self.versions, self.timings)

    def __str__(self):
        return import_module("dqops.reports.curves").render(self)

    def to_frame(self):
        """One line a curve and rate: corruption, column, arm, rate, score, stderr, low, high."""
        lines = [{"corruption": one.corruption, "column": one.column, "arm": one.arm} | point for one in self for point in one.to_dict()["points"]]
        numbers = dict.fromkeys(("rate", "score", "stderr", "low", "high"), pl.Float64)
        return pl.DataFrame(lines, schema={"corruption": pl.String, "column": pl.String, "arm": pl.String} | numbers)

    def to_dict(self):
        """As the JSON has it."""
        curves = []
        for one in self:
            told = one.tolerance(self.loss)
            curves.append(one.to_dict() | {"tolerance": {name: getattr(told, name) for name in ("loss", "rate", "low", "high", "reached")}})
        return {
            "schema_version": 1,
            "data": self.data,
            "model": self.model,
            "scoring": self.scoring,
            "curves": curves,
            "warnings": list(self.warnings),
            "settings": self.settings,
            "versions": self.versions,
            "timings": self.timings,
        }

    def to_json(self):
        """JSON text."""
        return json.dumps(self.to_dict(), indent=2, ensure_ascii=False) + "\n"

    def to_html(self, path):
        """Write one self-contained page."""
        import_module("dqops.files").write_text(path, import_module("dqops.reports.curves").page(self))
