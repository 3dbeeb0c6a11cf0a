"""The neutral door: transforms of any batch of NumPy arrays or tensors, and what all three doors share."""

# No `from __future__ import annotations`: signatures must show types, not strings.
import secrets
import sys
from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Any, ClassVar

import numpy as np

from mixtransforms import methods
from mixtransforms.batch.batch import Found, Template, copied
from mixtransforms.batch.earlier import Earlier
from mixtransforms.batch.identity import hashes_of
from mixtransforms.batch.inventory import Finder
from mixtransforms.batch.read import find_batch
from mixtransforms.batch.second import BANK, SECOND, behind, no_batch, telling_which
from mixtransforms.containers.structure import batch_key, is_samples
from mixtransforms.core import fields as checked
from mixtransforms.core.cached import cached_property
from mixtransforms.core.errors import ParameterError
from mixtransforms.core.layout import Layout
from mixtransforms.core.memo import WeakMemo
from mixtransforms.kernels import kernel_of
from mixtransforms.methods.base import NO_HINTS, Method, check_needs
from mixtransforms.methods.pairing import Hints
from mixtransforms.mixing import engine
from mixtransforms.mixing.banks import EarlierSamples, SampleBank, hints_of_others, uncounted
from mixtransforms.mixing.doors import as_transform, door_classes, method_of
from mixtransforms.mixing.hints import by_name, check_sources, key_with, named_values, read_hints
from mixtransforms.mixing.options import Options, check_pairs, check_smoothing
from mixtransforms.mixing.partners import Told, check_room, check_telling, told_of, twice, with_told
from mixtransforms.mixing.straight import Straight, straight_of
from mixtransforms.mixing.trace import Step, Trace
from mixtransforms.mixing.unequal import check_within
from mixtransforms.plan import BatchSpec, Plan
from mixtransforms.rng.keys import Key
from mixtransforms.rng.processes import in_worker
from mixtransforms.rng.streams import Stream

if sys.version_info >= (3, 11):
    from typing import dataclass_transform
else:

    def dataclass_transform(**_: Any) -> Callable[[type], type]:
        """Read by type checkers only."""
        return lambda cls: cls


