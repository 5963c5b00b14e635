"""Noise curves from two fits on one split: any model, and a band that says how little that is."""

import numpy as np
from scipy.special import softmax

from dqops.errors import DataError, ModelError
from dqops.models.targets import codes_of, target_values
from dqops.propagation.drops import HELD, Drops
from dqops.propagation.noise import noisy_rows
from dqops.propagation.trial import bounded_score, trial_seed, typed_like

# Between the anchors a curve goes as a power of the rate. Few wrong labels are outvoted: measured on generated tables.
_POWERS = {"label_flips": (1.9, 0.35), "label_confusions": (1.9, 0.35), "target_swaps": (1.3, 0.3)}
_LINE = (1.0, 0.3)
# The first wild numbers spoil the scale of a column, and further ones hardly more: a third fit tells how soon.
_SATURATING = ("outliers", "unit_errors")
_TEMPERATURES = np.geomspace(0.5, 8, 25)


def anchored(experiment, design, one, classes, kept):
    """Today's score and that at the highest rate, from one split; what lies between is drawn by a usual shape.

    Where two predictions of a class differ, which of them is right is told by the calibrated chances of the model today:
    the luck of the judged labels falls out of the difference.
    """
    split, train, judged = one
    seed, rate = trial_seed(design.seed, split), experiment.rates[-1]
    if "anchor" not in kept:
        kept["anchor"] = design.model.fit(train, seed=seed)
    model = kept["anchor"]
    try:
        noisy = noisy_rows(experiment, train, rate, design, split, "train") if experiment.arm != "serving" else train
        rival = model if experiment.arm == "serving" else design.model.fit(noisy, seed=seed)
        served = noisy_rows(experiment, judged, rate, design, split, "judged") if experiment.arm != "training" else judged
        served = typed_like(served, noisy)
        today = bounded_score(model, judged, design.scoring)
        drop = today - bounded_score(rival, served, design.scoring)
    except ModelError as cause:
        raise DataError(f"the model failed at the highest rate of {experiment.name}: {cause}", "a model that can be trained there") from None
    n_rows = judged.n_rows
    error, today_error = _luck(drop, today, n_rows, design)
    if classes is not None and design.scoring == "accuracy" and model.gives("predict_proba"):
        drop, error = _smoothed(model, rival, judged, served, classes)
    power, spread = _POWERS.get(experiment.corruption.name, _LINE)
    if experiment.corruption.name in _SATURATING and experiment.arm == "training" and len(experiment.rates) > 2:
        first = today - _reached(experiment, one, experiment.rates[1], design)
        power, spread = _between(first, drop, experiment.rates[1] / rate), 0.15
    shape = np.where(experiment.rates > 0, (experiment.rates / rate) ** power, 0.0)
    stretch = np.sqrt(1 + judged.n_rows / train.n_rows)
    return Drops(today, drop * shape, stretch * error * shape, stretch * today_error, HELD, (power, spread))


def _reached(experiment, one, rate, design):
    """Score of the model trained on rows with that rate of errors."""
    split, train, judged = one
    noisy = noisy_rows(experiment, train, rate, design, split, "train")
    try:
        model = design.model.fit(noisy, seed=trial_seed(design.seed, split))
    except ModelError as cause:
        raise DataError(f"the model failed at the lowest rate of {experiment.name}: {cause}", "a model that can be trained there") from None
    return bounded_score(model, typed_like(judged, noisy), design.scoring)


def _between(first, last, ratio):
    """The power of the rate that leads through both drops; where one of them is none, the line."""
    if first * last <= 0:
        return 1.0
    return float(np.clip(np.log(first / last) / np.log(ratio), 0.0, 2.5))


def _luck(drop, today, n_rows, design):
    """Standard errors of a drop and of a score from one split, where nothing more is known of them."""
    if design.scoring == "accuracy":
        return float(np.sqrt(max(abs(drop), 1 / n_rows) / n_rows)) * 1.5, float(np.sqrt(max(today * (1 - today), 1 / n_rows) / n_rows))
    return 0.25 * abs(drop) + 1 / np.sqrt(n_rows) * 0.1, 1 / np.sqrt(n_rows)


def _smoothed(model, rival, judged, served, classes):
    """Drop of accuracy between two models, and its standard error, by chances that are calibrated to the judged labels."""
    values, known = target_values(judged, "classification")
    truth = codes_of(values[known], classes)
    raw = _for_classes(model, judged, classes)[known]
    logs = np.log(np.maximum(raw, 1e-6))
    lines = np.arange(len(truth))
    best = min(_TEMPERATURES, key=lambda one: -np.log(np.maximum(softmax(logs / one, axis=1)[lines, np.maximum(truth, 0)], 1e-12)).mean())
    chances = softmax(logs / best, axis=1)
    own = raw.argmax(axis=1)
    other = np.maximum(codes_of(rival.predict(served)[known], classes), 0)
    lost = chances[lines, own] - chances[lines, other]
    right = (own == truth).astype(float) - (other == truth)
    # Chances may be off: half of what they say against the labels themselves is believed.
    direct, smooth = float(right.mean()), float(lost.mean())
    luck = float(right.std() / np.sqrt(len(truth)))
    bias = abs(float(chances[lines, own].mean()) - float((own == truth).mean()))
    steady = float(np.hypot(lost.std() / np.sqrt(len(truth)), 0.1 * abs(smooth) + bias))
    weight = luck**2 / max(luck**2 + steady**2, 1e-12)
    return weight * smooth + (1 - weight) * direct, float(luck * steady / np.sqrt(max(luck**2 + steady**2, 1e-12)))


def _for_classes(model, table, classes):
    """Class probabilities in the order of `classes`."""
    said, spread = model.probabilities(table), np.zeros((table.n_rows, len(classes)))
    places = codes_of(model.classes, classes)
    spread[:, places[places >= 0]] = said[:, places >= 0]
    return spread
