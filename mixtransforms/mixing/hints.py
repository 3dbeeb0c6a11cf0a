"""Hints: what a method is told of a batch before it draws, by name, as NumPy arrays, whatever the back end.

A method's ``needs`` name them. ``"value:NAME"`` is any value of the batch by its name; all others have a line in
:data:`READERS`, which finds them in a batch, and some in :data:`CHECKS`, which let users give them: with a call, or by
a function that gets the images.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from mixtransforms.batch.batch import Found
from mixtransforms.containers.tree import describe, spell, walk
from mixtransforms.core.backends import backend_of
from mixtransforms.core.errors import InputError, ParameterError
from mixtransforms.core.frozen import FrozenDict
from mixtransforms.core.layers import FloatArray
from mixtransforms.kernels import kernel_of
from mixtransforms.kernels.numpy import resize_nearest
from mixtransforms.methods.base import VALUE, Method
from mixtransforms.methods.pairing import Hints
from mixtransforms.mixing.saliency import contrast
from mixtransforms.mixing.unequal import check_told
from mixtransforms.plan import BatchSpec
from mixtransforms.rng.keys import Key, content_hash
from mixtransforms.targets.kind import Scene, Target
from mixtransforms.targets.label import class_ids
from mixtransforms.targets.mask import NO_CLASS, label_maps
from mixtransforms.targets.names import LABEL, MASK, REGRESSION, TABLE, spellings

Function = Callable[[NDArray[Any]], Any]
"""What makes a hint of the images ``(B, ..., C)``, channels last, as they are mixed."""

Read = Callable[[Found], Any]

_REGISTERED: dict[str, Function] = {"contrast": contrast}


class Reader(NamedTuple):
    """Where one hint of a recipe comes from.

    Attributes:
        name: The hint's.
        read: Finds it in a batch.
        keyed: Whether the key of a draw that is known by content has it: not what follows from the images, which have
            their own place there, and not class ids, which never had one.
        ignored: For label maps, the id of pixels that are of no class, or ``None``.
    """

    name: str
    read: Read
    keyed: bool = True
    ignored: int | None = None


# ------------------------------------------------------------------------------------------ what users give


def register_hint(name: str) -> Callable[[Function], Function]:
    """Names a function that makes a hint of images, so that pipelines with it can be saved.

    Files hold the name: import the module that registers it before one is loaded, and where workers start.

    Args:
        name: What files and ``hints={"saliency": name}`` call it.

    Returns:
        A decorator of functions that get the images, NumPy and channels last, ``(B, H, W, C)``, and return the hint,
        such as a saliency ``(B, H, W)``.

    Raises:
        ParameterError: The name is none, or is another function's.

    Example:
        >>> @register_hint("brightness")
        ... def brightness(images):
        ...     return images.mean(axis=-1)
    """
    if not isinstance(name, str) or not name or name.startswith(VALUE):  # type: ignore[redundant-expr]
        raise ParameterError(
            "No name for a hint",
            where="register_hint",
            got=repr(name),
            wanted=f"a text that does not begin with {VALUE!r}",
            fix="Choose a word, such as 'brightness'.",
        )

    def register(function: Function) -> Function:
        known = _REGISTERED.get(name)
        if known is not None and _written_as(known) != _written_as(function):
            raise ParameterError(
                "Two functions of one name",
                where="register_hint",
                got=f"{name!r}, which is {_written_as(known)}",
                wanted="a name of its own",
                fix="Choose another name.",
            )
        _REGISTERED[name] = function
        return function

    return register


def _written_as(function: Any) -> str:
    """A function by where it is written: a cell of a notebook that is run anew defines the same one."""
    kind = type(function)
    return f"{getattr(function, '__module__', kind.__module__)}.{getattr(function, '__qualname__', kind.__qualname__)}"


def as_sources(value: Any) -> Mapping[str, Any] | None:
    """The option ``hints`` of a transform: names of hints, and where each comes from.

    A function that is registered is known by its name from here on, as in a file.

    Raises:
        ValueError: It is no dict of such.
    """
    if value is None:
        return None
    if not isinstance(value, Mapping) or not value:
        raise ValueError
    return FrozenDict((_givable(name), _source(source)) for name, source in value.items())


def _givable(name: Any) -> str:
    if name not in CHECKS:
        raise ValueError(f"No such hint: {name!r}.")
    return str(name)


def _source(source: Any) -> Any:
    if isinstance(source, str):
        if not source.startswith(VALUE):
            _registered(source)
        return source
    if not callable(source):
        raise ValueError
    return next((name for name, known in _REGISTERED.items() if known is source), source)


def _registered(name: str) -> Function:
    if name not in _REGISTERED:
        raise ValueError(f"Nothing is registered as {name!r}: import the module with @register_hint({name!r}) before.")
    return _REGISTERED[name]


def check_sources(method: Method, sources: Mapping[str, Any] | None, where: str) -> None:
    """Refuses sources of hints that nobody would read.

    Raises:
        ParameterError: The method does not ask for one of them.
    """
    unread = sorted(set(sources or ()) - method.reads)
    if unread:
        raise ParameterError(
            "A hint that nobody reads",
            where=where,
            got=f"hints={{{unread[0]!r}: ...}}",
            wanted=_asked(method),
            fix=f"Leave {unread[0]!r} out of hints.",
        )


def _asked(method: Method) -> str:
    names = ", ".join(map(repr, sorted(method.reads)))
    return f"hints that the method asks for: {names}" if names else "no hints, since the method asks for none"


# ------------------------------------------------------------------------------------------ one call


def readers_of(
    found: Any, scene: Scene, method: Method, sources: Mapping[str, Any] | None, ignored: int | None = None
) -> tuple[Reader, ...]:
    """Binds where the hints of a method are, for batches of one structure.

    Args:
        found: Its template.
        scene: What rules know of the call.
        method: The method.
        sources: The transform's option ``hints``.
        ignored: The id of pixels of label maps that are of no class.
    """
    readers = []
    for name in sorted(method.reads):
        source = (sources or {}).get(name)
        if name == "sizes":
            if found.padded:
                source = None  # nobody knows them better
            elif source is None and name not in method.needs:
                continue
        if isinstance(source, str) and source.startswith(VALUE):
            readers.append(Reader(name, partial(_of_value, name, source)))
        elif source is not None:
            readers.append(Reader(name, partial(_of_images, name, source), keyed=False))
        elif name.startswith(VALUE):
            readers.append(Reader(name, partial(_named, name)))
        elif name != "classes" or not method.is_ours or any(slot.target.kind == LABEL for slot in found.others):
            readers.append(Reader(name, partial(READERS[name], scene=scene), keyed=name not in FOLLOWING))
        # else: the package's own methods say themselves what they do without labels
    return tuple([reader._replace(ignored=ignored) if reader.name == "masks" else reader for reader in readers])


def by_name(given: Any, where: str) -> Hints:
    """Hints as they were given with a call; none where that is ``None``.

    Raises:
        InputError: They have no names.
    """
    if given is None or isinstance(given, Mapping):
        return given or {}
    raise InputError(
        "Hints without names",
        where=where,
        got=f"hints of type {type(given).__name__}",
        wanted="a dict of them by name",
        fix="Say which it is, hints={'saliency': array}.",
    )


def read_hints(readers: tuple[Reader, ...], found: Found, given: Hints, method: Method, where: str) -> Hints:
    """The hints of a method for one call.

    Args:
        readers: Of the batch's structure.
        found: The batch.
        given: Hints that were given with the call; they stand in the place of what the batch has.
        method: The method.
        where: The transform, for errors.

    Raises:
        InputError: One is missing, of another form, or read by nobody.
    """
    given = by_name(given, where)
    hints = {reader.name: reader.read(found) for reader in readers if reader.name not in given}
    for name, value in given.items():
        if name == "sizes" and found.template.padded:
            raise _sizes_known(where)
        if name not in method.reads or name not in CHECKS:
            raise InputError(
                "A hint that nobody reads",
                where=where,
                got=f"hints={{{name!r}: ...}} with the call",
                wanted=_asked(method),
                fix=f"Leave {name!r} out of hints.",
            )
        hints[name] = CHECKS[name](_on_host(value), found.spec, f"hints[{name!r}]")
    if "sizes" in hints:
        check_told(method, hints["sizes"], found.spec.shape, where)
    for reader in readers:
        if reader.name == "masks":
            hints["masks"] = _without_ignored(hints["masks"], reader.ignored)
    return hints


def _sizes_known(where: str) -> InputError:
    return InputError(
        "Sizes that the batch has told already",
        where=where,
        got="hints={'sizes': ...} with the call, and images of unequal sizes, which are padded here",
        wanted="sizes of samples that came in padded",
        fix="Leave 'sizes' out of hints.",
    )


def _without_ignored(maps: NDArray[Any], ignored: int | None) -> NDArray[np.int64]:
    """Label maps with :data:`~mixtransforms.targets.mask.NO_CLASS` wherever a pixel is of no class, whoever says so."""
    ids = maps.astype(np.int64)
    ids[(ids < 0) if ignored is None else (ids < 0) | (ids == ignored)] = NO_CLASS
    return ids


def key_with(key: Key, readers: tuple[Reader, ...], hints: Hints, given: Hints) -> Key:
    """The key of a batch that is known by its content, with the hints that its draw reads beside the images."""
    keyed = {reader.name for reader in readers if reader.keyed}.union(given) - {"classes"}
    leaves = [leaf for name in sorted(keyed) for leaf in _leaves(name, hints[name])]
    if not leaves:
        return key
    return Key(key.seed, key.epoch, key.rank, key.stream, content_hash([("step", key.step), *leaves]))


def _leaves(name: str, value: Any) -> list[tuple[str, Any]]:
    if isinstance(value, list):
        return [(f"{name}[{index}]", item) for index, item in enumerate(value)]
    return [(name, value)]


def _of_value(name: str, source: str, found: Found) -> Any:
    """A named value of the batch, as the hint that it is."""
    return CHECKS[name](_named(source, found), found.spec, source)


def _of_images(name: str, source: Any, found: Found) -> Any:
    """What a function makes of the images."""
    where = f"hints[{name!r}]"
    try:
        function = _registered(source) if isinstance(source, str) else source
    except ValueError as reason:  # a transform that was unpickled where nobody has registered it
        raise ParameterError(
            "No such function", where=where, got=repr(source), wanted="a registered name", fix=str(reason)
        ) from None
    value = _contrast(found) if function is contrast else function(_images(found))
    return CHECKS[name](_on_host(value), found.spec, where)


# ------------------------------------------------------------------------------------------ what a batch has


def _not_there(what: str, where: str, wanted: str, fix: str) -> InputError:
    return InputError(f"The method reads {what}", where=where, got=f"a batch without {what}", wanted=wanted, fix=fix)


def _named(name: str, found: Found) -> NDArray[Any]:
    """A value of the batch by its name, one item a sample; of a second batch, those of both."""
    if found.parts:
        return np.concatenate([_named(name, part) for part in found.parts])
    wanted = name.removeprefix(VALUE)
    places = {wanted, int(wanted)} if wanted.isdigit() else {wanted}
    for path, value in walk(found.batch, lambda path, _: bool(path) and not places.isdisjoint(spellings(path))):
        if path and not places.isdisjoint(spellings(path)):
            items: NDArray[Any] = _on_host(value)
            if not items.shape or len(items) != found.spec.size or items.dtype.hasobject:
                raise InputError(
                    "Not one value a sample",
                    where=spell(path),
                    got=describe(value),
                    wanted=f"{found.spec.size} numbers, texts or arrays of one shape",
                    fix="Give one for every sample, or name another value.",
                )
            return items
    raise _not_there(
        f"{wanted!r}",
        "needs",
        "one value a sample under that name",
        f"Pass it with the images, passthrough=({wanted!r},).",
    )


def named_values(method: Method, sources: Mapping[str, Any] | None, found: Found) -> dict[str, NDArray[Any]]:
    """The values of a batch that the hints of a method read by name, one item a sample.

    Args:
        method: The method.
        sources: The transform's option ``hints``.
        found: The batch.

    Raises:
        InputError: One is missing, or has not one item a sample.
    """
    read = [(sources or {}).get(name, name) for name in sorted(method.reads)]
    names = [name for name in read if isinstance(name, str) and name.startswith(VALUE)]
    return {name.removeprefix(VALUE): _named(name, found) for name in names}


def _on_host(value: Any) -> NDArray[Any]:
    """A value of any back end, or a list of these or of numbers and texts, as NumPy's."""
    backend = backend_of(value)
    if backend is not None:
        host: NDArray[Any] = kernel_of(backend).to_host(value)
        return host
    if type(value) in (list, tuple) and value and backend_of(value[0]):
        shapes = {tuple(item.shape) for item in value}
        return np.stack([_on_host(item) for item in value]) if len(shapes) == 1 else np.array(value, object)
    try:
        return np.asarray(value)
    except ValueError:  # rows of unequal lengths
        return np.array(len(value), object)


