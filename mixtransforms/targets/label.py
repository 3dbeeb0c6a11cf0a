"""Class labels: integer ids, one-hot or soft rows; mixed by the plan's shares into soft rows or pairs."""

# No `from __future__ import annotations`: signatures must show types, not strings.
from collections.abc import Mapping
from dataclasses import dataclass
from types import ModuleType
from typing import Any, ClassVar, NamedTuple

import numpy as np
from numpy.typing import NDArray

from mixtransforms.containers.mixed import MixedValue, of_one_iterable
from mixtransforms.core import fields
from mixtransforms.core.backends import backend_of, dtype_name, is_floating, is_integer
from mixtransforms.core.errors import InputError
from mixtransforms.kernels import kernel_of
from mixtransforms.plan import Plan
from mixtransforms.targets.kind import Kind, Mixed, Scene, class_count, ignored_id
from mixtransforms.targets.united import united

FORMS = ("soft", "pair", "mix")

_UNSIGNED = {np.dtype(f"{kind}{size}"): np.dtype(f"u{size}") for kind in "iu" for size in (1, 2, 4, 8)}
"""Types of class ids in this machine's order of bytes, and those in which their bits are numbers without a sign."""

_SLACK = 1e-3
"""How far shares of classes may lie outside of 0 and 1: half types round sums by as much."""


@MixedValue.register
@of_one_iterable
class LabelPair(NamedTuple):
    """Labels as a loss reads them that is not linear: ``weight * loss(label) + (1 - weight) * loss(partner)``.

    Attributes:
        label: Labels of the samples themselves, as they came in, ``(B,)`` or ``(B, K)``.
        partner: Labels of their partners, alike.
        weight: Weight of the sample itself, ``(B,)`` float32.
    """

    label: Any
    partner: Any
    weight: Any


@MixedValue.register
@of_one_iterable
class LabelMix(NamedTuple):
    """Labels of any number of sources, as a loss reads them: the sum of ``share[:, s] * loss(labels[:, s])``.

    Attributes:
        labels: Labels of all sources, as they came in, ``(B, S)`` or ``(B, S, K)``; those of the sample itself come
            first, and stand again where a sample has fewer sources than the method may give it.
        share: Their shares, ``(B, S)`` float32; 0 for those that stand again.
    """

    labels: Any
    share: Any


APART = (LabelPair, LabelMix)
"""What keeps labels of several sources apart."""


@dataclass(frozen=True, repr=False)
class LossTarget(Kind):
    """What a loss compares predictions with: values mixed by :attr:`~mixtransforms.Plan.target_share`, or pairs."""

    _: fields.KW_ONLY
    form: str | None = fields.optional_choice(
        FORMS,
        "'soft', mixed values; 'pair', (label, partner, weight); or 'mix', (labels, share) of all sources. None is the "
        "form of the transform's labels.",
    )

    inherits: ClassVar[Mapping[str, str]] = {"form": "labels"}

    def mix(self, plan: Plan, value: Any, scene: Scene) -> Mixed:
        """Mixed values, or a :class:`LabelPair` or :class:`LabelMix` of the values as they came.

        Raises:
            PlanError: Pairs are wanted where some sample has several partners.
        """
        kernel = kernel_of(str(backend_of(value)))
        if self.form == "pair":
            return Mixed(LabelPair(*kernel.pair(value, plan)))
        if self.form == "mix":
            sources, share = united(plan, scene.sources)
            return Mixed(LabelMix(kernel.take(value, sources), kernel.asarray_like(share, value)))
        return self.soften(kernel, plan, value)

    def soften(self, kernel: ModuleType, plan: Plan, value: Any) -> Mixed:
        """Mixed values: the form ``"soft"``.

        Args:
            kernel: The verbs of the value's backend.
            plan: The plan.
            value: What :meth:`check` has let pass.
        """
        raise NotImplementedError


