"""CopyBlend: objects of other samples, blended in at random places together with what is around them."""

# No `from __future__ import annotations`: signatures must show types, not strings.
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from mixtransforms.core import fields
from mixtransforms.core.errors import InputError
from mixtransforms.core.layers import Boxes, FloatArray, IntArray, Layer
from mixtransforms.methods.base import NO_HINTS, PairMethod, Pairs, required_hint
from mixtransforms.methods.laws import Law, Uniform, weight_field
from mixtransforms.methods.pairing import Hints
from mixtransforms.methods.registry import register
from mixtransforms.plan import BatchSpec, Plan
from mixtransforms.rng.keys import lend_each

USUAL_WEIGHT = Uniform(0.45, 0.55)
"""The law of the weight where none is given."""

USUAL_GROWTH = Uniform(0.1, 0.25)
"""The law of how much is taken of what is around an object, where none is given."""


class Copy(NamedTuple):
    """One object that is blended into a sample.

    Attributes:
        source: The sample that it comes from.
        place: Its place among the boxes of that sample.
        crop: What is taken, start and stop ``(2, d)``.
        region: Where it goes, alike.
    """

    source: int
    place: int
    crop: IntArray
    region: IntArray


@register
@dataclass(frozen=True, repr=False)
class CopyBlend(PairMethod):
    """Blends objects of other samples into a sample, at random places and in their own size; only boxes are needed.

    Every sample gets ``count`` objects, or as many as there are, each with a margin of what is around it. Their boxes
    come behind the sample's own, with the weight ``1 - weight`` of their pixels. Boxes of the sample stay, also where
    something is blended over them, with the mean of the weights of their pixels. Other objects in a margin do not come
    along.

    Source: Huang et al., Real-Time Object Detection Meets DINOv3 (DEIMv2), arXiv:2509.20787.
    """

    _: fields.KW_ONLY
    count: int = fields.integer(3, low=1, high=64, doc="Objects that are blended into a sample.")
    donors: str = fields.choice(
        "batch",
        ("batch", "partner"),
        "Whose objects they are: anybody's in the batch, the sample's own among them ('batch', the paper), or the "
        "partner's. Of a second batch: anybody's in that, or the partner's.",
    )
    min_area: float = fields.number(
        100.0, low=0, high=1e9, doc="Least area in square pixels of a box whose object is taken."
    )
    weight: Law | None = weight_field(
        "Law of what a sample keeps of itself under an object; Uniform(0.45, 0.55) where none is given, and "
        "Constant(0) pastes."
    )
    margin: Law | None = weight_field(
        "Law of the margin around an object as a part of its box's sides, added at each of them; Uniform(0.1, 0.25) "
        "where none is given."
    )

    def most_sources(self, axes: int) -> int:
        return 1 + self.count

    @property
    def needs(self) -> frozenset[str]:
        return super().needs | {"boxes"}

    def draw(self, spec: BatchSpec, rng: np.random.Generator, hints: Hints = NO_HINTS) -> Plan:
        boxes = required_hint(self, "boxes", hints)
        if len(spec.shape) != 2:
            raise InputError(
                "CopyBlend needs boxes in images",
                where="CopyBlend.draw",
                got=f"samples with mixed axes {spec.shape}",
                wanted="images, whose height and width are mixed",
                fix="Mix images with boxes, or choose a method that reads none.",
            )
        pairs = self.pairs(spec, rng, hints)
        weight = pairs.pick((self.weight or USUAL_WEIGHT).draw(self.draws(spec), rng))
        pool = _Pool(boxes, spec.shape, self.min_area, spec.size if spec.second else 0)
        copies = list(self._copies(pool, pairs, rng))
        layers = [_layer(pairs, copies, number, 1.0 - weight) for number in range(max(map(len, copies), default=0))]
        return self.paint_layers(spec, layers)

    def _copies(self, pool: "_Pool", pairs: Pairs, rng: np.random.Generator) -> Iterator[list[Copy]]:
        """What is blended into every sample that is mixed."""
        leaders = pairs.leader[pairs.rows].tolist()
        for source, own in zip(pairs.source.tolist(), lend_each(rng, leaders), strict=True):
            known = pool.of(source) if self.donors == "partner" else np.arange(len(pool.sample))
            chosen = own.permutation(known)[: self.count]
            margin = (self.margin or USUAL_GROWTH).weights(2 * len(chosen), own).reshape(-1, 2)
            yield [pool.copy(*each) for each in zip(chosen.tolist(), margin, own.random((len(chosen), 2)), strict=True)]


class _Pool:
    """The objects of a batch that are large enough to be taken.

    Attributes:
        sample: Whose they are, ``(N,)``.
        place: Their places among the boxes of these samples, ``(N,)``.
    """

    def __init__(self, boxes: Sequence[FloatArray], shape: tuple[int, ...], least: float, first: int) -> None:
        # Of a second batch alone, where there is one; it begins with the sample `first`.
        counts = list(map(len, boxes))
        self.sample = np.repeat(np.arange(len(counts)), counts)
        self.place = np.concatenate([np.zeros(0, np.int64), *map(np.arange, counts)])
        self._shape = np.asarray(shape, np.int64)
        every = np.concatenate([np.zeros((0, 4)), *boxes])
        inside = np.clip(every.reshape(-1, 2, 2)[..., ::-1], 0, self._shape)  # y, x, as plans have it
        large = np.diff(inside, axis=1).prod(axis=(1, 2)) >= max(least, np.finfo(np.float64).tiny)
        large &= self.sample >= first
        self.sample, self.place, inside = self.sample[large], self.place[large], inside[large]
        self._start, self._stop = np.floor(inside[:, 0]).astype(np.int64), np.ceil(inside[:, 1]).astype(np.int64)

    def of(self, sample: int) -> IntArray:
        """The objects of one sample."""
        return np.flatnonzero(self.sample == sample)

    def copy(self, number: int, margin: FloatArray, where: FloatArray) -> Copy:
        """An object with its margin, as far as both samples have room for that, and its box anywhere inside.

        Args:
            number: The object.
            margin: Parts of its sides, ``(2,)``.
            where: Uniform numbers, ``(2,)``.
        """
        start, stop = self._start[number], self._stop[number]
        room = self._shape - (stop - start)
        first = np.minimum((where * (room + 1)).astype(np.int64), room)
        wanted = (margin * (stop - start)).astype(np.int64)
        before = np.minimum(wanted, np.minimum(start, first))
        behind = np.minimum(wanted, np.minimum(self._shape - stop, room - first))
        crop = np.stack([start - before, stop + behind])
        return Copy(int(self.sample[number]), int(self.place[number]), crop, crop + (first - start))


def _layer(pairs: Pairs, copies: Sequence[Sequence[Copy]], number: int, opacity: FloatArray) -> Layer:
    """The layer of the objects that are each sample's ``number``-th."""
    index = np.array([index for index, own in enumerate(copies) if len(own) > number], np.int64)
    own = [copies[each][number] for each in index.tolist()]
    crop, region = (np.stack([getattr(copy, name) for copy in own]) for name in ("crop", "region"))
    return Layer.drawn(
        pairs.rows[index],
        np.array([copy.source for copy in own], np.int64),
        opacity[index],
        Boxes.drawn(region[:, 0], region[:, 1]),
        Boxes.drawn(crop[:, 0], crop[:, 1]),
        tuple([np.array([copy.place]) for copy in own]),
    )