def _first(found: Found, kind: str) -> Target | None:
    return next((target for target in found.others if target.kind == kind), None)


def _classes(found: Found, scene: Scene) -> NDArray[Any]:
    """Class ids, ``(B,)``."""
    target = _first(found, LABEL)
    if target is None:
        fix = "Pass the labels with the images, or name them with kinds={'name': 'label'}."
        raise _not_there("class labels", "needs", "one class id a sample", fix)
    return class_ids(target.value)


def _values(found: Found, scene: Scene) -> FloatArray:
    """Numbers to predict, ``(B, k)``: of all targets of that kind, side by side; weights of samples are none."""
    own = [target for target in found.others if target.kind == REGRESSION and not _weighs(target)]
    if not own:
        fix = "Pass them with the images, and say which they are: kinds={'name': 'regression'}."
        raise _not_there("numbers to predict", "needs", "one number or row of them a sample", fix)
    return np.concatenate([_rows_of_numbers(_on_host(t.value), found.spec, spell(t.path)) for t in own], axis=1)


def _weighs(target: Target) -> bool:
    return bool(target.path) and str(target.path[-1]).lower() in ("sample_weight", "sample_weights")


def _masks(found: Found, scene: Scene) -> NDArray[Any]:
    """Label maps, ``(B, *shape)``."""
    target = _first(found, MASK)
    if target is None:
        fix = "Pass them with the images as masks=..., or name them with kinds={'name': 'mask'}."
        raise _not_there("label maps", "needs", "a class id at every pixel", fix)
    where = spell(target.path)
    if len(scene.lengths) != len(scene.shape):
        raise InputError(
            "Label maps along axes that are not mixed",
            where=where,
            got=f"axes {scene.lengths}, of which {scene.shape} are mixed",
            wanted="one label map a sample",
            fix="Mix all axes, as axes='cube' does of videos, or choose a method that reads no label maps.",
        )
    maps = label_maps(target.value, scene)
    axes = range(1, maps.ndim)
    return _label_maps(resize_nearest(maps, found.spec.shape, axes), found.spec, where)