@fields.documented
@dataclass(frozen=True, repr=False)
class Label(LossTarget):
    """Class labels: integer ids ``(B,)``, or one-hot or soft rows ``(B, K)`` of any dtype, from 0 to 1.

    Soft labels are float32 ``(B, K)``; pairs and mixes keep what came in. Smoothed labels are
    ``(1 - smoothing) * y + smoothing / K``, whether ids or rows came in; rows of nothing, as of ids that are ignored,
    stay so. After ``.eval()`` none are smoothed.

    Smoothing: Szegedy et al., Rethinking the Inception Architecture for Computer Vision, arXiv:1512.00567, section 7.
    """

    num_classes: int | None = class_count()
    ignore_index: int | None = ignored_id()
    smoothing: float | None = fields.optional_number(
        low=0, high=1, doc="The part of soft labels that all classes share alike; None is the transform's smoothing."
    )

    name: ClassVar[str] = "label"
    inherits: ClassVar[Mapping[str, str]] = {
        "num_classes": "num_classes",
        "ignore_index": "ignore_index",
        "smoothing": "smoothing",
        **LossTarget.inherits,
    }

    def soften(self, kernel: ModuleType, plan: Plan, value: Any) -> Mixed:
        """Soft rows ``(B, K)`` float32; ids that are ignored are rows of zeros before they are mixed."""
        # One axis is ids, two are rows, whatever the dtype; a column of ids was refused.
        if len(value.shape) == 1:
            rows = kernel.soft_labels(value, self.num_classes, self.ignore_index, plan)
        else:  # never in the dtype that came: shares would be 0 in integers, and coarse in half types
            rows = kernel.combine(kernel.astype(value, "float32"), plan)
        return Mixed(self._smoothed(rows) if self.smoothing else rows)

    def _smoothed(self, rows: Any) -> Any:
        part = self.smoothing or 0.0
        # What a row has in all is shared, so that what has no label gets none.
        return rows * (1 - part) + rows.sum(1)[:, None] * (part / max(1, rows.shape[1]))

    def check(self, value: Any, where: str, scene: Scene) -> None:
        """Refuses labels that could only be mixed wrongly. See :meth:`Kind.check`.

        Raises:
            InputError: The labels are of another shape or dtype, out of range, or there is no number of classes. Rows
                of floats on a device are not looked at, which would wait for it.
        """
        shape, classes = tuple(value.shape), self.num_classes
        if len(shape) == 1 and is_integer(value):
            if self.form not in ("pair", "mix") and classes is None:
                raise InputError(
                    "The number of classes is not known",
                    where=where,
                    got="integer labels without num_classes",
                    wanted="num_classes, to turn ids into soft labels",
                    fix="Give num_classes=..., or labels='pair' or 'mix', which need none.",
                )
        elif len(shape) != 2 or not (is_integer(value) or is_floating(value) or dtype_name(value) == "bool"):
            raise InputError(
                "Not class labels",
                where=where,
                got=f"shape {shape} {value.dtype}",
                wanted="integer ids (B,), or one-hot or soft rows (B, K)",
                fix="Give class ids as integers; say what else it is with kinds, such as 'mask', 'regression' or "
                "'multilabel'; or leave the array alone with passthrough.",
            )
        elif classes is not None and shape[1] != classes:
            raise InputError(
                "Label rows of another width",
                where=where,
                got=f"shape {shape}",
                wanted=f"(B, {classes}), because num_classes={classes}",
                fix="Give class ids as (B,), labels[:, 0]."
                if shape[1] == 1 and is_integer(value)
                else "Correct num_classes, or leave it out for two-dimensional labels.",
            )
        self._check_values(value, where)

    def check_again(self, value: Any, where: str, scene: Scene) -> None:
        """See the base: looks at numbers alone."""
        if type(self).check is Label.check:
            self._check_values(value, where)
        else:  # a class of the user's own may check anything
            self.check(value, where, scene)

    def _check_values(self, value: Any, where: str) -> None:
        if len(value.shape) == 1:
            self._check_ids(value, where)
        elif is_integer(value):
            _check_one_hot(value, where)
        elif is_floating(value):
            _check_shares(value, where)

    def _check_ids(self, labels: Any, where: str) -> None:
        ids = labels
        if type(labels) is not np.ndarray:
            kernel = kernel_of(str(backend_of(labels)))
            # Looking at values on a device would wait for all work queued there; an assertion of the device does not.
            if not kernel.is_on_host(labels):
                ids = kernel.astype(labels, "int64")  # some whole numbers cannot be compared there
                kernel.assert_async(self._known(ids), f"Class ids out of range: wanted {self._wanted}")
                return
            ids = kernel.to_host(labels)
        # The usual batch passes here, after one reduction and without a temporary array: without a sign, what is
        # below 0 is above all classes.
        unsigned, classes = _UNSIGNED.get(ids.dtype), self.num_classes
        highest = np.iinfo(ids.dtype).max
        if classes is not None and classes <= highest:  # of more classes than the type has numbers, -1 would be one
            highest = classes - 1
        if unsigned and ids.size and np.maximum.reduce(ids.view(unsigned), axis=None) <= highest:
            return
        ids = ids.astype(np.int64)
        wrong = ~self._known(ids)
        if wrong.any():
            raise InputError(
                "Class ids out of range",
                where=where,
                got=f"{np.unique(ids[wrong])[:5].tolist()} at {np.flatnonzero(wrong)[:5].tolist()}",
                wanted=self._wanted,
                fix="Correct num_classes, or name the id of unlabelled samples with ignore_index.",
            )

    @property
    def _wanted(self) -> str:
        limit = "" if self.num_classes is None else f" and below num_classes={self.num_classes}"
        return f"ids from 0{limit}" + ("" if self.ignore_index is None else f", or ignore_index={self.ignore_index}")

    def _known(self, ids: Any) -> Any:
        """Which ids are classes or ignored, as an array of the same backend."""
        known = ids >= 0
        if self.num_classes is not None:
            known = known & (ids < self.num_classes)
        return known if self.ignore_index is None else known | (ids == self.ignore_index)


