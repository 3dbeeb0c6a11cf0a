"""Class labels: integer ids, one-hot or soft rows; mixed by the plan's shares into soft rows or pairs."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from mixtransforms.core.errors import InputError, explain
from mixtransforms.core.plan import Plan
from mixtransforms.kernels import backend_of, dtype_name, is_floating, kernel_of

FORMS = ("soft", "pair")


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


@dataclass(frozen=True)
class LabelRules:
    """How class labels are mixed.

    Attributes:
        form: ``"soft"``, float32 ``(B, K)``, or ``"pair"``, a :class:`LabelPair`.
        classes: Number of classes ``K``; needed to turn ids into soft rows.
        ignore_index: The id that carries no mass, or ``None``.
    """

    form: str
    classes: int | None
    ignore_index: int | None

    def mix(self, plan: Plan, labels: Any) -> Any:
        """Labels that :meth:`check` has let pass, mixed by the plan.

        Args:
            plan: The plan; labels follow :attr:`~mixtransforms.Plan.target_share`.
            labels: ``(B,)`` integers, or ``(B, K)`` one-hot or soft rows of any dtype.
        """
        kernel = kernel_of(str(backend_of(labels)))
        if self.form == "pair":
            weight = plan.target_share[:, 0].astype(np.float32)
            return LabelPair(
                kernel.take(labels, np.arange(plan.size)),
                kernel.take(labels, plan.partner),
                kernel.like(weight, labels),
            )
        soft = labels if len(labels.shape) == 2 else kernel.one_hot(labels, self.classes, self.ignore_index)
        return kernel.combine(soft, plan.sources, plan.target_share)

    def check(self, labels: Any, where: str) -> None:
        """Refuses labels that could only be mixed wrongly.

        Args:
            labels: An array.
            where: Its place, for the error.

        Raises:
            InputError: The labels are of another shape or dtype, out of range, or there is no number of classes.
        """
        shape, classes = tuple(labels.shape), self.classes
        if len(shape) == 1 and _holds_ids(labels):
            if self.form == "soft" and classes is None:
                raise InputError(
                    explain(
                        "The number of classes is not known",
                        where=where,
                        got="integer labels without num_classes",
                        wanted="num_classes, to turn ids into soft labels",
                        fix="Give num_classes=..., or labels='pair', which needs none.",
                    )
                )
            self._check_ids(labels, where)
        elif len(shape) != 2 or not (_holds_ids(labels) or is_floating(labels) or dtype_name(labels) == "bool"):
            raise InputError(
                explain(
                    "Not class labels",
                    where=where,
                    got=f"shape {shape} {labels.dtype}",
                    wanted="integer ids (B,), or one-hot or soft rows (B, K)",
                    fix="Give class ids as integers, or leave the array alone with passthrough.",
                )
            )
        elif classes is not None and shape[1] != classes:
            raise InputError(
                explain(
                    "Label rows of another width",
                    where=where,
                    got=f"shape {shape}",
                    wanted=f"(B, {classes}), because num_classes={classes}",
                    fix="Correct num_classes, or leave it out for two-dimensional labels.",
                )
            )
        elif _holds_ids(labels):
            self._check_one_hot(labels, where)

    @staticmethod
    def _check_one_hot(labels: Any, where: str) -> None:
        rows = kernel_of(str(backend_of(labels))).to_host(labels)
        if rows.shape[1] < 2 or not ((rows == 0) | (rows == 1)).all():
            raise InputError(
                explain(
                    "Whole numbers in rows that are not one-hot",
                    where=where,
                    got=f"shape {rows.shape}, values {np.unique(rows)[:5].tolist()}",
                    wanted="zeros and ones, one column a class",
                    fix="Give class ids as (B,), shares as floats, or leave attributes alone with passthrough.",
                )
            )

    def _check_ids(self, labels: Any, where: str) -> None:
        ids = kernel_of(str(backend_of(labels))).to_host(labels).astype(np.int64)
        wrong = ids < 0 if self.classes is None else (ids < 0) | (ids >= self.classes)
        if self.ignore_index is not None:
            wrong &= ids != self.ignore_index
        if wrong.any():
            limit = "" if self.classes is None else f" and below num_classes={self.classes}"
            ignored = "" if self.ignore_index is None else f", or ignore_index={self.ignore_index}"
            raise InputError(
                explain(
                    "Class ids out of range",
                    where=where,
                    got=f"{np.unique(ids[wrong])[:5].tolist()} at {np.flatnonzero(wrong)[:5].tolist()}",
                    wanted=f"ids from 0{limit}{ignored}",
                    fix="Correct num_classes, or name the id of unlabelled samples with ignore_index.",
                )
            )


def _holds_ids(labels: Any) -> bool:
    return re.fullmatch(r"u?int(8|16|32|64)", dtype_name(labels)) is not None


def class_ids(labels: Any) -> NDArray[Any]:
    """Class ids ``(B,)`` on the host, of rows the largest entry."""
    values: NDArray[Any] = kernel_of(str(backend_of(labels))).to_host(labels)
    return values if values.ndim == 1 else values.argmax(axis=1)