def _instances(found: Found, scene: Scene) -> list[NDArray[np.bool_]]:
    """Instance masks of every sample, ``(N, *shape)``, an entry an object in the order of the batch."""
    own = [objects for objects in found.objects if objects.group.instances]
    if len(own) != 1:
        fix = "Pass a mask of every object as instance_masks=..., or name them with kinds={'name': 'instances'}"
        raise _not_there("instance masks", "needs", "one set of instance masks", _one_set(own, fix))
    return own[0].instances()


def _boxes(found: Found, scene: Scene) -> list[FloatArray]:
    """Boxes of every sample, ``(N, 4)`` as ``x1, y1, x2, y2`` in pixels; zeros where a box has no area."""
    own = [objects for objects in found.objects if objects.group.boxes]
    if len(own) != 1:
        fix = "Pass them with the images as boxes=..., or name them with kinds={'name': 'boxes'}"
        raise _not_there("boxes", "needs", "one set of boxes", _one_set(own, fix))
    return own[0].upright_boxes()


def _one_set(found: list[Any], fix: str) -> str:
    return f"{fix}; leave all sets but one alone with passthrough." if found else f"{fix}."


def _root(found: Found) -> Target:
    return found.images[0] if found.images else next(target for target in found.others if target.kind == TABLE)


