"""Semantic masks: a class id at every pixel, or a map a class; pasted as they are, kept apart where images blend."""

# No `from __future__ import annotations`: signatures must show types, not strings.
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, NamedTuple

import numpy as np
from numpy.typing import NDArray

from mixtransforms.containers.mixed import MixedValue, of_one_iterable
from mixtransforms.core import fields
from mixtransforms.core.backends import backend_of, is_floating
from mixtransforms.core.canvas import Canvas
from mixtransforms.core.errors import InputError, PlanError
from mixtransforms.core.layers import FloatArray
from mixtransforms.kernels import kernel_of
from mixtransforms.kernels.paint import paint
from mixtransforms.plan import Plan
from mixtransforms.targets.kind import Kind, Mixed, Scene, class_count, ignored_id
from mixtransforms.targets.pastes import blend_numbers, blending, pastes, with_blend
from mixtransforms.targets.strides import is_at_stride, is_turned

FORMS = ("pair", "mix", "soft", "dominant")

NO_CLASS = -1
"""What label maps have where a pixel is of no class."""


@MixedValue.register
@of_one_iterable
class MaskPair(NamedTuple):
    """Masks as a loss reads them: ``weight * loss(mask) + (1 - weight) * loss(partner)``.

    Attributes:
        mask: Masks of the samples themselves, with what was pasted, as they came in.
        partner: Masks of what was blended in, alike; the same as ``mask`` wherever nothing was.
        weight: Weight of ``mask``, float32: ``(B,)``, or a map like the mask with one channel where a plan has soft
            edges.
    """

    mask: Any
    partner: Any
    weight: Any


@MixedValue.register
@of_one_iterable
class MaskMix(NamedTuple):
    """Masks of any number of sources, as a loss reads them: the sum of ``share[:, s] * loss(masks[:, s])``.

    Attributes:
        masks: Masks as they came in, ``(B, S, ...)``: those of the samples themselves, with what was pasted, then those
            of what was blended in, in this order; the same as the first wherever nothing was.
        share: Their shares, float32: ``(B, S)``, or maps like the masks with one channel where a plan has soft edges,
            or several blends of which one has a place.
    """

    masks: Any
    share: Any