@dataclass_transform(frozen_default=True, eq_default=False, kw_only_default=False)
@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class MixTransform(Options):
    """A mixing method with target options: finds the targets of a batch, draws a plan, replays it on them.

    With a seed, ready batches are counted in the process and the thread that constructed the transform, and lists of
    samples are known by their images. Everywhere else (unpickled copies, forked processes, other threads, workers) a
    ready batch is known by its images as well: by what its samples are known by, whatever their container, back end or
    memory. The same batch then gets the same plan in any process, and equal batches of one epoch are mixed alike.
    Batches on a device are never read: they are counted everywhere, and processes need ranks to draw apart.

    ``copy.deepcopy`` goes on counting where its original does; ``dataclasses.replace`` constructs, and counts from 0.
    With ``seed=None`` draws are the host's in every process: where the state of its generator is copied, so are they.

    ``transform(batch)`` is ``transform.replay(transform.plan(batch), batch)``. Parameters cannot be assigned; make
    a changed copy with ``dataclasses.replace``. Transforms compare by identity.
    """

    _stream: ClassVar[Stream]  # of every instance; a plain annotation would make it a parameter

    _earlier: ClassVar[Earlier | None]
    """Of every instance: the samples of its calls before, where partners are of them."""

    _labelled = True
    """Whether labels are known by default names and positions."""

    _find_labels: ClassVar[Callable[[Any], Any] | None] = None
    """What finds the leaf of a batch that is known to be the labels, or ``None`` where nobody knows better."""

    _labels_follow = False
    """Whether masks and the like, too, are converted to the backend of the images, as labels always are."""

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        if issubclass(cls, Method):  # also a class of the user's own, whose statement has no decorator
            as_transform(cls)

    __eq__ = object.__eq__
    __hash__ = object.__hash__

    def __post_init__(self) -> None:
        vars(self)["_stream"] = Stream()
        self._take_from_children()
        super().__post_init__()  # type: ignore[misc]
        vars(self)["_earlier"] = Earlier(self.bank.size) if isinstance(self.bank, EarlierSamples) else None
        if self.keep_originals and self.inplace:
            raise checked.mismatch(self, "inplace=True would overwrite the originals to keep", "one of the two")
        if isinstance(self, methods.OneOf):
            object.__setattr__(self, "transforms", tuple(self._child(child) for child in self.transforms))
        output = self.method.output
        if self.inplace and output is not None:
            raise checked.mismatch(self, "inplace=True has no room for a canvas", "inplace=False")
        if self.keep_originals and output is not None and output.shape is not None:
            raise checked.mismatch(
                self, "keep_originals=True needs results of the size of the originals", "one of the two"
            )
        if self.pad is not None and self.bank is not None:
            raise checked.mismatch(
                self, "pad='max' would pad a batch and the samples of its bank to sizes of their own", "one of the two"
            )
        check_needs(self.method)  # made now: its fields are checked here, and not in the first call
        check_sources(self.method, self.hints, type(self).__name__)
        check_pairs(self, self.method)
        check_smoothing(self)
        check_telling(self, self.method)
        if "torch" in sys.modules:  # nor is this imported there, under a lock that a child forked meanwhile waits for
            kernel_of("torch")

    def __repr__(self) -> str:
        return checked.constructor(self)

    def _take_from_children(self) -> None:
        """Takes an option of targets that all children give alike, and that nobody gives here: it belongs here."""
        children = getattr(self, "transforms", ())
        mixes = [child for child in children if isinstance(child, MixTransform)] if _is_listed(children) else []
        of_method = {known.name for known in fields(method_of(type(self)))}
        for option in fields(self):
            if option.name in of_method or not mixes or len(mixes) < len(children):
                continue
            given = [getattr(child, option.name, option.default) for child in mixes]
            alike = all(value == given[0] for value in given) and given[0] != option.default
            if alike and getattr(self, option.name) == option.default:
                object.__setattr__(self, option.name, given[0])

    def _child(self, child: Method) -> Method:
        """The method of a child; its target options count only on the transform that holds it."""
        where = type(self).__name__
        if not isinstance(child, MixTransform):
            return child
        of_method = {known.name for known in fields(child.method)}
        for option in fields(child):
            own = getattr(child, option.name)
            if option.name in of_method or own == option.default:
                continue
            if own != getattr(self, option.name):
                raise ParameterError(
                    f"A child's {option.name!r} differs",
                    where=where,
                    got=f"{option.name}={own!r} in {type(child).__name__}, {getattr(self, option.name)!r} outside",
                    wanted="one value for all",
                    fix=f"Give {option.name} to {where} alone, {where}([...], {option.name}={own!r}), and to none of "
                    "its methods.",
                )
        return child.method

    # ------------------------------------------------------------------------------------------ public verbs

    def plan(self, *batch: Any, hints: Hints = NO_HINTS, second: Any = ..., **named: Any) -> Plan:
        """Draws the plan of one call, without painting it.

        Args:
            *batch: The batch, or its parts: ``plan(images, labels)`` is ``plan((images, labels))``.
            hints: What the method reads and the batch does not have, such as ``{"saliency": array}``.
            second: A batch that partners are of, see :meth:`__call__`. The plan is then of all samples, those of the
                second batch behind the others.
            **named: The parts by name instead.

        Raises:
            InputError: The batch cannot be mixed correctly.
        """
        found, key, known = self._with_partners(self._find(gather(batch, named)), second, given=hints)
        return self._draw(found, key=key, known=known, given=hints)

    def replay(self, plan: Plan, *batch: Any, second: Any = ..., **named: Any) -> Any:
        """Applies a plan to a batch of the same spec.

        Args:
            plan: A plan of this or any other method.
            *batch: The batch, or its parts, as for :meth:`plan`.
            second: The second batch that it was drawn with, or one like it. Left out, it is what the bank has for the
                plan's key: of earlier samples, for the plan that was drawn last alone.
            **named: The parts by name instead.

        Raises:
            InputError: The batch cannot be mixed correctly.
            PlanError: The plan was made for another batch.
        """
        found = self._find(gather(batch, named))
        if second is ... and self.bank is not None and plan.spec.size != found.spec.size and plan.key is not None:
            return self._replay(plan, self._behind_bank(found, plan.key))
        return self._replay(plan, found if second is ... else self._behind(found, second))

    def trace(self, *batch: Any, hints: Hints = NO_HINTS, second: Any = ..., **named: Any) -> Trace:
        """Runs one call and returns what went in, the plan, and what came out."""
        found, key, known = self._with_partners(self._find(gather(batch, named)), second, given=hints, quiet=True)
        before = self._before(found)
        plan = self._draw(found, key=key, known=known, quiet=True, given=hints)
        after = self._replay(plan, found, drawn=True)
        return Trace((Step(self, before, plan, after, self._finder),), after, (self,))

    def __call__(self, *batch: Any, hints: Hints = NO_HINTS, second: Any = ..., **named: Any) -> Any:
        """Mixes a batch; or collates a list of samples and mixes that.

        Args:
            *batch: The batch, or its parts: a bare array of images, ``(images, labels)``, a dict, any nesting of
                these, or a list of samples.
            hints: What the method reads and the batch does not have, as for :meth:`plan`.
            second: A batch of any size that all partners are of, such as unlabelled samples; it has the same structure,
                ``transform(images, labels, second=(images_2, labels_2))``, and is not changed. Left out, partners are
                of the batch itself. A value of a batch that is only called so goes into a dict with the others.
            **named: The parts by name instead.

        Returns:
            The same containers around the mixed values; other values as they came.
        """
        return self._run(gather(batch, named), hints, second)

    def stream_state(self) -> dict[str, Any]:
        """Where the draws of a seeded transform stand: seed, epoch, calls in it, and whose rank counts.

        It belongs beside a checkpoint of the model. The draws of ``seed=None`` are the host's, and are not in it. Calls
        that were known by their content are not counted: of a transform that was not constructed here, epoch and rank
        are all there is to go on from. No samples are in it: an :class:`EarlierSamples` bank fills anew, and nothing is
        mixed until it is full.
        """
        return self._stream.state(self.seed)

    def load_stream_state(self, state: Mapping[str, Any]) -> None:
        """Goes on where :meth:`stream_state` was asked.

        It tells epoch, rank and count, and not whether calls are counted: that is decided by where the transform was
        constructed. A training that is resumed constructs it anew.

        Raises:
            ParameterError: The state is of another seed, or is none.
        """
        self._stream.load(state, self.seed)
        if self._earlier is not None:
            self._earlier.forget()

    @cached_property
    def method(self) -> Method:
        """The method alone, without target options."""
        pure = method_of(type(self))
        return pure(**{known.name: getattr(self, known.name) for known in fields(pure)})

    # ------------------------------------------------------------------------------------------ what doors change

    def _host_seed(self) -> int:
        """A seed from the host's own randomness, for ``seed=None``; here fresh entropy."""
        return secrets.randbits(64)

    def _off(self) -> bool:
        """Whether mixing is switched off, as by ``.eval()``."""
        return False

    # ------------------------------------------------------------------------------------------ how it works

    def _is_idle(self) -> bool:
        """Whether nothing is mixed in this epoch, whatever is drawn."""
        return self._off() or engine.is_idle(self.method.at(self._stream.epoch))

    def _run(self, batch: Any, hints: Hints = NO_HINTS, second: Any = ...) -> Any:
        key = self._key_of_structure(batch)
        template = None if key is None else self._finder.memo.get(key)
        if template is not None and second is ... and hints is NO_HINTS:
            way = self._way_of(template)
            if way is not None:
                return way.mixed(batch, template, self._draw_straight, self.inplace)
        found = self._find(batch, key=key)
        if second is ... and self.bank is None:
            return self._replay(self._draw(found, given=hints), found, drawn=True)
        found, key, known = self._with_partners(found, second, given=hints)
        return self._replay(self._draw(found, key=key, known=known, given=hints), found, drawn=True)

    def _with_partners(
        self,
        found: Found,
        second: Any = ...,
        finder: Finder | None = None,
        key: Key | None = None,
        *,
        given: Hints = NO_HINTS,
        known: bool = False,
        forced: bool = False,
        quiet: bool = False,
    ) -> tuple[Found, Key | None, bool]:
        """A batch with the one behind it that partners are of, if there is any; and the key of its draw.

        Args:
            found: The batch.
            second: What was given with the call; it stands in the place of the bank's samples.
            finder: As for :meth:`_find`.
            key: The pipeline's; ``None`` leaves it to :meth:`_draw`, or has it made where the bank needs one.
            given: Hints that were given with the call.
            known: Whether that knows the batch by its content.
            forced: As for :meth:`_draw`.
            quiet: Whether this is one look only.
        """
        if second is not ...:
            return self._behind(found, second, finder=finder), key, known
        if self.bank is None or not found.spec.size or self._off():
            return found, key, known
        where, idle = type(self).__name__, not forced and self._is_idle()
        if by_name(given, where):
            raise hints_of_others(where, given)
        if self._earlier is not None:
            elsewhere = not self._stream.counts()
            if elsewhere or known or found.samples:
                raise uncounted(where, elsewhere=elsewhere)
            self._earlier.check(found)
        elif idle:
            return found, key, known
        if key is None:
            key, known = self._key(found, quiet)
        if self._earlier is not None:
            self._earlier.follow(found, named_values(self.method, self.hints, found), key)
        return found if idle else self._behind_bank(found, key, finder), key, known

    def _behind_bank(self, found: Found, key: Key, finder: Finder | None = None) -> Found:
        """A batch with the samples behind it that the bank has for a key; alone where these are too few, or others."""
        if isinstance(self.bank, SampleBank):
            return self._behind(found, self.bank.samples(key), BANK, finder)
        other = self._earlier.batch() if self._earlier is not None and self._earlier.key == key else None
        return found if other is None else behind(found, other, self._finder.memo, BANK)

    def _behind(self, found: Found, second: Any, name: str = SECOND, finder: Finder | None = None) -> Found:
        """A batch and a second one behind it, of which errors speak by ``name``."""
        if second is None:
            raise no_batch()
        with telling_which(name):
            other = self._find(self._as_batch(second), finder, own=False)
            return behind(found, other, self._finder.memo, name)

    def _as_batch(self, second: Any) -> Any:
        """A second batch in the form of a first one."""
        return second

    def _key_of_structure(self, batch: Any) -> Hashable | None:
        """What the structure of a ready batch is known by; ``None`` for samples, and where it settles nothing."""
        return None if self._find_labels is not None or is_samples(batch) else batch_key(batch)

    def _find(
        self, batch: Any, finder: Finder | None = None, *, own: bool = True, key: Hashable | None = None
    ) -> Found:
        """The targets of a batch, checked.

        Args:
            batch: Any container, or a list of samples.
            finder: Knows what values are called; a pipeline's, where it knows more than the transform alone.
            own: Whether it is what is mixed; a second batch is not overwritten, and has the labels that the first has.
            key: See :meth:`_key_of_structure`, where somebody has asked already.
        """
        found = find_batch(
            batch,
            finder or self._finder,
            pad=self.pad is not None,
            fill=self.ignore_index or 0,
            labels=self._find_labels,
            labels_follow=self._labels_follow,
            reserve=self._reserves,
            key=key,
        )
        recipe = self._recipe(found)
        engine.check(recipe, found, inplace=own and self.inplace, off=self._off)
        if recipe.unlabelled and own and self._labelled and not self._is_idle():  # else nothing goes wrong
            raise engine.no_labels(self)
        if not recipe.passed and not self._off():  # what is switched off lets more pass
            self._remember(engine.once_passed(recipe), found)
        return found

    def _remember(self, recipe: engine.Recipe, found: Found) -> None:
        """Keeps the steps for a structure of which a batch has passed all checks."""
        self._recipes[found.template] = recipe
        straight = self._has_straight_way and not (found.samples or recipe.unlabelled)
        self._straight[found.template] = straight_of(found.template, recipe, found.batch) if straight else None

    @cached_property
    def _has_straight_way(self) -> bool:
        """Whether options and method let any batch go the straight way."""
        alone = self.bank is None and self.partner is None and self.sources is None and not self.keep_originals
        known = self.pad is None and self._find_labels is None
        return alone and known and self.method.is_ours and self.method.output is None

    @cached_property
    def _straight(self) -> WeakMemo:
        """The straight way of every structure that was met, or ``None``."""
        return WeakMemo()

    def _way_of(self, template: Template) -> Straight | None:
        """The straight way of a structure, if it has one and takes it in this call."""
        if self._off() or not (self.seed is None or self._stream.counts()):
            return None
        way: Straight | None = self._straight.get(template)
        return way

    def _draw_straight(self, spec: BatchSpec) -> Plan:
        """A plan by a key that no content is part of."""
        if self.method.moves:
            self._stream.warn_of_standstill(type(self).__name__)
        return self.method.redraw(self._next_key(), spec)

    @cached_property
    def _reserves(self) -> bool:
        """Whether images of samples may be collated by the painter: where these are what it paints on."""
        return not self.keep_originals and self.method.output is None

    @cached_property
    def _finder(self) -> Finder:
        layout = Layout(self.layout, self.axes)
        return Finder(self.kinds or {}, self.passthrough, self.boxes, labelled=self._labelled, layout=layout)

    def _recipe(self, found: Found) -> engine.Recipe:
        """The bound steps for batches like this one."""
        known: engine.Recipe | None = self._recipes.get(found.template)
        if known is None:
            known = self._recipes[found.template] = engine.recipe_of(found.template, self, self.method)
        return known

    @cached_property
    def _recipes(self) -> WeakMemo:
        return WeakMemo()  # a template that is not remembered takes its recipe along

    def _draw(
        self,
        found: Found,
        *,
        key: Key | None = None,
        known: bool = False,
        forced: bool = False,
        quiet: bool = False,
        given: Hints = NO_HINTS,
    ) -> Plan:
        """A plan for the batch, from a pipeline's key, this transform's own seed, or the host's randomness.

        Args:
            found: The batch.
            key: The pipeline's.
            known: Whether that knows the batch by its content.
            forced: Whether the host has opened the gate.
            quiet: Whether this is one look only, for which no epoch is missed.
            given: Hints that were given with the call.
        """
        if self._off():
            return Plan(found.spec)
        recipe = self._recipes.get(found.template) or self._recipe(found)
        method = self.method.forced() if forced else self.method
        if recipe.varies and not quiet:
            self._stream.warn_of_standstill(type(self).__name__)
        hints = NO_HINTS
        if recipe.hints or given:
            hints = read_hints(recipe.hints, found, given, method, type(self).__name__)
        if key is None:
            key, known = self._key(found, quiet)
        if known and hints:
            key = key_with(key, recipe.hints, hints, given)
        plan = method.redraw(key, found.drawn_spec if found.parts else found.template.spec, hints)
        if found.parts:
            plan = engine.of_both(plan, type(self).__name__)
        elif self._earlier is not None:  # of which there are too few yet
            plan = plan.where(np.zeros(plan.size, np.bool_))
        if hints and "sizes" in hints and not method.is_ours:
            check_within(plan, hints["sizes"].tolist(), type(self).__name__)
        return plan

    def _key(self, found: Found, quiet: bool) -> tuple[Key, bool]:
        """The key of one call, and whether it knows the batch by its content.

        A ready batch counts the calls, in the process and thread that constructed the transform. A list of samples is
        known by its images, and so is any batch elsewhere, where everybody would count for itself.
        """
        stream, where = self._stream, None if quiet else type(self).__name__
        if self.seed is None or (not found.samples and stream.counts()):
            return self._next_key(), False
        hashes = hashes_of(found, self._finder.layout)
        if hashes is None:
            return stream.key_unread(self.seed, where), False
        return stream.key_known(self.seed, hashes, where), True

    def _next_key(self) -> Key:
        """The key of one call, from the host's randomness or by count."""
        if self.seed is None:
            return Key(self._host_seed(), self._stream.epoch)
        return self._stream.key(self.seed)

    def _replay(self, plan: Plan, found: Found, *, drawn: bool = False, told: list[Told] | None = None) -> Any:
        """The batch mixed by a plan.

        Args:
            plan: The plan.
            found: The batch.
            drawn: Whether the plan was drawn for it by this transform, or is anybody's.
            told: A list that gets the indices of partners, which a pipeline puts into its result; ``None`` has them put
                into this one.
        """
        recipe = self._recipes.get(found.template) or self._recipe(found)
        if not drawn:
            recipe = engine.recipe_for(recipe, plan, found, type(self).__name__)
        if recipe.smooths and self._off():
            recipe = engine.unsmoothed(recipe)
        own = () if self.partner is None and self.sources is None else self._tell(plan, found, recipe)
        # A worker's own collated images, which lie in shared memory, may be overwritten unasked.
        free = found.samples and not self.keep_originals and plan.canvas is None
        inplace = self.inplace or (free and in_worker())
        keep = self.keep_originals
        mixed = engine.replayed(recipe, plan, found, keep_originals=keep, inplace=inplace, checked=drawn)
        if told is None:
            return with_told(mixed, own) if own else mixed
        told[:] = [*(twice(told) if keep else told), *own]
        return mixed

    def _tell(self, plan: Plan, found: Found, recipe: engine.Recipe) -> list[Told]:
        """Indices of partners that have a place in the batch, before anything of that is overwritten."""
        alone = any(target.path == () for target in found.targets)
        size = found.drawn_spec.size
        told = told_of(self, plan, recipe.scene.sources, size, alone=alone)
        check_room(found.given, told, size)
        return told

    def _before(self, found: Found) -> Any:
        """The batch as it came, which nobody else overwrites."""
        own = found.parts[0] if found.parts else found
        return own.copy() if own.rows else copied(own.given)


def _is_listed(value: Any) -> bool:
    """Whether a value is a list at all; what else is wrong with it is said where the fields are checked."""
    return isinstance(value, Sequence) and not isinstance(value, str)


def gather(batch: tuple[Any, ...], named: Mapping[str, Any]) -> Any:
    """The batch of a call: one argument, several as a tuple, or keywords as a dict.

    Raises:
        TypeError: Both or neither were given.
    """
    if bool(batch) == bool(named):
        epoch = "; tell the epoch before, with set_epoch(transform, epoch)" if "epoch" in named else ""
        raise TypeError(
            f"Pass a batch either by position, transform(images, labels), or by keyword, not both or neither{epoch}"
        )
    if named:
        return dict(named)
    return batch[0] if len(batch) == 1 else batch


globals().update(door_classes(MixTransform, __name__))
