"""What a method does to samples on average, measured on plans that it draws. No formula of any method is used here."""

from __future__ import annotations

import dataclasses
import itertools
from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from mixtransforms.core.compositing import Contributions, all_contributions, measure
from mixtransforms.core.errors import InputError, ParameterError, PlanError
from mixtransforms.core.layers import BoolArray, FloatArray, Layer, Mask
from mixtransforms.methods.base import Method
from mixtransforms.methods.pairing import Hints
from mixtransforms.plan import BatchSpec, Plan
from mixtransforms.rng.keys import Key
from mixtransforms.show.methods.made_up import made_up_hints

HEAVY, HARDLY = 0.75, 0.95
"""The largest share of a source or of a class below which a sample is heavily mixed, and above which hardly."""

_DRAWING_SEED = 0  # one for all, so that two figures of a method are equal

# 30,000 samples make the bars of a histogram of 20 bins, 1,500 samples each, certain to within about 3 %. Plans for a
# choice or a region that a whole batch shares show one sample only: 400 of them at least, 1,200 at most.
_ENOUGH, _LEAST, _MOST = 30_000, 400, 1_200
"""Samples that differ, which is enough; least plans, for choices that a whole batch shares; most plans."""
_MOST_COMPUTED = 5 * 10**7
"""Roughly the numbers that are computed for all plans; it bounds the time of methods that paint through masks,
which are read cell by cell."""
_SAMPLE_BY_SAMPLE = 20_000
"""What a sample that is painted on several times costs beside those that are measured all at once."""
_ALIKE = 1e-9
"""Differences below this are rounding, of sums over all samples."""


class WeightStats(NamedTuple):
    """What ``N`` drawn samples are made of.

    Attributes:
        own: Share of the sample itself in its result, ``(N,)``.
        label: Share of it that labels get, where some plan declares another one than was painted, ``(N,)``.
        largest: Share of the source that shows most, ``(N,)``.
        pasted: Part of the area that is pasted, ``(N,)``: in a region, with opacity 1.
    """

    own: FloatArray
    label: FloatArray | None
    largest: FloatArray
    pasted: FloatArray

    @property
    def mixed(self) -> BoolArray:
        """Samples that show something of another one, ``(N,)``."""
        return self.own < 1.0

    @property
    def heavily(self) -> float:
        """Part of the samples in which no source is above :data:`HEAVY`."""
        return float((self.largest < HEAVY).mean())

    @property
    def hardly(self) -> float:
        """Part of the samples in which one source is above :data:`HARDLY`."""
        return float((self.largest > HARDLY).mean())