def _images(found: Found, scene: Scene | None = None) -> NDArray[Any]:
    """The first images, ``(B, *shape, C)``: whatever axes are not mixed are channels."""
    root = _root(found)
    host = _on_host(found.stacked(root))
    axes = found.axes.get(root.path, ())
    shape = tuple(host.shape[axis] for axis in axes)
    channels = int(np.prod([length for axis, length in enumerate(host.shape[1:], 1) if axis not in axes]))
    return np.moveaxis(host, axes, range(1, len(axes) + 1)).reshape(len(host), *shape, channels)


def _saliency(found: Found, scene: Scene) -> FloatArray:
    """The cheap one, where nobody gives any."""
    return _contrast(found)


def _contrast(found: Found) -> FloatArray:
    images = _images(found)
    saliency = contrast(images)
    if not np.isfinite(saliency).all():
        odd = np.count_nonzero(~np.isfinite(images))
        raise InputError(
            "Images that have no contrast",
            where=spell(_root(found).path),
            got=f"{odd} of {images.size} numbers not finite" if odd else f"numbers up to {np.abs(images).max():g}",
            wanted="finite numbers below 1e18, since the saliency is made of them",
            fix="Replace the others, as where(isfinite(images), images, 0) does, or give a saliency of your own, "
            "hints={'saliency': ...}.",
        )
    return saliency


