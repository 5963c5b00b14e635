"""What stands beside an audit, in words and pictures: curves, the band of the least error, what is certain."""

from dqops.reports import figures
from dqops.reports.words import amount, decimals, name_of, percent, several

_NOISE = {
    "label_flips": "wrong labels",
    "target_swaps": "targets swapped between rows",
    "missing_completely_at_random": "missing cells",
}
_WAYS = {
    "counted": "the votes of neighbours were counted",
    "refitted": "the linear model was fitted again on features that were held",
    "anchored": "estimated from two fits",
}


def outlook_facts(audit):
    """One line each: pairs of a label and a text; nothing where an audit has no outlook."""
    told = audit.outlook
    if not told:
        return []
    facts = [(f"With more {_NOISE.get(one['corruption'], one['corruption'])}", curve_phrase(one)) for one in told["curves"]]
    if told["band"] is not None:
        facts.append(("Best possible", band_phrase(told["band"])))
    if told["certainty"] is not None:
        facts.append(("Certain already", certainty_phrase(told["certainty"])))
    return facts


def curve_phrase(curve):
    """How far the score falls, and up to where it holds."""
    drop, within = curve["drop"], curve["tolerance"]
    places = decimals(drop["low"], drop["high"])
    cost, low, high = (f"{drop[name]:.{places}f}" for name in ("expected", "low", "high"))
    lost = f"{percent(drop['rate'])} more cost {cost} [{low}, {high}] of the score"
    if not within["reached"]:
        return f"{lost}; it stays within {within['loss']:g} up to {percent(within['rate'])}, the most that was looked at"
    return f"{lost}; it stays within {within['loss']:g} up to {percent(within['rate'])} [{percent(within['low'])}, {percent(within['high'])}]"


def band_phrase(band):
    """Where the error of the best possible model lies."""
    low = "not known" if band["low"] is None else amount(band["low"])
    return f"the least error of any model is between {low} and {amount(band['high'])} ({band['unit']})"


def certainty_phrase(told):
    """Which predictions no repair can change."""
    where = ", ".join(name_of(one) for one in told["columns"])
    said = f"{percent(told['certain'])} of {several(told['rows'], 'prediction')} by {told['model']} stay whatever is true of {several(told['doubtful_cells'], 'doubtful cell')} in {where}"
    if told["accuracy_low"] is None:
        return said
    return f"{said}; accuracy stays between {amount(told['accuracy_low'])} and {amount(told['accuracy_high'])}"


def outlook_views(audit):
    """What the page shows: curves with their plots, the band with its picture, and the words of the rest."""
    told = audit.outlook
    if not told:
        return None
    curves = [
        {
            "name": _NOISE.get(one["corruption"], one["corruption"]),
            "said": curve_phrase(one),
            "way": _WAYS.get(one["method"], ""),
            "plot": figures.curve(one["points"], [point["score"] for point in one["points"]], one["corruption"]),
        }
        for one in told["curves"]
    ]
    band = told["band"]
    return {
        "curves": curves,
        "band": None if band is None else band_phrase(band),
        "picture": "" if band is None or band["low"] is None or not band["unit"].startswith("1 - ") else _picture(band),
        "certainty": None if told["certainty"] is None else certainty_phrase(told["certainty"]),
        "share": "" if told["certainty"] is None else figures.bar(told["certainty"]["certain"]),
    }


def _picture(band):
    """The band, from an error of 0 to 1, or to its end."""
    most = max(1.0, band["high"])
    return figures.band(band["low"], band["high"], most, f"from {amount(band['low'])} to {amount(band['high'])} of {amount(most)}")
