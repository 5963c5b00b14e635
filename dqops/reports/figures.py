"""Figures as inline SVG: drawn in percent of their width, coloured by the page, the same bytes each time.

Positions are percentages, so that a figure fits a phone and a sheet of paper without its strokes and texts
being scaled; colours are classes of the page's style sheet, so that figures follow it into the dark.
"""

from dataclasses import dataclass
from math import ceil, floor, isfinite, log10

from markupsafe import Markup, escape

from dqops.reports.words import amount

TRACK_HEIGHT = 26
HISTOGRAM_HEIGHT = 72
MARK_HEIGHT = 12
CURVE_WIDTH, CURVE_HEIGHT = 100, 30  # in percent, and in units of its own
REACH = 1.4


@dataclass(frozen=True)
class Axis:
    """A stretch of score units that a column of intervals shares; always holds `origin`.

    Parameters
    ----------
    low, high : float
    origin : float
        Where the reference line stands: 0 for gains.
    """

    low: float
    high: float
    origin: float = 0.0

    def place(self, value):
        """Where `value` stands, in percent of the width, held inside it.

        >>> Axis(-1.0, 3.0).place(0), Axis(-1.0, 3.0).place(99)
        (25.0, 100.0)
        """
        share = (value - self.low) / (self.high - self.low)
        return round(100 * min(max(share, 0.0), 1.0), 2)

    def ticks(self, count=5):
        """Round values inside the axis: pairs of place and text.

        >>> Axis(-0.004, 0.021).ticks()
        [(16.0, '0'), (36.0, '+0.005'), (56.0, '+0.01'), (76.0, '+0.015'), (96.0, '+0.02')]
        """
        return [(self.place(value), _signed(value)) for value in round_values(self.low, self.high, count)]


def _signed(value):
    return amount(value).replace("-", "\N{MINUS SIGN}") if value <= 0 else f"+{amount(value)}"