def _sizes(found: Found, scene: Scene) -> NDArray[np.int64]:
    """Lengths of the mixed axes of every sample, as it came."""
    whole = [found.spec.shape] * found.spec.size
    return np.array(found.template.sizes or whole, np.int64).reshape(found.spec.size, len(found.spec.shape))


# ------------------------------------------------------------------------------------------ what each must be


def _bad(what: str, value: NDArray[Any], where: str, wanted: str) -> InputError:
    got = f"shape {value.shape} {value.dtype}"
    return InputError(f"No {what}", where=where, got=got, wanted=wanted, fix=f"Give {wanted}.")


def _class_ids(value: NDArray[Any], spec: BatchSpec, where: str) -> NDArray[Any]:
    if value.shape != (spec.size,) or value.dtype.kind not in "biuU":
        raise _bad("class ids", value, where, f"one class id a sample, ({spec.size},)")
    return value


def _rows_of_numbers(value: NDArray[Any], spec: BatchSpec, where: str) -> FloatArray:
    wanted = f"finite numbers, ({spec.size},) or ({spec.size}, k)"
    if value.dtype.kind not in "iuf" or not value.shape or len(value) != spec.size:
        raise _bad("numbers to predict", value, where, wanted)
    rows = value.astype(np.float64).reshape(spec.size, int(np.prod(value.shape[1:])))
    if not np.isfinite(rows).all():
        raise _not_finite("numbers to predict", rows, where, wanted)
    return rows


def _label_maps(value: NDArray[Any], spec: BatchSpec, where: str) -> NDArray[Any]:
    if value.shape != (spec.size, *spec.shape) or value.dtype.kind not in "biu":
        raise _bad("label maps", value, where, f"integers of shape {(spec.size, *spec.shape)}")
    return value


def _saliency_maps(value: NDArray[Any], spec: BatchSpec, where: str) -> FloatArray:
    wanted = f"finite numbers from 0 on, of shape {(spec.size, *spec.shape)}"
    if value.shape != (spec.size, *spec.shape) or value.dtype.kind not in "biuf":
        raise _bad("saliency", value, where, wanted)
    saliency = value.astype(np.float64)
    if not (np.isfinite(saliency).all() and (saliency >= 0).all()):
        raise _not_finite("saliency", saliency, where, wanted)
    return saliency


def _lengths(value: NDArray[Any], spec: BatchSpec, where: str) -> NDArray[np.int64]:
    wanted = f"integers of shape {(spec.size, len(spec.shape))}, from 0 to {spec.shape}"
    if value.shape != (spec.size, len(spec.shape)) or value.dtype.kind not in "iu":
        raise _bad("sizes", value, where, wanted)
    if ((value < 0) | (value > np.array(spec.shape, np.int64))).any():
        wrong = ((value < 0) | (value > np.array(spec.shape, np.int64))).any(axis=1)
        got = f"{value[wrong][0].tolist()} in row {np.flatnonzero(wrong)[0]}"
        raise InputError("No sizes", where=where, got=got, wanted=wanted, fix="Give the lengths before padding.")
    return value.astype(np.int64)


def _not_finite(what: str, value: FloatArray, where: str, wanted: str) -> InputError:
    wrong = ~np.isfinite(value) if what != "saliency" else ~(np.isfinite(value) & (value >= 0))
    got = f"{value[wrong][0]} in {np.count_nonzero(wrong)} of {value.size} places"
    return InputError(f"No {what}", where=where, got=got, wanted=wanted, fix="Correct these numbers, or clip them.")


FOLLOWING = frozenset({"classes", "images", "saliency"})
"""Hints of :data:`READERS` that no key has in it."""

READERS: Mapping[str, Callable[..., Any]] = {
    "classes": _classes,
    "values": _values,
    "masks": _masks,
    "instances": _instances,
    "boxes": _boxes,
    "images": _images,
    "saliency": _saliency,
    "sizes": _sizes,
}
"""What finds each hint in a batch; the names are those of :data:`~mixtransforms.methods.base.HINTS`."""

CHECKS: Mapping[str, Callable[[NDArray[Any], BatchSpec, str], Any]] = {
    "classes": _class_ids,
    "values": _rows_of_numbers,
    "masks": _label_maps,
    "saliency": _saliency_maps,
    "sizes": _lengths,
}
"""What brings each hint that users may give into its form, or refuses it."""
