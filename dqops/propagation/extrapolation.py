"""What the score would be without the noise that is already there: an extrapolation, and said to be one."""

from dataclasses import replace

import numpy as np

from dqops.propagation.potential import against_true_labels
from dqops.results.curve import curve_at
from dqops.results.gain import Estimate


def without_label_noise(curve, design, table):
    """The curve with `clean`: the score that is expected were today's labels right.

    Adding flips at rate r to labels of which a share r0 is wrong makes ``1 - (1 - r0)(1 - r)`` of them wrong. The curve,
    drawn against that share, is continued to 0, as a line and as a parabola: their distance is part of the interval, as
    is what is not known of r0.

    Parameters
    ----------
    curve : NoiseCurve
        Of label flips in training.
    design : Design
    table : Table

    Returns
    -------
    NoiseCurve
        Unchanged where the target is no class or accuracy does not judge.
    """
    noise = design.label_noise(table) if design.task == "classification" and design.scoring == "accuracy" else None
    if noise is None or curve.arm != "training":
        return curve
    gains = [_continued(curve, rate, bent) for rate in (noise.low, noise.rate, noise.high) for bent in (False, True)]
    low, high = curve.response.band(np.zeros(1))
    luck = float(high[0] - low[0]) / 2
    middle = float(np.mean(gains[2:4]))
    gain = against_true_labels(Estimate(middle, min(gains) - luck, max(gains) + luck), noise)
    now = float(curve.response.at([0.0])[0])
    today = _against_truth(now, noise)
    # The luck of the judged rows is stretched with the score, and adds to what is not known of the rate.
    drawn = [_against_truth(now + step, noise) for step in (-luck, luck)]
    expected = min(today.expected + max(gain.expected, 0.0), 1.0)
    low = min(expected, today.expected + gain.low, drawn[0].low)
    high = max(expected, today.expected + gain.high, drawn[1].high)
    return replace(curve, clean=Estimate(expected, max(low, 0.0), min(high, 1.0)))


def _continued(curve, present, bent):
    """Score at no noise less the score today, by a line or a parabola through the fitted curve."""
    total = 1 - (1 - present) * (1 - curve.rates)
    fitted = curve_at(curve.response.form, curve.response.coefficients, curve.rates)
    degree = min(2 if bent else 1, len(total) - 1)
    line = np.polynomial.Polynomial.fit(total, fitted, degree)
    return float(line(0.0) - fitted[0])


def _against_truth(score, noise):
    """Accuracy on recorded labels, as true ones would judge it: wrong labels are any other class, alike for all rows."""
    n_classes = len(noise.classes)

    def corrected(rate):
        luck = rate / max(n_classes - 1, 1)
        return float(np.clip((score - luck) / max(1 - rate - luck, 0.1), 0.0, 1.0))

    low, middle, high = (corrected(one) for one in (noise.low, noise.rate, noise.high))
    return Estimate(middle, min(low, middle), max(high, middle))
