"""A batch with its targets as arrays: one backend, one number of samples, one size of images."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from mixtransforms.core.errors import InputError, explain
from mixtransforms.core.plan import BatchSpec
from mixtransforms.kernels import backend_of, kernel_of
from mixtransforms.targets.collate import collate, is_samples, stack
from mixtransforms.targets.find import IMAGE, Finder, Path, Target, is_flat, is_picture, leaf_at, replace, spell, walk
from mixtransforms.targets.images import mixed_axes


@dataclass(frozen=True)
class Found:
    """A batch with its targets as arrays.

    Attributes:
        batch: The batch as it came, collated where it was a list of samples.
        images: Its images, ``(B, ...)`` arrays of one backend.
        labels: Its labels, arrays of the same backend.
        axes: Positions of the mixed axes of every image, by path.
        spec: Size and mixed axes.
        samples: Whether it was collated from a list of samples.
    """

    batch: Any
    images: tuple[Target, ...]
    labels: tuple[Target, ...]
    axes: Mapping[Path, tuple[int, ...]]
    spec: BatchSpec
    samples: bool = False

    @property
    def targets(self) -> tuple[Target, ...]:
        """Images and labels."""
        return self.images + self.labels

    def copy(self) -> Any:
        """The batch with copies of its targets."""
        return replace(self.batch, {target.path: _copy(target.value) for target in self.targets})

    def was_list(self, target: Target) -> bool:
        """Whether the target came as a list of arrays, one a sample."""
        return is_flat(leaf_at(self.batch, target.path))

    def rest_twice(self) -> dict[Path, Any]:
        """Everything but the targets that has one value a sample, repeated to stay beside its sample."""
        mixed = {target.path for target in self.targets}

        def whole(path: Path, node: Any) -> bool:
            return path in mixed or (_length(node) == self.spec.size and not _holds_arrays(node))

        repeated = {}
        for path, node in walk(self.batch, whole):
            if path not in mixed and _length(node) == self.spec.size:
                backend = backend_of(node)
                repeated[path] = node + node if backend is None else kernel_of(backend).concat(node, node)
        return repeated


def find_batch(
    batch: Any, finder: Finder, *, layout: str | None = None, labels: Any = None, labels_follow: bool = False
) -> Found:
    """Finds the targets of a batch or of a list of samples, and makes them arrays that belong together.

    Args:
        batch: Any container, or a list of samples.
        finder: Knows what values are called.
        layout: Axes of images, see :func:`~mixtransforms.targets.images.mixed_axes`.
        labels: Finds the one leaf of a batch that is known to be the labels; ``None`` where nothing is.
        labels_follow: Convert labels of another backend to the images'.

    Raises:
        InputError: There are no images, an array is unknown, or targets do not belong together.
    """
    samples = is_samples(batch)
    if samples:
        batch = collated(batch)
    found = finder.find(batch, None if labels is None else labels(batch))
    images = [target._replace(value=_as_array(target)) for target in found if target.kind == IMAGE]
    if not images:
        raise no_images(batch)
    backend = _one_backend(images)
    others = [_following(target, backend, labels_follow) for target in found if target.kind != IMAGE]
    axes = {target.path: mixed_axes(target.value, layout, spell(target.path)) for target in images}
    return Found(batch, tuple(images), tuple(others), axes, _one_spec(images + others, axes), samples)


def collated(batch: Any) -> Any:
    """A list of samples as a batch, whose numbers become tensors where there are tensors; a batch as it is."""
    if not is_samples(batch):
        return batch
    tensors = any(backend_of(leaf) == "torch" for _, leaf in walk(batch[0], lambda *_: False))
    return collate(batch, "torch" if tensors else "numpy")


def no_images(batch: Any) -> InputError:
    """The error for a batch in which nothing is known as an image."""
    pictures = any(is_picture(leaf) for _, leaf in walk(batch, lambda *_: False))
    return InputError(
        explain(
            "Nothing to mix",
            where="batch",
            got=f"{type(batch).__name__} " + ("with PIL images, which are no arrays" if pictures else "without images"),
            wanted="a batch of images, as an array, as (images, labels), or by name",
            fix="Convert them first, for example with v2.ToImage()."
            if pictures
            else "Say which value it is with kinds={'name': 'image'}.",
        )
    )


def _holds_arrays(node: Any) -> bool:
    """Whether a list has arrays anywhere in it, which then are walked one by one."""
    return type(node) in (list, tuple) and any(backend_of(leaf) for _, leaf in walk(node, lambda *_: False))


def _length(node: Any) -> int | None:
    if backend_of(node):
        return int(node.shape[0]) if len(node.shape) else None
    return len(node) if type(node) in (list, tuple) else None


def _copy(value: Any) -> Any:
    return value.clone() if backend_of(value) == "torch" else value.copy()


def _as_array(target: Target) -> Any:
    value = target.value
    if not is_flat(value):
        return value
    if not backend_of(value[0]):
        return np.asarray(value)
    return stack(value, target.path)


def _one_backend(images: list[Target]) -> str:
    backend = str(backend_of(images[0].value))
    for target in images:
        if backend_of(target.value) != backend:
            raise _two_backends(target.path, str(backend_of(target.value)), backend)
    return backend


def _two_backends(path: Path, got: str, wanted: str) -> InputError:
    names = {"numpy": "a NumPy array", "torch": "a torch tensor"}
    return InputError(
        explain(
            "NumPy and torch in one batch",
            where=spell(path),
            got=names[got],
            wanted=f"{names[wanted]}, as the images are",
            fix="Convert one of them: torch.from_numpy(array) or tensor.numpy().",
        )
    )


def _following(target: Target, backend: str, follow: bool) -> Target:
    """Labels as an array of the images' backend; plain numbers always follow it."""
    if is_flat(target.value) and backend_of(target.value[0]):
        target = target._replace(value=_rows(target))
    numbers = backend_of(target.value) is None
    value = np.array(target.value, None if target.value else np.int64) if numbers else target.value
    own = str(backend_of(value))
    if own == backend:
        return target._replace(value=value)
    if not (follow or numbers):
        raise _two_backends(target.path, own, backend)
    return target._replace(value=_convert(value, backend))