@fields.documented
@dataclass(frozen=True, repr=False)
class SemanticMask(Kind):
    """Masks of class ids ``(B, H, W)``, ``(B, 1, H, W)`` or ``(B, H, W, 1)``, or maps with a channel for every class.

    Pastes copy ids, of any dtype; resized crops copy the nearest ones. Ids are never averaged: what a method that
    blends makes of them is ``form``, whatever was drawn.

    Masks may have the images' size or that at a stride, a cell for every ``k * k`` pixels: label maps, heatmaps, labels
    of frames. They are mixed by :meth:`Plan.on <mixtransforms.Plan.on>` their own grid. Where nothing is painted on a
    canvas, ids are ``ignore_index``, or 0 where there is none, and maps are 0.
    """

    name: ClassVar[str] = "mask"
    inherits: ClassVar[Mapping[str, str]] = {
        "num_classes": "num_classes",
        "ignore_index": "ignore_index",
        "form": "masks",
    }

    num_classes: int | None = class_count("Number of classes; needed only to turn ids into soft maps.")
    ignore_index: int | None = ignored_id("Id of pixels that carry no mass in soft maps, such as 255.")
    form: str | None = fields.optional_choice(
        FORMS,
        "Form of blended masks: 'pair', both and a weight; 'mix', all and their shares; 'soft', float32 maps, one a "
        "class; 'dominant', the ids of the heavier source.",
    )

    any_size: bool = fields.flag(
        False,
        "Take masks of whatever size: of more cells than the images have, or of no whole number of pixels a cell. "
        "Regions are rounded to their cells.",
    )

    def check(self, value: Any, where: str, scene: Scene) -> None:
        """Refuses masks that are no map of the images, and ids without a channel. See :meth:`Kind.check`.

        Raises:
            InputError: The shape is another one; or soft maps are asked for, and the values are neither ids in range
                nor maps with a channel for every class.
        """
        # Samples and the axes of the image, with or without one of channels, at the same end as those of the images.
        if len(value.shape) - len(scene.lengths) not in (1, 2):
            raise _other_size(value, where, scene)
        if _lengths(value, scene) != scene.lengths:
            self._check_size(value, where, scene)
        # Asked of the method, not of the plan: whether a batch passes must not depend on what is drawn.
        if scene.blends and self.form == "soft":
            self._check_soft(value, where, scene)
        elif scene.blends and scene.blended > 2 and self.form != "mix":
            raise InputError(
                "Several samples may be blended in one place",
                where=where,
                got=f"masks={self.form or FORMS[0]!r}, and up to {scene.blended} samples",
                wanted="a form that tells of any number of them",
                fix="Use masks='mix' or masks='soft'; where the mask is declared with another form, say it there, "
                f"kinds={{{_key(where)}: SemanticMask(form='mix')}}.",
            )

    def _check_size(self, value: Any, where: str, scene: Scene) -> None:
        own = _lengths(value, scene)
        if is_turned(own, scene):
            raise InputError(
                "The mask is of another size than the images",
                where=where,
                got=f"shape {tuple(value.shape)}, with height and width the wrong way round",
                wanted=f"axes {scene.lengths}, or these at a stride",
                fix="Swap height and width, as mask.swapaxes(-2, -1) does where they are the last axes.",
            )
        if not (self.any_size or is_at_stride(own, scene)):
            raise _other_size(value, where, scene)
        if not self.any_size and _may_be_classes(value, own, scene):
            raise InputError(
                "Classes, or cells of the mixed axis",
                where=where,
                got=f"shape {tuple(value.shape)}, fewer along the one axis that is mixed, and as many along the others",
                wanted=f"axes {scene.lengths}, with classes as channels",
                fix="Repeat classes along the mixed axis, as channels beside it; where these are cells of it, say "
                f"kinds={{{_key(where)}: SemanticMask(any_size=True)}}.",
            )
        # At a stride, classes of frames could be taken for frames, and frames for classes.
        other = _lengths(value, scene._replace(first=not scene.first))
        if not self.any_size and other != own and is_at_stride(other, scene):
            raise InputError(
                "Which axis of the mask is that of channels",
                where=where,
                got=f"shape {tuple(value.shape)}, which fits the images both ways",
                wanted=f"channels {'before' if scene.first else 'behind'} the axes, as the images have them",
                fix=f"Move the axis, and say kinds={{{_key(where)}: SemanticMask(any_size=True)}}, or give one channel "
                "alone.",
            )

    def _check_soft(self, value: Any, where: str, scene: Scene) -> None:
        channels = _channels(value, scene)
        if channels > 1:
            self._check_maps(value, channels, where)
        # An alpha matte or a distance map; rounding it to ids would invent classes.
        elif is_floating(value):
            raise InputError(
                "Floats in one channel are not class ids",
                where=where,
                got=f"shape {tuple(value.shape)} {value.dtype}",
                wanted="integer ids, or maps with a channel for every class",
                fix="Convert ids to integers, or use masks='pair' for alpha mattes.",
            )
        elif self.num_classes is None:
            raise InputError(
                "The number of classes is not known",
                where=where,
                got="masks of ids without num_classes",
                wanted="num_classes, to turn ids into soft maps",
                fix=f"Give num_classes=... or kinds={{{_key(where)}: SemanticMask(21)}}, or masks='pair', which needs "
                "none.",
            )
        else:
            self._check_ids(value, self.num_classes, where)

    def _check_maps(self, value: Any, channels: int, where: str) -> None:
        if self.num_classes not in (None, channels):
            raise InputError(
                "Masks with another number of channels",
                where=where,
                got=f"shape {tuple(value.shape)}, {channels} channels",
                wanted=f"{self.num_classes}, because num_classes={self.num_classes}",
                fix=f"Correct num_classes, or give masks their own, kinds={{{_key(where)}: SemanticMask({channels})}}.",
            )
        if is_floating(value):
            return
        kernel, text = kernel_of(str(backend_of(value))), "Whole numbers in channels that are not one-hot"
        fine = (value == 0) | (value == 1)
        if not kernel.is_on_host(value):
            kernel.assert_async(fine, text)
        elif not fine.all():
            raise InputError(
                text,
                where=where,
                got=f"shape {tuple(value.shape)} {value.dtype}",
                wanted="zeros and ones, one channel a class",
                fix="Give class ids in one channel, or shares as floats.",
            )

    def _check_ids(self, value: Any, classes: int, where: str) -> None:
        kernel = kernel_of(str(backend_of(value)))
        # Whole numbers, since float32 has not all from 2**24 on; some dtypes of torch cannot be compared on its device.
        here = kernel.is_on_host(value)
        ids = kernel.to_host(value) if here else kernel.astype(value, "int64")
        fine = (ids >= 0) & (ids < classes)
        if self.ignore_index is not None:
            fine = fine | (ids == self.ignore_index)
        if not here:  # the device finds them by itself; looking would wait for all work queued there
            known = f"0 to {classes - 1}, or the ignore_index"
            kernel.assert_async(fine, f"Class ids of masks out of range: wanted {known}")
        elif not fine.all():
            listed = np.unique(ids[~fine])[:5].tolist()
            ignored = "" if self.ignore_index is None else f", or ignore_index={self.ignore_index}"
            raise InputError(
                "Class ids out of range",
                where=where,
                got=f"{listed}",
                wanted=f"ids from 0 and below num_classes={classes}{ignored}",
                fix="Correct num_classes, or name the id of unlabelled pixels with ignore_index; masks have their "
                f"own with kinds={{{_key(where)}: SemanticMask(21)}}.",
            )

    def mix(self, plan: Plan, value: Any, scene: Scene) -> Mixed:
        """Masks that :meth:`check` has let pass, mixed by the plan.

        Args:
            plan: The plan.
            value: Masks; they are left alone.
            scene: The call.

        Returns:
            Masks as they came in where ``scene.blends`` is false and for ``form="dominant"``. For ``"pair"`` (and
            ``None``) also the partner's and the weight beside them, see :class:`MaskPair`; for ``"mix"`` all masks
            ``(B, S, ...)`` and their shares, see :class:`MaskMix`. For ``"soft"`` maps ``(B, K, *shape)`` or
            ``(B, *shape, K)``, float32 or, of floats, in their dtype.

        Raises:
            PlanError: Two layers blend into one sample, which only the forms ``"mix"`` and ``"soft"`` can tell; or a
                canvas has no whole number of the cells of masks at a stride.
        """
        own = _lengths(value, scene)
        if own != scene.lengths:
            scene = scene.on(own)
            if plan.canvas is not None and not self.any_size:
                _check_stride(plan.canvas, plan.spec.shape, scene.shape)
            plan = plan.on(scene.shape)
        fill = 0
        if plan.canvas is not None:
            scene = scene.on(_on_canvas(plan.canvas, scene))
            fill = 0 if _channels(value, scene) > 1 else self.ignore_index or 0
        # A method that only pastes needs no pair: the masks keep their one value, so that CutMix fits any training
        # loop.
        if not scene.blends:
            return Mixed(_pasted(plan, value, scene, fill))
        if self.form == "soft":
            return Mixed(self._soft(plan, value, scene))
        if self.form == "dominant":
            blending(plan)  # refuses what has no single heavier source
            # More than half: at exactly 0.5 the base sample stays, as for tables.
            return Mixed(_pasted(pastes(plan, lambda weight: weight > 0.5), value, scene, fill))
        if self.form == "mix":
            masks, share = _mix(plan, value, scene, fill)
            return Mixed(masks, {"_share": share}, MaskMix)
        pair = _pair(plan, value, scene, fill)
        return Mixed(pair.mask, {"_partner": pair.partner, "_weight": pair.weight}, MaskPair)

    def _soft(self, plan: Plan, value: Any, scene: Scene) -> Any:
        """The plan painted on the map of one class after the other, so that all of them are held only once."""
        channels, rank = _channels(value, scene), len(scene.lengths)
        # Shares already: painting blends them as it does images.
        if channels > 1 and is_floating(value):
            return _pasted(plan, value, scene, 0)
        kernel = kernel_of(str(backend_of(value)))
        maps = kernel.zeros((plan.size, channels if channels > 1 else self.num_classes, *scene.lengths), value)
        # Where nothing is painted on a canvas, ids are 0 if none is ignored.
        filled = 0 if channels == 1 and self.ignore_index is None else None
        if plan.canvas is None:  # as large as they came: every class is written where it stays, and painted on at once
            for number, pixels in self._classes(value, scene):
                maps[:, number] = pixels
            maps = paint(plan, maps, [axis + 2 for axis in scene.axes], ids=True, inplace=True)
            return kernel.wrap_like(maps if scene.first else kernel.axes_first(maps, range(2, rank + 2)), value)
        for number, pixels in self._classes(value, scene):
            # ids=True: a resized crop copies nearest cells here too, so that soft maps have the outlines of pasted
            # ones.
            own, axes = kernel.astype(pixels, "float32"), [axis + 1 for axis in scene.axes]
            maps[:, number] = paint(plan, own, axes, ids=True, fill=float(number == filled))
        return kernel.wrap_like(maps if scene.first else kernel.axes_first(maps, range(2, rank + 2)), value)

    def _classes(self, value: Any, scene: Scene) -> Iterator[tuple[int, Any]]:
        """Every class that carries mass, and its pixels, one channel."""
        channels = _channels(value, scene)
        if channels > 1:
            yield from ((number, _channel(value, scene, number)) for number in range(channels))
            return
        ids = kernel_of(str(backend_of(value))).astype(_channel(value, scene, 0), "int32")  # they were checked
        for number in range(self.num_classes or 0):
            if number != self.ignore_index:
                yield number, ids == number