def axis_of(estimates):
    """An axis on which these gains can be compared; a few very wide intervals are cut rather than shown.

    >>> from dqops.results.gain import Estimate
    >>> axis_of([Estimate(0.01, 0.0, 0.02), Estimate(0.0, -9.0, 9.0)]).high < 0.1
    True
    """
    if not estimates:
        return Axis(-1.0, 1.0)
    halves = sorted((one.high - one.low) / 2 for one in estimates)
    reach = REACH * max(max(abs(one.expected) for one in estimates), halves[len(halves) // 2 - (len(halves) % 2 == 0)])
    reach = max(reach, REACH * max((one.high for one in estimates if one.low > 0), default=0.0) / 2) or 1.0
    low = max(min(min(one.low for one in estimates), 0.0), -2 * reach)
    high = min(max(max(one.high for one in estimates), 0.0), 2 * reach)
    pad = 0.06 * (high - low) or 1.0
    return Axis(low - pad, high + pad)


def round_values(low, high, count=4):
    """At most about `count` round values in [low, high].

    >>> round_values(0.42, 80.0)
    [20.0, 40.0, 60.0, 80.0]
    """
    if not (isfinite(low) and isfinite(high)) or high <= low:
        return []
    step = 10.0 ** floor(log10((high - low) / count))
    step *= next(factor for factor in (1, 2, 2.5, 5, 10) if (high - low) / (step * factor) <= count)
    digits = max(0, 2 - floor(log10(step)))
    return [round(turn * step, digits) + 0.0 for turn in range(ceil(low / step - 1e-9), floor(high / step + 1e-9) + 1)]


def interval(estimate, axis, said):
    """One gain on its axis: a dot, its interval, the zero line; arrows where the interval goes on.

    A filled dot says that the interval leaves zero out, a hollow one that it holds zero.
    """
    sure = "sure" if estimate.low > 0 else "harm" if estimate.high < 0 else "open"
    zero, left, dot, right = (axis.place(one) for one in (axis.origin, estimate.low, estimate.expected, estimate.high))
    middle = TRACK_HEIGHT // 2
    parts = [
        f'<line class="zero" x1="{zero}%" x2="{zero}%" y1="-40" y2="{TRACK_HEIGHT + 40}"/>',
        f'<line class="span" x1="{left}%" x2="{right}%" y1="{middle}" y2="{middle}"/>',
        *(_arrow(left, middle, "‹") if estimate.low < axis.low else _cap(left, middle)),
        *(_arrow(right, middle, "›") if estimate.high > axis.high else _cap(right, middle)),
        f'<circle cx="{dot}%" cy="{middle}" r="4.5"/>',
    ]
    return _svg(f"interval {sure}", TRACK_HEIGHT, said, parts)


def scale_marks(axis):
    """The ticks above a column of intervals."""
    parts = [f'<text x="{place}%" y="11" text-anchor="middle">{escape(text)}</text>' for place, text in axis.ticks()]
    return _svg("marks", 16, None, parts)


def histogram(counts, doubtful, said):
    """Bars of a number column; a mark under each bar that holds doubtful cells, however few."""
    highest = max(counts, default=0) or 1
    width = 100 / max(len(counts), 1)
    parts = []
    for place, count in enumerate(counts):
        doubts = doubtful[place] if place < len(doubtful) else 0
        left = round(place * width, 2)
        height = _height(count, highest)
        parts.append(f'<rect class="bar" x="{left}%" y="{HISTOGRAM_HEIGHT - height}" width="{round(width * 0.9, 2)}%" height="{height}"/>')
        if doubts:
            part = min(_height(doubts, highest), height)
            parts.append(f'<rect class="doubt" x="{left}%" y="{HISTOGRAM_HEIGHT - part}" width="{round(width * 0.9, 2)}%" height="{part}"/>')
            parts.append(f'<circle class="doubt" cx="{round(left + width * 0.45, 2)}%" cy="{HISTOGRAM_HEIGHT + 7}" r="2.5"/>')
    parts.append(f'<line class="floor" x1="0" x2="100%" y1="{HISTOGRAM_HEIGHT}" y2="{HISTOGRAM_HEIGHT}"/>')
    return _svg("histogram", HISTOGRAM_HEIGHT + MARK_HEIGHT, said, parts)


def histogram_marks(low, high):
    """Round values under a histogram; the ends themselves are raw values and stay unsaid."""
    if not (isfinite(low) and isfinite(high)) or high <= low:
        return Markup("")
    places = [(100 * (value - low) / (high - low), amount(value)) for value in round_values(low, high)]
    anchors = [("start" if place < 6 else "end" if place > 94 else "middle", place, text) for place, text in places]
    parts = [f'<text x="{place:.2f}%" y="11" text-anchor="{anchor}">{escape(text)}</text>' for anchor, place, text in anchors]
    return _svg("marks", 16, None, parts)


def bar(share, doubtful=0.0):
    """A share in [0, 1] as a bar in its trough, with the doubtful part of it marked."""
    parts = [
        '<rect class="trough" width="100%" height="8" rx="2"/>',
        f'<rect class="bar" width="{_percent(share)}%" height="8" rx="2"/>',
    ]
    if doubtful:
        parts.append(f'<rect class="doubt" width="{_percent(doubtful)}%" height="8" rx="2"/>')
    return _svg("share", 8, None, parts)


def band(low, high, most, said):
    """A stretch of a trough that goes from 0 to `most`."""
    start, width = _percent(low / most), max(_percent((high - low) / most), 0.3)
    parts = ['<rect class="trough" width="100%" height="8" rx="2"/>', f'<rect class="bar" x="{start}%" width="{width}%" height="8" rx="2"/>']
    return _svg("share", 8, said, parts)


def curve(points, fitted, name):
    """A noise curve, its band and the mean scores, from points as a saved run has them and the fitted scores."""
    low = min(min(point["low"], point["score"]) for point in points)
    high = max(max(point["high"], point["score"]) for point in points)
    pad = 0.08 * (high - low) or 0.01
    low, high = low - pad, high + pad
    last = points[-1]["rate"]

    def place(rate, score):
        return f"{92 * rate / last + 7:.2f},{CURVE_HEIGHT * (high - score) / (high - low):.2f}"

    band = " ".join([place(point["rate"], point["low"]) for point in points] + [place(point["rate"], point["high"]) for point in reversed(points)])
    line = " ".join(place(point["rate"], score) for point, score in zip(points, fitted, strict=True))
    dots = Markup("").join(Markup('<circle class="dot" cx="{}" cy="{}" r="0.7"/>').format(*place(point["rate"], point["score"]).split(",")) for point in points)
    marks = Markup("").join(
        Markup('<text x="0" y="{}" class="mark">{}</text>').format(f"{CURVE_HEIGHT * (high - value) / (high - low) + 0.8:.2f}", f"{value:g}") for value in round_values(low, high)
    )
    feet = Markup("").join(
        Markup('<text x="{}" y="{}" class="mark" text-anchor="middle">{}</text>').format(f"{92 * point['rate'] / last + 7:.2f}", CURVE_HEIGHT + 3, f"{point['rate']:.0%}") for point in points
    )
    said = f"{name}: {points[0]['score']:.3f} without noise, {points[-1]['score']:.3f} at {last:.0%}"
    return Markup(
        '<svg class="curve" viewBox="0 0 {} {}" role="img" aria-label="{}">{}{}<polygon class="band" points="{}"/><polyline class="fit" points="{}"/>{}</svg>'
    ).format(CURVE_WIDTH, CURVE_HEIGHT + 4, said, marks, feet, band, line, dots)


def _svg(kind, height, said, parts):
    """An SVG element; a picture with words for those who cannot see it, or hidden where a text says the same."""
    seen = f'role="img" aria-label="{escape(said)}"' if said else 'aria-hidden="true"'
    return Markup(f'<svg class="{kind}" width="100%" height="{height}" {seen}>{"".join(parts)}</svg>')


def _height(count, highest):
    return max(round(HISTOGRAM_HEIGHT * count / highest, 1), 1.5) if count else 0


def _percent(share):
    return round(100 * min(max(share, 0.0), 1.0), 2)


def _cap(place, middle):
    return [f'<line class="cap" x1="{place}%" x2="{place}%" y1="{middle - 4}" y2="{middle + 4}"/>']


def _arrow(place, middle, sign):
    anchor = "start" if sign == "‹" else "end"
    return [f'<text class="on" x="{place}%" y="{middle + 5}" text-anchor="{anchor}">{sign}</text>']