def _rows(target: Target) -> Any:
    """A list of labels, one array a sample; default collation makes lists of columns, which look alike if square."""
    shape = tuple(target.value[0].shape)
    if shape and shape[0] == len(target.value):
        raise InputError(
            explain(
                "Rows or columns",
                where=spell(target.path),
                got=f"{len(target.value)} arrays of shape {shape}",
                wanted="one array of labels, (B,) or (B, K)",
                fix="Stack them along the right axis, or return arrays instead of lists from the dataset.",
            )
        )
    return stack(target.value, target.path)


def _convert(value: Any, backend: str) -> Any:
    if backend == "numpy":
        return value.numpy()
    import torch

    return torch.from_numpy(np.array(value))  # a copy: torch warns of read-only memory


def _one_spec(targets: list[Target], axes: Mapping[Path, tuple[int, ...]]) -> BatchSpec:
    first = targets[0]
    shape = tuple(first.value.shape[axis] for axis in axes[first.path])
    for target in targets:
        size = target.value.shape[0] if len(target.value.shape) else None
        if size != first.value.shape[0]:
            raise InputError(
                explain(
                    "Batch sizes disagree",
                    where=spell(target.path),
                    got=f"{size} values",
                    wanted=f"{first.value.shape[0]}, as in {spell(first.path)}",
                    fix="Give one value for every sample.",
                )
            )
        if target.path in axes and tuple(target.value.shape[axis] for axis in axes[target.path]) != shape:
            raise InputError(
                explain(
                    "Images of different sizes",
                    where=spell(target.path),
                    got=f"shape {tuple(target.value.shape)}",
                    wanted=f"height and width {shape}, as in {spell(first.path)}",
                    fix="Resize them alike, or mix them in separate calls.",
                )
            )
    return BatchSpec(int(first.value.shape[0]), shape)
