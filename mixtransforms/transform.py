"""The neutral door: transforms of any batch of NumPy arrays or tensors, and what all three doors share."""

# No `from __future__ import annotations`: signatures must show types, not strings.
import functools
import inspect
import secrets
import sys
import textwrap
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from typing import Any, NamedTuple

import numpy as np

from mixtransforms import methods
from mixtransforms.core import fields as checked
from mixtransforms.core.errors import InputError, ParameterError, PlanError, UnknownOptionError, explain, nearest
from mixtransforms.core.keys import Key, Steps, content_hash, current_rank
from mixtransforms.core.method import Method
from mixtransforms.core.plan import BatchSpec, Plan
from mixtransforms.core.registry import METHODS
from mixtransforms.kernels import backend_of, kernel_of
from mixtransforms.targets.collate import collate, is_samples, stack
from mixtransforms.targets.find import IMAGE, KINDS, Finder, Path, Target, is_flat, spell, walk
from mixtransforms.targets.find import replace as replace_leaves
from mixtransforms.targets.images import LAYOUTS, mixed_axes, paint
from mixtransforms.targets.labels import FORMS, LabelPair, LabelRules, class_ids

if sys.version_info >= (3, 11):
    from typing import dataclass_transform
else:

    def dataclass_transform(**_: Any) -> Callable[[type], type]:
        """Read by type checkers only."""
        return lambda cls: cls


class Trace(NamedTuple):
    """What one call did, for looking and logging.

    Attributes:
        before: The batch as it came to the first mix.
        plans: The plans, in the order they were painted.
        after: The result.
    """

    before: Any
    plans: tuple[Plan, ...]
    after: Any


def _kinds(value: Any) -> dict[str | int, str] | None:
    if value is None:
        return None
    if not isinstance(value, Mapping) or not all(kind in KINDS for kind in value.values()):
        raise ValueError
    return dict(value)


def _layout(value: Any) -> str | None:
    if value is not None and value not in LAYOUTS:
        raise ValueError
    return None if value is None else str(value)


def _names(value: Any) -> tuple[str | int, ...]:
    names = (value,) if isinstance(value, (str, int)) else tuple(value)
    if not all(isinstance(name, (str, int)) and not isinstance(name, bool) for name in names):
        raise ValueError
    return names


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class Options:
    """What every transform may be told about its targets."""

    num_classes: int | None = checked.optional_integer(
        low=1, high=2**31 - 1, doc="Number of classes; needed only to turn integer labels into soft ones."
    )
    labels: str = checked.choice(
        "soft", FORMS, "Form of mixed labels: 'soft', float32 (B, K), or 'pair', (label, partner, weight)."
    )
    ignore_index: int | None = checked.optional_integer(
        low=-(2**31), high=2**31 - 1, doc="Class id that carries no mass, such as -1 for unlabelled samples."
    )
    kinds: Mapping[str | int, str] | None = checked.parameter(
        None,
        _kinds,
        "None or a dict of names, positions or dotted paths to " + " or ".join(map(repr, KINDS)),
        "What values are that have no default name, such as {'pixels': 'image', 'meta.y': 'label'}.",
    )
    layout: str | None = checked.parameter(
        None,
        _layout,
        "None or one of " + ", ".join(map(repr, LAYOUTS)),
        "Axes of images. None: tensors are (B, C, H, W), NumPy arrays (B, H, W, C).",
    )
    passthrough: Sequence[str | int] = checked.parameter(
        (), _names, "names, positions or dotted paths", "Values that are left alone."
    )
    keep_originals: bool = checked.flag(False, "Return the originals followed by the mixed samples, 2B in all.")
    inplace: bool = checked.flag(False, "Allow the images that are passed in to be overwritten.")
    seed: int | None = checked.optional_integer(
        low=0, high=2**64 - 1, doc="None: the host's own randomness. A number: the same draws again for the same calls."
    )


@dataclass(frozen=True)
class Found:
    """A batch with its targets as arrays.

    Attributes:
        batch: The batch as it came.
        targets: Its targets; values are arrays of one backend.
        axes: Positions of the mixed axes of every image, by path.
        spec: Size and mixed axes.
        samples: Whether it was collated from a list of samples.
    """

    batch: Any
    targets: tuple[Target, ...]
    axes: Mapping[Path, tuple[int, ...]]
    spec: BatchSpec
    samples: bool = False


