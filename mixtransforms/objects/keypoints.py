"""Keypoints: single points, and the points of instances; which of them a mixed sample still shows."""

# No `from __future__ import annotations`: signatures must show types, not strings.
import dataclasses
import numbers
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, NamedTuple

import numpy as np

from mixtransforms.core import fields as checked
from mixtransforms.core.compositing import Contributions
from mixtransforms.core.errors import InputError
from mixtransforms.core.layers import BoolArray, FloatArray
from mixtransforms.objects.boxes import EVEN, place_points

POINT_LETTERS = "xyvasz"
"""Columns that are known: position, visibility, and what is carried along: angle, scale, depth."""

BY_WIDTH = {2: "xy", 3: "xyv"}
"""What columns are where nothing is declared."""

UNLABELLED, HIDDEN = 0.0, 1.0
"""Visibility of a point that nobody marked, and of one that is marked but covered; 2 is a visible one."""

MAJORITY = 0.5
"""The least weight by which a source owns a pixel where weights vary from pixel to pixel."""


def _checked_columns(value: Any) -> str:
    if not isinstance(value, str) or len(set(value)) != len(value):
        raise ValueError
    if value and not {"x", "y"} <= set(value) <= set(POINT_LETTERS):
        raise ValueError
    return value


def _checked_count(value: Any) -> int:
    if isinstance(value, (bool, np.bool_)) or not isinstance(value, numbers.Integral) or value < 0:
        raise ValueError
    return int(value)


@checked.documented
@dataclass(frozen=True, repr=False)
class Keypoints(checked.Checked):
    """How keypoints are mixed: those that a sample no longer shows are hidden, unlabelled or dropped.

    Coordinates are absolute pixels, where pixel ``j`` covers ``[j, j + 1)``. Angles, scales and depths stay as they
    are, also where a source is resized or mirrored; a mirror takes a whole number to the pixel that shows its own, and
    leaves the order of points as it is: a left eye is still the one that was called so.
    """

    name: ClassVar[str] = "keypoints"
    """What the kind is called where kinds are declared."""

    columns: str = checked.parameter(
        "",
        _checked_columns,
        f"letters of {POINT_LETTERS!r}, each at most once, x and y among them, or ''",
        "What the numbers of a point are: x, y, v (visibility: 0 unlabelled, 1 hidden, 2 visible), a (angle), "
        "s (scale), z (depth); '' for 'xy' or 'xyv', by their number.",
        {"type": "string", "pattern": f"^[{''.join(POINT_LETTERS)}]*$"},
    )
    occluded: str | None = checked.optional_choice(
        ("hide", "unlabel", "drop"),
        "What becomes of a point of the sample that a paste covers: 'hide' (visibility 2 becomes 1), 'unlabel' "
        "(visibility 0), 'drop' (the point is removed; only single points). None hides the points of instances and "
        "drops single points.",
    )
    min_visible: int = checked.parameter(
        1,
        _checked_count,
        "a whole number, at least 0",
        "An instance that loses points is dropped where fewer labelled ones than this are still seen.",
        {"type": "integer", "minimum": 0},
    )
    fields: Sequence[str | int] = checked.names(
        "names, positions or dotted paths",
        "More values that stand one an instance (or single point) beside the keypoints.",
        (str, int),
    )
    single: bool = dataclasses.field(default=False, init=False)
    """Whether every point is an object of its own; told by :meth:`settled`."""

    def settled(self, width: int, single: bool, where: str = "keypoints") -> "Keypoints":
        """The rules for keypoints of a certain form, with nothing left open, as :func:`see_keypoints` needs them.

        Args:
            width: Numbers a point, ``C``.
            single: Whether every point is an object of its own, ``(P, C)``; else there are instances, ``(N, K, C)``.
            where: The place of the keypoints, for the error.

        Returns:
            Rules whose ``columns`` and ``occluded`` are set. Of single points, those that are hidden or unlabelled
            are all kept, where they are in the image at all: ``min_visible`` is 0.

        Raises:
            InputError: The columns do not fit, or the rule for covered points does not suit this form.
        """
        columns = columns_of(self.columns, width, where)
        occluded = self.occluded or ("drop" if single else "hide")
        if occluded == "unlabel" and "v" not in columns:
            raise InputError(
                "No visibility to unlabel covered keypoints by",
                where=where,
                got=f"columns {columns!r} with occluded='unlabel'",
                wanted="a column v",
                fix="Give points as x, y, v, or choose occluded='hide'.",
            )
        if occluded == "drop" and not single:
            raise InputError(
                "Points of instances cannot be dropped one by one",
                where=where,
                got="shape (N, K, C) with occluded='drop'",
                wanted="single points (P, C)",
                fix="Choose occluded='hide' or 'unlabel'; min_visible drops instances that lose too many points.",
            )
        # A single point that is to be dropped is an instance of one point, which must be seen; others all stay.
        least = {"drop": 1}.get(occluded, 0) if single else self.min_visible
        result = dataclasses.replace(self, columns=columns, occluded=occluded, min_visible=least)
        object.__setattr__(result, "single", single)
        return result


