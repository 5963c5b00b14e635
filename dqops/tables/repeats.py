"""Rows that are equal: which row each repeats, and whether chance alone would have made them so."""

from dataclasses import dataclass
from itertools import combinations
from zlib import crc32

import numpy as np
import polars as pl

# Enough rows to learn how often chance makes two rows equal, and columns that tell rows apart best.
_COUNTED_FROM = 100_000  # rows from which distinct values are estimated: in one part of this many of their hashes
_PART = 16
_FEWEST_COUNTED = 1_000  # values in that part that give an estimate
_SAMPLED_ROWS = 4000
_TELLING_COLUMNS = 8
_PAIRED_COLUMNS = 5
# A column follows from the others where almost no rows differ in it alone.
_FOLLOWS = 0.01
_LEAST_EXPECTED = 1e-30
# How much the log likelihood must rise before the expected coincidences are taken for a poor guide.
_TRUST = 12.0
_GLANCE_ROWS = 2000
# Of very wide tables so many columns are asked which tells rows apart, and hashed at once where rows are few.
_ASKED_COLUMNS = 400
_HASHED_AT_ONCE = 256
_FEW_ROWS = 20_000
_HEXADECIMAL = r"^[0-9a-fA-F]+(-[0-9a-fA-F]+)*$"
_DATE = r"^\d{1,4}[-/.]\d{1,2}[-/.]\d{1,4}"


@dataclass(frozen=True, eq=False)
class Repeats:
    """Which row each row repeats, and how surely that is no coincidence.

    Parameters
    ----------
    first : int64 (n,)
        Position of the first row with the same cells; a row's own position where nothing precedes it.
    score : float64 (n,)
        Probability that a row equal to another was copied, and would have no equal otherwise; 0 for rows that
        no other row equals.
    """

    first: np.ndarray
    score: np.ndarray

    @property
    def later(self):
        """Positions of the rows that repeat an earlier one."""
        return np.flatnonzero(self.first != np.arange(len(self.first)))


def duplicate_groups(table, target=False):
    """The group of equal rows that each row belongs to, chance repeats apart.

    Splits keep a group on one side. Columns that merely number the rows do not count. Where so few and coarse
    columns describe a row that equal rows must be expected, each row is a group of its own.

    Parameters
    ----------
    table : Table
    target : bool, default False
        Rows must be equal in the target, too.

    Returns
    -------
    int64 (n,)
        Position of the first row of the group.

    Examples
    --------
    >>> from dqops.tables.table import Table
    >>> frame = pl.DataFrame({"x": [0.213, 0.518, 0.213, 0.934], "y": [1, 0, 1, 0]})
    >>> duplicate_groups(Table(frame, frame, pl.Series([0, 1, 2, 3])).with_roles(target="y")).tolist()
    [0, 1, 0, 3]
    """
    names = describing(table.frame, table.features)
    if not names:
        return np.arange(table.n_rows)
    if target and table.roles.target is not None:
        names = [*names, table.roles.target]
    found = repeats(table.frame.select(names))
    return np.where(found.score >= 0.5, found.first, np.arange(table.n_rows))


def describing(frame, columns):
    """Those of the columns that say something about a row and do not merely number it.

    >>> describing(pl.DataFrame({"id": [4, 5, 6, 7], "size": [2.5, 1.5, 2.5, 3.5]}), ["id", "size"])
    ['size']
    """
    return [name for name in columns if not numbers_rows(frame[name])]


def numbers_rows(cells):
    """Is the column a running number or a code, another one for each row?

    Unique whole numbers that rise, that fill their range, or that are spread so densely that measurements would
    have met; unique texts without spaces that differ in their digits alone.

    >>> numbers_rows(pl.Series(["a-17", "a-03", "a-44", "a-29"]))
    True
    >>> numbers_rows(pl.Series([0.1, 0.2, 0.3, 0.4]))
    False
    """
    if len(cells) < 3 or not (cells.dtype.is_integer() or cells.dtype == pl.String) or cells.null_count():
        return False
    glance = cells.head(_GLANCE_ROWS)
    if glance.n_unique() < len(glance):
        return False
    if cells.dtype == pl.String:
        return _is_code(glance) and cells.n_unique() == len(cells)
    return cells.n_unique() == len(cells) and _is_running(cells)


