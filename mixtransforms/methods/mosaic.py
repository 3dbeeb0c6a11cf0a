"""Mosaic: a sample and some others, each in a tile of a grid."""

# No `from __future__ import annotations`: signatures must show types, not strings.
import numbers
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import product
from typing import Any

import numpy as np

from mixtransforms.core import fields
from mixtransforms.core.canvas import Canvas, contained
from mixtransforms.core.errors import InputError
from mixtransforms.core.layers import Boxes, FloatArray, IntArray, Layer
from mixtransforms.methods.base import NO_HINTS, Output, SourcesMethod, require_axes
from mixtransforms.methods.laws import Law, Uniform, weight_field
from mixtransforms.methods.pairing import Hints
from mixtransforms.methods.registry import register
from mixtransforms.plan import BatchSpec, Plan

MIDDLE = Uniform(0.25, 0.75)
"""Where four tiles usually meet, as a part of every side."""

FITS = ("corner", "resize", "contain")

_MOST_FILL = 1e9


def _lengths(value: Any) -> tuple[int, ...] | None:
    if value is None:
        return None
    lengths = tuple(value)
    if not lengths or not all(isinstance(n, numbers.Integral) and not isinstance(n, bool) for n in lengths):
        raise ValueError
    if min(lengths) < 1 or max(lengths) > 1 << 20:
        raise ValueError
    return tuple(map(int, lengths))


@register
@dataclass(frozen=True, repr=False)
class Mosaic(SourcesMethod):
    """Tiles of a grid, the first of the sample itself and each other one of a partner; labels are mixed by their areas.

    Two tiles of an axis meet at a junction, uniform in the middle half of the side. Of three tiles, the junctions are
    uniform around the thirds, so that all tiles are equally large on average. Of signals a grid has two or three tiles,
    of images four or nine, of volumes eight or 27. Partners of different tiles do not know of each other: a sample may
    be there twice.

    With ``output_size``, results have a size of their own. Where a tile shows nothing of its source, it is filled: that
    is nobody's, and labels are mixed by what is shown. Samples that are not mixed are then shown whole, with their
    proportions, in the middle. The mosaic of detectors is ``Mosaic(output_size=(2 * H, 2 * W))`` of samples ``(H, W)``,
    with a random crop or affine transform behind it; that of DETR ``Mosaic(fit="contain", junction=Constant(0.5))``,
    also with an output size.

    Source: Bochkovskiy, Wang and Liao, YOLOv4: Optimal Speed and Accuracy of Object Detection, arXiv:2004.10934, within
    a batch.
    """

    grid: int = fields.integer(2, low=2, high=3, doc="Tiles along every mixed axis.")
    _: fields.KW_ONLY
    fit: str = fields.choice(
        "corner",
        FITS,
        "What a tile shows of its source: as much as fits in, at its own scale, from the side that is turned to the "
        "junction ('corner'); the whole of it, resized ('resize'); or the whole of it with its proportions, as large "
        "as fits in, at the side that is turned to the junction ('contain').",
    )
    junction: Law | None = weight_field(
        "Another law of where tiles meet: of the part of a side before the junction. None: Uniform(0.25, 0.75)."
    )
    output_size: tuple[int, ...] | None = fields.parameter(
        None,
        _lengths,
        "None or the lengths of the mixed axes, whole numbers from 1 on, such as (1280, 1280)",
        "Size of the results; None is that of the samples.",
        fields.optional(fields.listed({"type": "integer", "minimum": 1, "maximum": 1 << 20}, low=1)),
        quiet=True,
    )
    fill: float = fields.number(
        0.0,
        low=-_MOST_FILL,
        high=_MOST_FILL,
        doc="What images have where no tile shows anything, in their own units; label maps have ignore_index there, or "
        "0.",
        quiet=True,
    )

    @property
    def blends(self) -> bool:
        return False

    @property
    def output(self) -> Output | None:
        filled = self.fit == "contain" or self.output_size is not None
        return Output(self.output_size, self.fill) if filled else None

    def most_sources(self, axes: int) -> int:
        return int(self.grid**axes)

    def draw(self, spec: BatchSpec, rng: np.random.Generator, hints: Hints = NO_HINTS) -> Plan:
        require_axes(self, spec)
        groups = self.groups(spec, rng, hints, self.most_sources(len(spec.shape)) - 1)
        count, axes = self.draws(spec), len(spec.shape)
        place = (self.junction or MIDDLE).draw(count * axes * (self.grid - 1), rng)
        canvas = self._canvas(spec)
        out = spec.shape if canvas is None else canvas.shape
        edges = groups.pick(self._edges(place.reshape(count, axes, self.grid - 1), np.asarray(out)))
        opaque, sources = np.ones(len(groups.rows)), [groups.rows, *groups.source]
        layers = [
            Layer.drawn(groups.rows, source, opaque, tile, crop)
            for source, (tile, crop) in zip(sources, self._tiles(edges, spec.shape), strict=True)
        ]
        return self.paint_layers(spec, layers, canvas)

    def _canvas(self, spec: BatchSpec) -> Canvas | None:
        if self.output is None:
            return None
        shape = self.output_size or spec.shape
        if len(shape) == len(spec.shape) and 0 not in spec.shape:
            return Canvas(shape, self.fill)
        raise InputError(
            "An output size of other axes than the samples",
            where="Mosaic.draw",
            got=f"output_size={shape}, for samples of {spec.shape}",
            wanted=f"{len(spec.shape)} lengths, one a mixed axis, and samples of at least one cell",
            fix="Give the lengths of the mixed axes alone, in their order, or name these with axes.",
        )

    def _edges(self, place: FloatArray, shape: IntArray) -> IntArray:
        """Where tiles begin, and where the last one ends, ``(n, d, grid + 1)``, from places within ``[0, 1]``."""
        step = np.arange(self.grid - 1)
        inner = np.sort((step + 2 * place) / self.grid)  # which is the place itself where two tiles meet
        edges = np.zeros((*inner.shape[:2], self.grid + 1), np.int64)
        edges[..., 1:-1] = np.rint(inner * shape[:, None])
        edges[..., -1] = shape
        return edges

    def _tiles(self, edges: IntArray, shape: tuple[int, ...]) -> Iterator[tuple[Boxes, Boxes]]:
        """Where every tile shows its source, one a mixed sample, and the box of the source that it shows."""
        for place in product(range(self.grid), repeat=len(shape)):
            corner = np.array(place)[None, :, None]
            start, stop = (np.take_along_axis(edges, corner + end, axis=2)[..., 0] for end in (0, 1))
            if self.fit == "resize":
                yield Boxes.drawn(start, stop), Boxes.full(len(edges), shape)
                continue
            sides = stop - start
            shown = np.minimum(sides, shape) if self.fit == "corner" else contained(shape, sides)
            # The first tile of an axis has its source at its end, the last one at the beginning, one between in the
            # middle; and of what does not fit in they show the same parts.
            at = start + self._turned(sides - shown, place)
            if self.fit == "contain":
                yield Boxes.drawn(at, at + shown), Boxes.full(len(edges), shape)
            else:
                first = self._turned(shape - shown, place)
                yield Boxes.drawn(at, at + shown), Boxes.drawn(first, first + shown)

    def _turned(self, rest: IntArray, place: tuple[int, ...]) -> IntArray:
        """Which parts of what is left of axes ``(n, d)`` lie before a tile's source."""
        return np.asarray(rest * (self.grid - 1 - np.array(place)) // (self.grid - 1))