def label_maps(value: Any, scene: Scene) -> NDArray[Any]:
    """What :meth:`SemanticMask.check` has let pass as ids on the host, ``(B, *lengths)``; of maps the largest class.

    Where maps have nothing of any class, that is :data:`NO_CLASS`.
    """
    values: NDArray[Any] = kernel_of(str(backend_of(value))).to_host(value)
    if _channels(value, scene) > 1:
        axis = _channel_axis(value, scene)
        return np.where((values == 0).all(axis=axis), NO_CLASS, values.argmax(axis=axis))
    return np.asarray(_channel(values, scene, 0))


def _key(where: str) -> str:
    """How ``kinds`` declares a mask, by the words for its place: ``'seg'`` of ``batch[1]['seg']``."""
    return where[where.rfind("[") + 1 : -1] or "'mask'"


def _other_size(value: Any, where: str, scene: Scene) -> InputError:
    return InputError(
        "The mask is of another size than the images",
        where=where,
        got=f"shape {tuple(value.shape)}",
        wanted=f"axes {scene.lengths}, or these at a stride, with channels, if any, "
        + ("before" if scene.first else "behind"),
        fix="Resize the masks to the size of the images, or move the axis of channels; where they show the same at any "
        f"other size, say kinds={{{_key(where)}: SemanticMask(any_size=True)}}.",
    )


