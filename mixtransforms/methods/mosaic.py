"""Mosaic: a sample and some others, each in a tile of a grid."""

# No `from __future__ import annotations`: signatures must show types, not strings.
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import product

import numpy as np

from mixtransforms.core import fields
from mixtransforms.core.layers import Boxes, FloatArray, IntArray, Layer
from mixtransforms.methods.base import NO_HINTS, SourcesMethod, require_axes
from mixtransforms.methods.laws import Law, Uniform, weight_field
from mixtransforms.methods.pairing import Hints
from mixtransforms.methods.registry import register
from mixtransforms.plan import BatchSpec, Plan

MIDDLE = Uniform(0.25, 0.75)
"""Where four tiles usually meet, as a part of every side."""

FITS = ("corner", "resize")


@register
@dataclass(frozen=True, repr=False)
class Mosaic(SourcesMethod):
    """Tiles of a grid, the first of the sample itself and each other one of a partner; labels are mixed by their areas.

    Two tiles of an axis meet at a junction, uniform in the middle half of the side. Of three tiles, the junctions are
    uniform around the thirds, so that all tiles are equally large on average. Of signals a grid has two or three tiles,
    of images four or nine, of volumes eight or 27. Partners of different tiles do not know of each other: a sample may
    be there twice.

    Source: Bochkovskiy, Wang and Liao, YOLOv4: Optimal Speed and Accuracy of Object Detection, arXiv:2004.10934, within
    a batch, and in images of its size.
    """

    grid: int = fields.integer(2, low=2, high=3, doc="Tiles along every mixed axis.")
    _: fields.KW_ONLY
    fit: str = fields.choice(
        "corner",
        FITS,
        "What a tile shows of its source: as much as fits in, at its own scale, from the side that is turned to the "
        "junction ('corner'), or the whole of it, resized ('resize').",
    )
    junction: Law | None = weight_field(
        "Another law of where tiles meet: of the part of a side before the junction. None: Uniform(0.25, 0.75)."
    )

    @property
    def blends(self) -> bool:
        return False

    def most_sources(self, axes: int) -> int:
        return int(self.grid**axes)

    def draw(self, spec: BatchSpec, rng: np.random.Generator, hints: Hints = NO_HINTS) -> Plan:
        require_axes(self, spec)
        groups = self.groups(spec, rng, hints, self.most_sources(len(spec.shape)) - 1)
        count, axes = self.draws(spec), len(spec.shape)
        place = (self.junction or MIDDLE).draw(count * axes * (self.grid - 1), rng)
        edges = groups.pick(self._edges(place.reshape(count, axes, self.grid - 1), np.asarray(spec.shape)))
        opaque, sources = np.ones(len(groups.rows)), [groups.rows, *groups.source]
        layers = [
            Layer.drawn(groups.rows, source, opaque, tile, crop)
            for source, (tile, crop) in zip(sources, self._tiles(edges, spec.shape), strict=True)
        ]
        return self.paint_layers(spec, layers)

    def _edges(self, place: FloatArray, shape: IntArray) -> IntArray:
        """Where tiles begin, and where the last one ends, ``(n, d, grid + 1)``, from places within ``[0, 1]``."""
        step = np.arange(self.grid - 1)
        inner = np.sort((step + 2 * place) / self.grid)  # which is the place itself where two tiles meet
        edges = np.zeros((*inner.shape[:2], self.grid + 1), np.int64)
        edges[..., 1:-1] = np.rint(inner * shape[:, None])
        edges[..., -1] = shape
        return edges

    def _tiles(self, edges: IntArray, shape: tuple[int, ...]) -> Iterator[tuple[Boxes, Boxes]]:
        """Every tile, one a mixed sample, and the box of its source that it shows."""
        for place in product(range(self.grid), repeat=len(shape)):
            corner = np.array(place)[None, :, None]
            start, stop = (np.take_along_axis(edges, corner + end, axis=2)[..., 0] for end in (0, 1))
            tile = Boxes.drawn(start, stop)
            if self.fit == "resize":
                yield tile, Boxes.full(len(edges), shape)
                continue
            # The first tile of an axis shows the end of its source, the last one the beginning, one between the middle.
            first = (shape - tile.sides) * (self.grid - 1 - np.array(place)) // (self.grid - 1)
            yield tile, Boxes.drawn(first, first + tile.sides)