def _is_running(numbers):
    steps = numbers.cast(pl.Float64).diff().drop_nulls()
    if (steps > 0).all() or (steps < 0).all():
        return True
    low, high = numbers.quantile(0.25), numbers.quantile(0.75)
    meetings_expected = (len(numbers) / 2) ** 2 / 2 / max(high - low, 1.0)
    return meetings_expected > 10


def _is_code(texts):
    if texts.str.contains(r"\s").any() or texts.str.contains(_DATE).all():
        return False
    if not texts.str.contains(r"\d").all():
        return False
    if texts.str.contains(_HEXADECIMAL).all() and texts.str.len_chars().n_unique() == 1:
        return True
    return texts.str.replace_all(r"\d+", "").n_unique() <= max(2, len(texts) // 100)


def repeats(frame, total=None):
    """Equal rows of a frame, each with the probability that it was copied.

    Whether chance explains a repeat is read off the row's own neighbourhood: where many rows differ from it in
    one column only, one that differs in none must be expected. Rows with a partner are a mixture of copies (share
    `p` of all rows) and coincidences (Poisson, `l` times the expected number); the score averages over `p` and
    `l` by their likelihood. A cell is empty by chance as often as its column is.

    Parameters
    ----------
    frame : polars.DataFrame
        Describing columns only (see `describing`).
    total : uint64 (n,), optional
        Of `hash_rows`, where it is known.

    Returns
    -------
    Repeats
        In O(rows x columns).

    Examples
    --------
    >>> repeats(pl.DataFrame({"x": [0.213, 0.518, 0.213, 0.934]})).first.tolist()
    [0, 1, 0, 3]
    >>> repeats(pl.DataFrame({"sex": ["f", "m"] * 50})).score.max().round(2)
    np.float64(0.0)
    """
    n_rows = frame.height
    alone = Repeats(np.arange(n_rows), np.zeros(n_rows))
    if n_rows < 2 or not frame.width:
        return alone
    total = hash_rows(frame) if total is None else total
    twins = np.flatnonzero(pl.Series(total).is_duplicated().to_numpy()) if _any_equal(total) else []
    if not len(twins):
        return alone
    first = np.arange(n_rows)
    first[twins] = twins[_first_equal(total[twins])]
    heads, group, sizes = np.unique(first[twins], return_inverse=True, return_counts=True)
    others = np.setdiff1d(np.linspace(0, n_rows - 1, min(n_rows, _SAMPLED_ROWS)).astype(np.int64), twins)
    asked = np.concatenate([heads, others])
    sizes = np.concatenate([sizes, np.ones(len(others))])
    weight = np.append(sizes[: len(heads)], np.full(len(others), (n_rows - len(twins)) / max(len(others), 1)))
    expected = expected_twins(frame, total, asked, sizes, weight)
    copied = _copied(expected, np.arange(len(asked)) < len(heads), weight)
    score = np.zeros(n_rows)
    score[twins] = copied[: len(heads)][group]
    return Repeats(first, score)


def hash_rows(frame):
    """Hash of each row, uint64 (n,): the sum of its cells' hashes, so that a column can be taken out again."""
    total, names = np.zeros(frame.height, dtype=np.uint64), frame.columns
    for start in range(0, len(names), _HASHED_AT_ONCE):
        part = names[start : start + _HASHED_AT_ONCE]
        if len(part) == 1 or frame.height > _FEW_ROWS:
            for name in part:
                total += hash_cells(frame, name)
        else:
            hashes = frame.select(pl.col(name).hash(crc32(name.encode())) for name in part)
            total += hashes.to_numpy().sum(axis=1, dtype=np.uint64)
    return total


@dataclass(frozen=True, eq=False)
class Hashed:
    """What one pass over the hashes of all cells leaves.

    Parameters
    ----------
    rows : uint64 (n,)
        Of `hash_rows`.
    distinct : dict of str to int
        About how many distinct values (null among them) each column holds; only where rows and values are many.
    """

    rows: np.ndarray
    distinct: dict


def hashed(frame):
    """`Hashed` cells of a frame.

    Distinct values are counted among the hashes of a fixed part of all values. (Flajolet 1990, Computing 43:391-400,
    doi:10.1007/BF02241657, who credits Wegman.)

    >>> hashed(pl.DataFrame({"a": range(200_000)})).distinct["a"] // 10_000 in (19, 20)
    True
    """
    if frame.height <= _COUNTED_FROM:
        return Hashed(hash_rows(frame), {})
    total, distinct = np.zeros(frame.height, dtype=np.uint64), {}
    for name in frame.columns:
        hashes = hash_cells(frame, name)
        total += hashes
        drawn = np.sort(hashes[np.flatnonzero(hashes < np.uint64(2**64 // _PART))])
        part = np.count_nonzero(drawn[1:] != drawn[:-1]) + 1
        if part >= _FEWEST_COUNTED:
            distinct[name] = part * _PART
    return Hashed(total, distinct)


def hash_cells(frame, name):
    """Hash of each cell of a column, uint64 (n,); equal cells of two columns differ."""
    return frame[name].hash(crc32(name.encode())).to_numpy()


def expected_twins(frame, total, asked, sizes, weight):
    """How many rows equal to each of these chance should give.

    The greatest of: the rows that chance would give if the columns were independent; over columns, (rows equal
    to it everywhere but there) times (share of other rows with its value there); the same over pairs of columns,
    where one that follows from the rest costs no further coincidence; and over pairs, (rows that differ in one
    only) times (in the other only) over (in both), which holds however the columns depend on the rest.

    Parameters
    ----------
    frame : polars.DataFrame
    total : uint64 (n,)
        Of `hash_rows`.
    asked : int64 (m,)
        Row positions.
    sizes : float64 (m,)
        Rows equal to each, itself included.
    weight : float64 (m,)
        Rows of the table that each stands for.

    Returns
    -------
    float64 (m,)
    """
    cells = {name: hash_cells(frame, name) for name in _most_telling(frame)}
    share = {name: _share_of(hashes, asked, sizes) for name, hashes in cells.items()}
    near = {name: _near(total - hashes, asked, sizes) for name, hashes in cells.items()}
    by_all = len(total) * np.prod(list(share.values()), axis=0) if frame.width <= len(cells) else 0.0
    by_one = [_steadied(near[name], weight) * share[name] for name in cells]
    by_two = []
    for one, other in combinations(list(cells)[:_PAIRED_COLUMNS], 2):
        either = _near(total - cells[one] - cells[other], asked, sizes)
        if either.any():
            both = _steadied(either - near[one] - near[other], weight)
            singly = _steadied(near[one], weight) * _steadied(near[other], weight)
            by_two.append(singly / np.maximum(both, 1 / len(total)))
            by_two.append(_steadied(either, weight) * _joint_share(cells, share, near, sizes, one, other, asked))
    return np.max([np.broadcast_to(by_all, len(asked)), *by_one, *by_two], axis=0)


def _joint_share(cells, share, near, sizes, one, other, asked):
    """Share of the other rows with the asked row's two values; of its one value where the other follows."""
    repeated = sizes > 1
    follows = {name: near[name][repeated].sum() <= _FOLLOWS * sizes[repeated].sum() for name in (one, other)}
    free = [share[name] for name, spouse in ((one, other), (other, one)) if follows[spouse]]
    return np.max(free, axis=0) if free else _share_of(cells[one] + cells[other], asked, sizes)


def _near(rest, asked, sizes):
    """How many rows are equal to each asked one in the rest, but not altogether."""
    return _count_in(rest, rest[asked]) - sizes


def _steadied(counts, weight):
    """Counts drawn towards their mean, the more the less they vary beyond what Poisson counts would.

    The posterior mean under a gamma distribution of means (Robbins 1956's empirical Bayes, by moments).
    """
    mean = np.average(counts, weights=weight)
    beyond = np.average((counts - mean) ** 2, weights=weight) - mean
    if mean == 0 or beyond <= 0:
        return np.full(len(counts), mean)
    shape = mean**2 / beyond
    return (counts + shape) * mean / (mean + shape)


def _share_of(hashes, asked, sizes):
    """Share of the other rows with the value of each asked one.

    A value that no other row has is as likely as two rows with one value are.
    """
    n_rows = len(hashes)
    others = _count_in(hashes, hashes[asked]) - np.minimum(sizes, 2)
    unseen = min(1.0, others[sizes == 1].mean() if (sizes == 1).any() else 1.0)
    return np.where(others > 0, others, unseen) / n_rows


def _most_telling(frame):
    """Columns in which two rows differ most often: they decide whether rows coincide."""
    glance = frame.gather_every(max(1, frame.height // _SAMPLED_ROWS))
    meet, names = {}, frame.columns
    for name in names[:: max(1, len(names) // _ASKED_COLUMNS)]:
        counts = np.unique(hash_cells(glance, name), return_counts=True)[1]
        meet[name] = float(((counts / glance.height) ** 2).sum())
    return sorted(meet, key=meet.get)[:_TELLING_COLUMNS]


def _any_equal(hashes):
    return pl.Series(hashes).n_unique() < len(hashes)


def _first_equal(hashes):
    """Index of the first equal hash, for each hash."""
    _, index, inverse = np.unique(hashes, return_index=True, return_inverse=True)
    return index[inverse]


def _count_in(hashes, asked):
    """How often each asked hash stands in `hashes`."""
    wanted = pl.Series("hash", asked).unique()
    held = pl.DataFrame({"hash": hashes}).join(wanted.to_frame(), on="hash", how="semi")
    counts = held.group_by("hash").len()
    found = pl.DataFrame({"hash": asked}).join(counts, on="hash", how="left", maintain_order="left")
    return found["len"].fill_null(0).to_numpy().astype(np.float64)


def _copied(expected, has_twin, weight):
    """Probability that a row has its twin by copying alone, averaged over the unknown rates.

    Coincidences have the mean ``l * expected ** g``: with g below 1 where the expectation is a poor guide.
    """
    edges = np.append(_LEAST_EXPECTED, np.geomspace(1e-9, max(expected.max(), 1.0), 60))
    bins = np.clip(np.searchsorted(edges, expected), 0, len(edges) - 1)
    with_twin = np.bincount(bins, weight * has_twin, len(edges))
    without = np.bincount(bins, weight * ~has_twin, len(edges))
    share = np.geomspace(0.5 / weight.sum(), 0.9, 40)[:, None, None]
    likelihood, copied = [], []
    for guide in (1.0, 0.75, 0.5):
        mean = edges**guide
        times = _best_times(share, mean, with_twin + without, with_twin.sum()) * np.geomspace(0.01, 100.0, 33)[:, None]
        any_twin = share + (1 - share) * -np.expm1(-times * mean)
        seen = with_twin * np.log(any_twin) + without * (np.log1p(-share) - times * mean)
        likelihood.append(seen.sum(axis=2, keepdims=True) - (np.log10(times)) ** 2 / 2 - _TRUST * (1 - guide))
        copied.append(share * np.exp(-times * mean) / any_twin)
    plausible = np.exp(np.array(likelihood) - np.max(likelihood))
    return ((plausible * np.array(copied)).sum(axis=(0, 1, 2)) / plausible.sum())[bins]


def _best_times(share, mean, weight, with_twin):
    """The factor on the mean coincidences that fits the number of rows with a twin, for each share."""
    low, high = np.full(share.shape, np.log(1e-4)), np.full(share.shape, np.log(1e4))
    for _ in range(40):
        middle = (low + high) / 2
        twins = (weight * (1 - (1 - share) * np.exp(-np.exp(middle) * mean))).sum(axis=2, keepdims=True)
        low, high = np.where(twins < with_twin, middle, low), np.where(twins < with_twin, high, middle)
    return np.exp((low + high) / 2)