class CoverageMap(NamedTuple):
    """Where samples are replaced.

    Attributes:
        replaced: Mean weight of other samples at every cell of the result.
        samples: Over how many samples.
        blends: Whether some of them were blended.
    """

    replaced: FloatArray
    samples: int
    blends: bool

    @property
    def constant(self) -> bool:
        """Whether all cells are alike."""
        return float(np.ptp(self.replaced)) < _ALIKE

    @property
    def centre(self) -> float:
        """The value of the cell in the middle."""
        return float(self.replaced[tuple(length // 2 for length in self.replaced.shape)])

    @property
    def corners(self) -> float:
        """Mean of the cells in the corners."""
        return float(self.replaced[np.ix_(*([0, length - 1] for length in self.replaced.shape))].mean())

    def along(self, axis: int) -> FloatArray:
        """Mean over all axes but one."""
        others = tuple(other for other in range(self.replaced.ndim) if other != axis)
        return np.asarray(self.replaced.mean(axis=others))


def weight_stats(method: Method, spec: BatchSpec, epoch: int, where: str) -> WeightStats:
    """What samples of a method are made of, see :class:`WeightStats`.

    Raises:
        InputError: The method draws no plan.
    """
    found = [_stats_of_plan(plan) for plan in drawn_plans(method, spec, epoch, where)]
    own, label, largest, pasted, declared = (np.concatenate(column) for column in zip(*found, strict=True))
    return WeightStats(own, label if declared.any() else None, largest, pasted)


def coverage_map(method: Method, spec: BatchSpec, epoch: int, where: str) -> CoverageMap:
    """Where a method replaces samples, see :class:`CoverageMap`.

    Raises:
        InputError: The method draws no plan, or results of several sizes.
    """
    shape, steps = spec.shape, np.zeros([length + 1 for length in spec.shape])
    samples, whole, blends = 0, 0, False
    for plan in drawn_plans(method, spec, epoch, where):
        if not samples and shape != plan.output_shape:
            shape, steps = plan.output_shape, np.zeros([length + 1 for length in plan.output_shape])
        if shape != plan.output_shape:
            raise _several_sizes(where, shape, plan.output_shape)
        bare = plan.canvas is not None
        for part in all_contributions(plan.size, shape, plan.layers, bare):
            if bare:  # a canvas is nobody's: others are where they are seen, and not where the sample itself is not
                _add_steps(steps, part.take(np.flatnonzero(part.row != part.source)))
            else:
                own = part.take(np.flatnonzero(part.is_base))
                _add_steps(steps, dataclasses.replace(own, weight=-own.weight))
        samples += plan.size
        whole += 0 if bare else plan.size
        blends = blends or any(layer.blends for layer in plan.layers)
    # Two samples or two million: the map is summed up once, from the steps of all of them.
    for axis in range(steps.ndim):
        np.cumsum(steps, axis=axis, out=steps)
    others = (whole + steps[(slice(-1),) * steps.ndim]) / samples
    return CoverageMap(np.clip(others, 0.0, 1.0), samples, blends)


def _several_sizes(where: str, first: tuple[int, ...], second: tuple[int, ...]) -> InputError:
    return InputError(
        "No one map of results of several sizes",
        where=where,
        got=f"results of {first} and of {second}",
        wanted="methods whose results have one size",
        fix="Draw each of them by itself, or several by name: {'first': ..., 'second': ...}.",
    )


def drawn_plans(method: Method, spec: BatchSpec, epoch: int, where: str) -> Iterator[Plan]:
    """Plans of a method, the same ones every time: as many as make a smooth picture, or as time allows.

    Raises:
        InputError: The method draws no plan.
    """
    hints = made_up_hints(method, spec)
    different = work = 0
    for step in itertools.count(1):
        plan = _draw_plan(method, Key(_DRAWING_SEED, epoch, step=step), spec, hints, where)
        yield plan
        different += _different(plan)
        work += _numbers_computed(plan) + (spec.size**2 if hints else 0)
        if (different >= _ENOUGH and step >= _LEAST) or step >= _MOST or work >= _MOST_COMPUTED:
            return


def _different(plan: Plan) -> int:
    """How many samples of a plan are mixed, where those that share one weight and one region count once.

    Regions tell apart what weights do not: those of one area, as of :class:`CowMask`.
    """
    seen: dict[int, list[bytes]] = {}
    for layer in plan.layers:
        regions = [] if layer.region is None else list(vars(layer.region).values())
        for index, row in enumerate(layer.rows.tolist()):
            seen.setdefault(row, []).extend(part[index].tobytes() for part in (layer.opacity, *regions))
    return len(set(map(tuple, seen.values())))


def beta_shares(edges: FloatArray, alpha: float) -> FloatArray:
    """The mass of Beta(alpha, alpha) between edges, ``(n + 1,)`` ascending from 0 to 1; ``(n,)``.

    An independent check of what was drawn, by numeric integration of its density.
    """
    below = _beta_below(np.minimum(edges, 1.0 - edges), alpha)
    return np.diff(np.where(edges <= 0.5, below, 1.0 - below))


def _beta_below(points: FloatArray, alpha: float) -> FloatArray:
    """The mass of Beta(alpha, alpha) below points in the lower half."""
    power = min(alpha, 1.0)  # as a law of w**power it has no pole at 0
    grid = np.linspace(0.0, 0.5**power, 100_001)  # wrong by less than 1e-9, far below the noise of what is drawn
    weight = grid ** (1.0 / power)
    density = (4.0 * weight * (1.0 - weight) if alpha > 1.0 else 1.0 - weight) ** (alpha - 1.0)
    mass = np.concatenate([[0.0], np.cumsum(density[1:] + density[:-1])])
    return np.asarray(0.5 * np.interp(points**power, grid, mass / mass[-1]))


def _draw_plan(method: Method, key: Key, spec: BatchSpec, hints: Hints, where: str) -> Plan:
    try:
        return method.redraw(key, spec, hints)
    except (InputError, ParameterError, PlanError):  # these say what is wrong
        raise
    except Exception as reason:
        got, wanted = f"{type(reason).__name__}: {reason}", f"a plan for {spec.size} samples of {spec.shape}"
        what, fix = f"{type(method).__name__} draws no plan", "Give a shape that the method takes, or mend its draw."
        raise InputError(what, where=where, got=got, wanted=wanted, fix=fix) from reason


def _stats_of_plan(plan: Plan) -> tuple[FloatArray, FloatArray, FloatArray, FloatArray, BoolArray]:
    """Own share, own share in labels, largest share and pasted area, and whether labels are declared, ``(B,)`` each."""
    # A source that is painted several times is one source.
    same = plan.sources[:, :, None] == plan.sources[:, None, :]
    together = np.matmul(same, plan.share[:, :, None])[..., 0]
    label = np.where(same[:, 0], plan.target_share, 0.0).sum(axis=1)
    bare = plan.canvas is not None
    pasted = 1.0 - measure(plan.size, plan.output_shape, _pasting_layers(plan), bare)[1][:, 0]
    return together[:, 0], label, together.max(axis=1), pasted, np.full(plan.size, plan.label_share is not None)


def _pasting_layers(plan: Plan) -> list[Layer]:
    """The layers that paste in a region, without the samples on which they blend."""
    regional = (layer for layer in plan.layers if layer.region is not None)
    pastes = (layer if (full := layer.opacity == 1.0).all() else layer.take(full) for layer in regional)
    return [layer for layer in pastes if len(layer)]


def _numbers_computed(plan: Plan) -> int:
    """Roughly how many numbers measuring a plan computes."""
    painted = np.bincount(np.concatenate([[0], *(layer.rows for layer in plan.layers)]).astype(np.int64))
    masks = sum(layer.region.values.size for layer in plan.layers if isinstance(layer.region, Mask))
    return int(masks + _SAMPLE_BY_SAMPLE * (painted > 1).sum() + 40 * plan.size)


def _add_steps(steps: FloatArray, part: Contributions) -> None:
    """Adds weights that are constant between edges, as the steps at their corners: sums along all axes give them back.

    Cells are not visited, so it costs the same for samples of any size.
    """
    step = part.weight
    for axis in range(steps.ndim):
        step = np.diff(step, axis=axis, prepend=0.0, append=0.0)
    count = steps.ndim
    corners = [
        cuts.reshape(*(len(cuts) if axis == other else 1 for other in range(count)), cuts.shape[1])
        for axis, cuts in enumerate(part.edges)
    ]
    places = np.ravel_multi_index(np.broadcast_arrays(*corners), steps.shape)
    filled = step != 0.0
    np.add.at(steps.reshape(-1), places[filled], step[filled])