def _may_be_classes(value: Any, own: Sequence[int], scene: Scene) -> bool:
    """Whether the one mixed axis is shorter and no other: four classes of every time look like a stride of 64 bands."""
    if len(scene.axes) != 1 or len(own) < 2 or len(value.shape) - len(own) != 1:
        return False
    (mixed,) = scene.axes
    return all(
        (length == whole) == (axis != mixed)
        for axis, (length, whole) in enumerate(zip(own, scene.lengths, strict=True))
    )


def _lengths(value: Any, scene: Scene) -> tuple[int, ...]:
    """Lengths of a mask's axes but samples and channels."""
    return tuple(value.shape[_start(value, scene) :][: len(scene.lengths)])


def _check_stride(canvas: Canvas, shape: Sequence[int], own: Sequence[int]) -> None:
    """Refuses a canvas that cells of masks at a stride do not fill: they would not be at a stride of it any more."""
    if any(length * cells % whole for length, cells, whole in zip(canvas.shape, own, shape, strict=True)):
        raise PlanError(
            "A canvas of no whole number of cells",
            where="mask",
            got=f"a canvas of {canvas.shape}, and masks of {tuple(own)} for images of {tuple(shape)}",
            wanted="an output size that is a multiple of the masks' stride along every axis",
            fix="Choose one, or say SemanticMask(any_size=True), and regions are rounded to cells.",
        )


def _on_canvas(canvas: Canvas, scene: Scene) -> tuple[int, ...]:
    """Lengths of all axes of masks on a canvas."""
    mixed = dict(zip(scene.axes, canvas.shape, strict=True))
    return tuple([mixed.get(axis, length) for axis, length in enumerate(scene.lengths)])