@dataclass_transform(frozen_default=True, eq_default=False, kw_only_default=False)
@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class MixTransform(Options):
    """A mixing method with target options: finds the targets of a batch, draws a plan, replays it on them.

    ``transform(batch)`` is ``transform.replay(transform.plan(batch), batch)``. Parameters cannot be assigned; make
    a changed copy with ``dataclasses.replace``. Transforms compare by identity.
    """

    _labels_follow = False
    """Whether labels of another backend are converted to the images'."""

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        if issubclass(cls, Method):
            own = vars(cls).get("__doc__")
            cls.__doc__ = own or _documentation(cls)
            dataclass(frozen=True, eq=False, repr=False)(cls)
            del (
                cls.__setattr__,
                cls.__delattr__,
            )  # hosts set attributes of their own; the fields stay frozen by the bases
            cls.__init__ = _refusing_unknown(cls.__init__)  # type: ignore[method-assign]

    __eq__ = object.__eq__
    __hash__ = object.__hash__

    def __post_init__(self) -> None:
        vars(self)["_steps"] = Steps()
        super().__post_init__()  # type: ignore[misc]
        if self.keep_originals and self.inplace:
            raise checked.mismatch(self, "inplace=True would overwrite the originals to keep", "one of the two")
        if isinstance(self, methods.OneOf):
            object.__setattr__(self, "transforms", tuple(self._child(child) for child in self.transforms))

    def __repr__(self) -> str:
        return checked.constructor(self)

    def _child(self, child: Method) -> Method:
        """The method of a child; its target options count only on the transform that holds it."""
        if not isinstance(child, MixTransform):
            return child
        for option in fields(Options):
            own = getattr(child, option.name)
            if own not in (option.default, getattr(self, option.name)):
                raise ParameterError(
                    explain(
                        f"A child's {option.name!r} differs",
                        where=type(self).__name__,
                        got=f"{option.name}={own!r} in {type(child).__name__}, {getattr(self, option.name)!r} outside",
                        wanted="one value for all",
                        fix=f"Give {option.name}={own!r} to {type(self).__name__} instead.",
                    )
                )
        return child.method

    # ------------------------------------------------------------------------------------------ public verbs

    def plan(self, *batch: Any, **named: Any) -> Plan:
        """Draws the plan of one call, without painting it.

        Args:
            *batch: The batch, or its parts: ``plan(images, labels)`` is ``plan((images, labels))``.
            **named: The parts by name instead.

        Raises:
            InputError: The batch cannot be mixed correctly.
        """
        return self._draw(self._find(gather(batch, named)))

    def replay(self, plan: Plan, *batch: Any, **named: Any) -> Any:
        """Applies a plan to a batch of the same spec.

        Args:
            plan: A plan of this or any other method.
            *batch: The batch, or its parts, as for :meth:`plan`.
            **named: The parts by name instead.

        Raises:
            InputError: The batch cannot be mixed correctly.
            PlanError: The plan was made for another batch.
        """
        return self._replay(plan, self._find(gather(batch, named)))

    def trace(self, *batch: Any, **named: Any) -> Trace:
        """Runs one call and returns what went in, the plan, and what came out."""
        found = self._find(gather(batch, named))
        before = self._kept(found)
        plan = self._draw(found)
        return Trace(before, (plan,), self._replay(plan, found))

    def __call__(self, *batch: Any, **named: Any) -> Any:
        """Mixes a batch; or collates a list of samples and mixes that.

        Args:
            *batch: The batch, or its parts: a bare array of images, ``(images, labels)``, a dict, any nesting of
                these, or a list of samples.
            **named: The parts by name instead.

        Returns:
            The same containers around the mixed values; other values as they came.
        """
        return self._run(gather(batch, named))

    def parameters(self) -> dict[str, Any]:
        """Names and values of all parameters, in the order of the signature."""
        names = list(inspect.signature(type(self)).parameters)
        return {name: getattr(self, name) for name in names}

    @property
    def method(self) -> Method:
        """The method alone, without target options."""
        pure = next(cls for cls in type(self).__mro__ if cls in METHODS.values())
        return pure(**{known.name: getattr(self, known.name) for known in fields(pure)})  # type: ignore[no-any-return]

    # ------------------------------------------------------------------------------------------ what doors change

    def _host_seed(self) -> int:
        """A seed from the host's own randomness, for ``seed=None``; here fresh entropy."""
        return secrets.randbits(64)

    def _off(self) -> bool:
        """Whether mixing is switched off, as by ``.eval()``."""
        return False

    def _labels_of(self, batch: Any) -> Any:
        """The leaf that the host knows to be the labels, or ``None``."""
        return None

    # ------------------------------------------------------------------------------------------ how it works

    def _run(self, batch: Any) -> Any:
        found = self._find(batch)
        return self._replay(self._draw(found), found)

    def _find(self, batch: Any) -> Found:
        samples = is_samples(batch)
        if samples:
            leaves = [leaf for _, leaf in walk(batch[0], lambda *_: False)]
            batch = collate(batch, "torch" if any(backend_of(leaf) == "torch" for leaf in leaves) else "numpy")
        finder = Finder(self.kinds or {}, self.passthrough)
        found = finder.find(batch, self._labels_of(batch))
        images = [target for target in found if target.kind == IMAGE]
        if not images:
            raise InputError(
                explain(
                    "Nothing to mix",
                    where="batch",
                    got=f"{type(batch).__name__} without images",
                    wanted="a batch of images, as an array, as (images, labels), or by name",
                    fix="Say which value it is with kinds={'name': 'image'}.",
                )
            )
        arrays = [target._replace(value=_as_array(target)) for target in images]
        backend = _one_backend(arrays)
        targets = arrays + [self._as_labels(target, backend) for target in found if target.kind != IMAGE]
        axes = {target.path: mixed_axes(target.value, self.layout, spell(target.path)) for target in arrays}
        spec = _one_spec(targets, axes)
        rules = self._rules
        for target in targets[len(arrays) :]:
            rules.check(target.value, spell(target.path))
        return Found(batch, tuple(targets), axes, spec, samples)

    @property
    def _rules(self) -> LabelRules:
        return LabelRules(self.labels, self.num_classes, self.ignore_index)

    def _as_labels(self, target: Target, backend: str) -> Target:
        value = np.asarray(target.value) if is_flat(target.value) else target.value
        own = backend_of(value)
        if own != backend:
            if not (self._labels_follow or is_flat(target.value)):
                raise _two_backends(target.path, str(own), backend)
            value = _convert(value, backend)
        return target._replace(value=value)

    def _draw(self, found: Found, *, key: Key | None = None, forced: bool = False) -> Plan:
        """A plan for the batch, from a pipeline's key, this transform's own seed, or the host's randomness."""
        if self._off():
            return Plan(found.spec)
        method = self.method.forced() if forced else self.method
        labels = [target.value for target in found.targets if target.kind != IMAGE]
        hints = {"classes": class_ids(labels[0])} if "classes" in method.needs and labels else {}
        if key is None and self.seed is None:
            key = Key(self._host_seed())
        elif key is None:
            content = ((spell(target.path), target.value) for target in found.targets)
            key = call_key(self.seed, self._steps, content, found.samples)  # type: ignore[arg-type, attr-defined]
        return replace(method.draw(found.spec, key.generator(), hints), key=key)

    def _replay(self, plan: Plan, found: Found) -> Any:
        if plan.spec != found.spec:
            raise PlanError(
                explain(
                    "The plan is for another batch",
                    where=type(self).__name__,
                    got=f"{found.spec.size} samples of {found.spec.shape}",
                    wanted=f"{plan.spec.size} samples of {plan.spec.shape}",
                    fix="Draw a plan for this batch.",
                )
            )
        new = {target.path: self._mix(plan, target, found) for target in found.targets}
        if self.keep_originals:
            new |= self._repeated(found, set(new))
        return replace_leaves(found.batch, new)

    def _kept(self, found: Found) -> Any:
        """The batch as it is now, whatever is painted into it afterwards."""
        if not self.inplace:
            return found.batch
        return replace_leaves(found.batch, {target.path: _copy(target.value) for target in found.targets})

    def _mix(self, plan: Plan, target: Target, found: Found) -> Any:
        where = spell(target.path)
        kernel = kernel_of(str(backend_of(target.value)))
        if target.kind != IMAGE:
            mixed = self._rules.mix(plan, target.value, where)
            if not self.keep_originals:
                return mixed
            kept = self._rules.mix(Plan(plan.spec), target.value, where)
            if isinstance(mixed, LabelPair):
                return LabelPair(*(kernel.concat(a, b) for a, b in zip(kept, mixed, strict=True)))
            return kernel.concat(kept, mixed)
        listed = is_flat(_leaf(found.batch, target.path))
        mixed = paint(plan, target.value, found.axes[target.path], inplace=self.inplace and not listed, where=where)
        if self.keep_originals:
            mixed = kernel.concat(target.value, mixed)
        return list(mixed) if listed else mixed

    def _repeated(self, found: Found, mixed: set[Path]) -> dict[Path, Any]:
        """Everything else that has one value a sample, twice, to stay beside its sample."""
        finder = Finder(self.kinds or {}, self.passthrough)
        declared = {path for path, _ in finder.passed(found.batch)}

        def stop(path: Path, node: Any) -> bool:
            plain = type(node) in (list, tuple) and not any(isinstance(item, (list, tuple, Mapping)) for item in node)
            return path in mixed or path in declared or (plain and not any(backend_of(item) for item in node))

        repeated = {}
        for path, node in walk(found.batch, stop):
            if path in mixed:
                continue
            if backend_of(node) and len(node.shape) and node.shape[0] == found.spec.size:
                repeated[path] = kernel_of(str(backend_of(node))).concat(node, node)
            elif type(node) in (list, tuple) and len(node) == found.spec.size:
                repeated[path] = node + node
        return repeated