def makes_soft(rule: Kind, value: Any) -> bool:
    """Whether a rule makes new rows of class ids, soft labels, whatever backend these are of."""
    return type(rule) is Label and rule.form == "soft" and len(value.shape) == 1 and is_integer(value)


def _check_one_hot(labels: Any, where: str) -> None:
    kernel = kernel_of(str(backend_of(labels)))
    if not kernel.is_on_host(labels) and labels.shape[1] > 1:
        kernel.assert_async((labels == 0) | (labels == 1), "Whole numbers in rows that are not one-hot")
        return
    rows = kernel.to_host(labels)
    # One column of whole numbers is most likely ids with an axis too many: mixed as rows they would be wrong in
    # silence.
    if rows.shape[1] < 2 or not ((rows == 0) | (rows == 1)).all():
        raise InputError(
            "Whole numbers in rows that are not one-hot",
            where=where,
            got=f"shape {rows.shape}, values {np.unique(rows)[:5].tolist()}",
            wanted="zeros and ones, one column a class",
            fix="Give class ids as (B,), shares as floats, or leave attributes alone with passthrough.",
        )


def _check_shares(labels: Any, where: str) -> None:
    """Refuses rows of floats that are no shares. Those on a device are not looked at, which would wait for it."""
    kernel = kernel_of(str(backend_of(labels)))
    if not kernel.is_on_host(labels):
        return
    rows = kernel.to_host(labels)
    # Two reductions and no temporary; NaN fails every comparison.
    if not rows.size or (rows.min() >= -_SLACK and rows.max() <= 1 + _SLACK):
        return
    raise InputError(
        "Numbers that are no shares of classes",
        where=where,
        got=f"shape {rows.shape}, {offending(rows, ~((rows >= -_SLACK) & (rows <= 1 + _SLACK)))}",
        wanted="one-hot or soft rows, from 0 to 1",
        fix="Say what they are with kinds, such as 'regression' for numbers to predict or 'boxes', or leave the array "
        "alone with passthrough.",
    )


def offending(values: NDArray[Any], wrong: NDArray[np.bool_]) -> str:
    """The first of the entries that are ``wrong``, and their rows, for an error."""
    return f"{np.unique(values[wrong])[:5].tolist()} in rows {np.flatnonzero(wrong.any(axis=1))[:5].tolist()}"


def class_ids(labels: Any) -> NDArray[Any]:
    """Class ids ``(B,)`` on the host, of rows the largest entry."""
    values: NDArray[Any] = kernel_of(str(backend_of(labels))).to_host(labels)
    # Pairings by class need one class a sample; of soft rows it is the one that they are most of.
    return values if values.ndim == 1 else values.argmax(axis=1)