def columns_of(columns: str, width: int, where: str = "keypoints") -> str:
    """What every number of a point is.

    Args:
        columns: The declared letters; ``""`` for ``"xy"`` or ``"xyv"``, by their number.
        width: Numbers a point.
        where: The place of the keypoints, for the error.

    Raises:
        InputError: There are more or fewer numbers than letters, or nothing is declared for an unusual number.
    """
    found = columns or BY_WIDTH.get(width, "")
    if len(found) != width:
        raise InputError(
            "Keypoints of another width",
            where=where,
            got=f"{width} numbers a point",
            wanted=f"{len(found)}, because columns={found!r}" if found else "2 (x, y) or 3 (x, y, v)",
            fix=f"Declare what they are, such as Keypoints('xya'), by letters of {POINT_LETTERS!r}.",
        )
    return found


class SeenPoints(NamedTuple):
    """Keypoints in samples of the result; one entry an instance.

    Attributes:
        keep: Instances that stay, ``(N,)``.
        points: All instances, ``(N, K, C)`` float64, moved as the source is, with the visibility they now have; the
            array that was given where nothing changes.
        visible: Labelled points that are seen, ``(N, K)``.
        changed: Instances that are moved or have lost a point, ``(N,)``.
    """

    keep: BoolArray
    points: FloatArray
    visible: BoolArray
    changed: BoolArray


def see_keypoints(part: Contributions, points: FloatArray, rules: Keypoints) -> SeenPoints:
    """What keypoints become in samples of the result.

    A point is seen where it lies inside the sample and its source owns the pixel: by any weight where the source has
    the same one wherever it shows (pastes, blends, and both at once), by half or more where weights vary (soft masks).
    A labelled point that is not seen is lost. Points that are in the sample's own image stay in place when they are
    covered, and what lies outside of it, or has no position (NaN), is covered by nothing and stays as it came. A
    partner's lost points are not in the image: they become unlabelled. A blend of whole samples takes nothing away.

    Args:
        part: What a sample shows of the source of all instances, or one entry an instance.
        points: Keypoints, ``(N, K, C)`` float64 in pixels, with the columns of the rules; single points as
            ``(P, 1, C)``.
        rules: :meth:`Keypoints.settled` rules: what the columns are, what becomes of the sample's own covered points,
            and of how many labelled points at least instances that lose some must still be seen.

    Returns:
        The keypoints; ``points`` itself is left alone.
    """
    yx, v, own = [rules.columns.index("y"), rules.columns.index("x")], rules.columns.find("v"), part.is_base
    placed = place_points(part, points[..., yx], pixels=True)
    if part.moved.any():
        points = points.copy()
        points[..., yx] = placed
    inside, owned = _owned_points(part, placed)
    labelled = points[..., v] > UNLABELLED if v >= 0 else np.ones_like(owned)
    lost, visible = labelled & ~owned, labelled & owned
    lost &= inside | ~(own | _blends_whole(part))[:, None]
    if v >= 0 and lost.any():
        points = points.copy()
        value = np.where(own & (rules.occluded == "hide"), HIDDEN, UNLABELLED)
        points[..., v] = np.where(lost, value[:, None], points[..., v])
    # Instances that lose nothing stay, however few of their points are labelled: mixing has not touched them.
    cut = np.asarray(lost.any(axis=1))
    stays = visible.sum(axis=1) >= rules.min_visible
    if rules.single:  # its own, which are covered, are in the image still; a partner's, which are not shown, are not
        stays &= own | visible.any(axis=1)
    return SeenPoints(~cut | stays, points, visible, cut | part.moved)


def _owned_points(part: Contributions, placed: FloatArray) -> tuple[BoolArray, BoolArray]:
    """Which points ``(N, K, 2)`` lie inside the sample, and which of them on a pixel of the source."""
    inside, cells = np.ones(placed.shape[:-1], np.bool_), []
    for axis, edges in enumerate(part.edges):
        at, cuts = placed[..., axis], edges[..., None]  # NaN compares false: it is nowhere
        inside &= (at >= cuts[0]) & (at < cuts[-1])
        cells.append((at >= cuts[1:-1]).sum(axis=0))
    entry = np.arange(len(part))[:, None]
    return inside, inside & (part.weight[(*cells, entry)] >= _least_weight(part)[:, None])


def _least_weight(part: Contributions) -> FloatArray:
    """The weight by which a source owns a pixel, ``(n,)``."""
    support = part.weight > 0
    least = np.where(support, part.weight, np.inf).min(axis=(0, 1), initial=np.inf)
    # Of weights that vary, a majority: else a point would be seen that is all but covered.
    return np.where(_even(part.weight, support), least, MAJORITY)


def _blends_whole(part: Contributions) -> BoolArray:
    """Whether sources show everywhere at their own place, by one weight, ``(n,)``."""
    return ~part.moved & _even(part.weight, part.filled)


def _even(weight: FloatArray, cells: BoolArray) -> BoolArray:
    """Whether weights ``(rows, columns, n)`` are one weight on some of the cells, ``(n,)``."""
    return np.asarray(weight.var(axis=(0, 1), where=cells) <= EVEN)


def weight_of(part: Contributions) -> FloatArray:
    """The weight of sources where they show, ``(n,)``: the one they have everywhere, or the mean of those they have."""
    return np.asarray(part.weight.mean(axis=(0, 1), where=part.weight > 0))