def gather(batch: tuple[Any, ...], named: Mapping[str, Any]) -> Any:
    """The batch of a call: one argument, several as a tuple, or keywords as a dict.

    Raises:
        TypeError: Both or neither were given.
    """
    if bool(batch) == bool(named):
        raise TypeError(
            "Pass a batch either by position, transform(images, labels), or by keyword, not both or neither"
        )
    if named:
        return dict(named)
    return batch[0] if len(batch) == 1 else batch


def call_key(seed: int, steps: Steps, content: Iterable[tuple[str, Any]], samples: bool) -> Key:
    """The key of one call.

    A ready batch counts the calls. A list of samples is known by its content, and so is any batch in a worker, where
    every worker would count for itself.

    Args:
        seed: The user's seed.
        steps: Counts the calls.
        content: Names and values of the batch.
        samples: Whether it came as a list of samples.
    """
    if not (samples or in_worker()):
        return Key(seed, rank=current_rank(), step=steps.next())
    return Key(seed, rank=current_rank(), step=content_hash((name, _on_host(value)) for name, value in content))


def _on_host(value: Any) -> Any:
    if type(value).__module__.startswith("PIL."):
        return np.asarray(value)
    backend = backend_of(value)
    return value if backend is None else kernel_of(backend).to_host(value)