def _pair(plan: Plan, value: Any, scene: Scene, fill: int) -> MaskPair:
    """Both masks and their weight; what is opaque is pasted into both, what blends into the partner's only."""
    blending(plan)  # refuses what has several partners
    shares = _shares(plan, scene, 2)
    # A OneOf pastes some rows and blends others: what is pasted belongs to both masks, or the loss would see the base
    # sample below the paste.
    own, partner = (_pasted(with_blend(plan, number), value, scene, fill) for number in (0, 1))
    return MaskPair(own, partner, _beside(shares[:, 0], value, scene, 0))


def _mix(plan: Plan, value: Any, scene: Scene, fill: int) -> MaskMix:
    """The masks with what is opaque, and as many more as may be blended in, each with one blend; and their shares."""
    count, kernel = scene.blended, kernel_of(str(backend_of(value)))
    shares = _shares(plan, scene, count)
    masks = kernel.concat(*(_pasted(with_blend(plan, number), value, scene, fill) for number in range(count)))
    order = np.arange(count * plan.size).reshape(count, plan.size).T
    return MaskMix(kernel.wrap_like(kernel.take(masks, order), value), _beside(shares, value, scene, 1))


def _shares(plan: Plan, scene: Scene, count: int) -> NDArray[np.float32]:
    """Shares of the samples' own masks and of those that are blended in, ``(B, count)``; maps where they may vary."""
    numbers = blend_numbers(plan)
    # What the method may draw decides, so that the form is that of every batch, of the originals and in validation.
    placed = scene.soft_edged or (scene.cuts and scene.blended > 2)
    varies = placed or any(layer.soft_edged for layer in plan.layers)
    share = np.zeros((plan.size, count, *(scene.lengths if varies else ())))
    share[:, 0] = 1.0
    for layer, number in zip(plan.layers, numbers, strict=True):
        rows, seen = layer.rows[number > 0], _spread(layer.field(scene.shape), scene) if varies else layer.opacity
        give = seen[number > 0]
        # A layer's opacity is that of what it paints; whatever was there keeps the rest.
        share[rows] *= 1.0 - give[:, None]
        share[rows, number[number > 0]] = give
    return share.astype(np.float32)


def _beside(share: NDArray[np.float32], value: Any, scene: Scene, leading: int) -> Any:
    """Shares as an array beside the mask: one a sample, or maps with one channel where the mask has such an axis."""
    kernel = kernel_of(str(backend_of(value)))
    # Where no layer has soft edges a number a sample says it all; a map would cost as much as the mask.
    if share.ndim == 1 + leading:
        return kernel.asarray_like(share, value)
    axis = _channel_axis(value, scene)
    share = share if axis is None else np.expand_dims(share, axis + leading)
    return kernel.wrap_like(kernel.asarray_like(share, value), value)


def _pasted(plan: Plan, value: Any, scene: Scene, fill: int) -> Any:
    return paint(plan, value, _mixed_axes(value, scene), ids=True, fill=fill, where="mask")


def _spread(field: FloatArray, scene: Scene) -> FloatArray:
    """A field of the mixed axes over all axes, alike along those that are not mixed."""
    unmixed = [axis + 1 for axis in range(len(scene.lengths)) if axis not in scene.axes]
    return np.asarray(np.expand_dims(field, unmixed))


def _start(value: Any, scene: Scene) -> int:
    """Position of the first axis behind samples and channels."""
    return len(value.shape) - len(scene.lengths) if scene.first else 1


def _mixed_axes(value: Any, scene: Scene) -> list[int]:
    """Positions of the mixed axes."""
    return [_start(value, scene) + axis for axis in scene.axes]


def _channel_axis(value: Any, scene: Scene) -> int | None:
    """Position of the axis of channels, where there is one."""
    if len(value.shape) == len(scene.lengths) + 1:
        return None
    return 1 if scene.first else len(scene.lengths) + 1


def _channels(value: Any, scene: Scene) -> int:
    axis = _channel_axis(value, scene)
    return 1 if axis is None else int(value.shape[axis])


def _channel(value: Any, scene: Scene, number: int) -> Any:
    """One channel, ``(B, ...)``, a view."""
    axis = _channel_axis(value, scene)
    return value if axis is None else value[(slice(None),) * axis + (number,)]