def in_worker() -> bool:
    """Whether this process is a worker of a torch ``DataLoader``. Imports nothing."""
    data = sys.modules.get("torch.utils.data")
    return data is not None and data.get_worker_info() is not None


def _leaf(batch: Any, path: Path) -> Any:
    return dict(walk(batch, lambda at, _: at == path))[path]


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


def _convert(value: Any, backend: str) -> Any:
    if backend == "numpy":
        return value.numpy()
    import torch

    return torch.from_numpy(value)


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


def _documentation(cls: type) -> str:
    """The method's own text, with every parameter from its field."""
    pure = next(base for base in cls.__mro__ if base in METHODS.values())
    lines = [inspect.cleandoc(pure.__doc__ or ""), "", "Args:"]
    known: dict[str, Any] = {}
    for base in reversed(cls.__mro__):
        known.update(getattr(base, "__dataclass_fields__", {}))
    for item in sorted(known.values(), key=lambda item: item.kw_only is True):  # as in the signature
        rule = item.metadata.get(checked.RULE)
        if rule is not None:
            text = f"{item.name}: {rule.doc} Accepts {rule.wanted}."
            lines += textwrap.wrap(text, 110, initial_indent="    ", subsequent_indent="        ")
    return "\n".join(lines)


def _refusing_unknown(init: Callable[..., None]) -> Callable[..., None]:
    """The constructor, with an error for unknown options that offers the nearest known one."""
    known = [name for name in inspect.signature(init).parameters if name != "self"]

    @functools.wraps(init)
    def checked_init(self: Any, *args: Any, **options: Any) -> None:
        for name in options:
            if name not in known:
                raise UnknownOptionError(
                    f"{type(self).__name__} has no option {name!r}.{nearest(name, known)} Options: {', '.join(known)}"
                )
        init(self, *args, **options)

    return checked_init


class MixUp(MixTransform, methods.MixUp): ...


class CutMix(MixTransform, methods.CutMix): ...


class OneOf(MixTransform, methods.OneOf): ...
