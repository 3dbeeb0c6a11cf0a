"""What a batch must not hold: values that would pass in silence and should have been mixed, or cannot be.

Every rule looks at one value of an inventory and gives the error for it, or ``None``; :data:`REFUSALS` has their order.
"""

from __future__ import annotations

import array
import collections
from collections.abc import Callable, Collection, Iterator, Sequence
from typing import Any

from mixtransforms.batch.inventory import (
    INNER,
    OBJECT,
    PASSED,
    REST,
    TARGET,
    Entry,
    Inventory,
    may_be_mixed,
    may_list_objects,
    rows_of_each,
)
from mixtransforms.containers.mixed import is_mixed
from mixtransforms.containers.records import Columns, is_records
from mixtransforms.containers.tree import (
    Name,
    Path,
    children,
    depth,
    describe,
    hides_arrays,
    holds_text,
    is_flat,
    is_foreign,
    leaf_at,
    spell,
    walk,
)
from mixtransforms.core.backends import backend_of, check_form, is_integer, unmasked
from mixtransforms.core.errors import MISSPELT, InputError, nearest
from mixtransforms.objects.groups import Group, may_have_rows
from mixtransforms.targets.names import (
    BOXES,
    DEFAULT_NAMES,
    FIELDS,
    IMAGE,
    INSTANCES,
    LABEL,
    LENGTHS,
    MASK,
    REGRESSION,
    is_of_sample,
    spellings,
)


def check_inventory(inventory: Inventory, labels: Any = None) -> None:
    """Refuses what would pass in silence and should have been mixed, or cannot be.

    Args:
        inventory: Every value of a batch.
        labels: The one leaf that is known to be the labels, or ``None``.

    Raises:
        InputError: Names the first value that does not fit, by the first of :data:`REFUSALS` that finds one.
    """
    if labels is not None and not any(e.value is labels for e in inventory.entries if e.role != INNER):
        raise _foreign_labels(labels)
    for refusal in REFUSALS:
        for entry in inventory.entries:
            problem = refusal(entry, inventory)
            if problem is not None:
                raise problem


def _refuse_records(entry: Entry, inventory: Inventory) -> InputError | None:
    """Objects that are told of for more or fewer images than there are."""
    node, size, finder = entry.value, inventory.size, inventory.finder
    if entry.role != INNER or size is None or not is_records(node) or len(node) == size:
        return None
    if not any(finder.inventory(record, batched=False).groups for record in node):
        return None
    return InputError(
        "Records of another number",
        where=spell(entry.path),
        got=f"{len(node)} records",
        wanted=f"{size}, one for every image",
        fix="Give every image its own, with empty arrays where it has no objects.",
    )


def _refuse_mixed(entry: Entry, _: Inventory) -> InputError | None:
    """What an earlier mix has made of values of two sources."""
    mixed = may_be_mixed(entry.value) and is_mixed(entry.value)
    return _mixed_already(entry.path, type(entry.value).__name__) if mixed else None


def _refuse_beside(entry: Entry, inventory: Inventory) -> InputError | None:
    """Lists beside objects that have an entry for each of them, and would not be filtered with them."""
    value, path, finder = entry.value, entry.path, inventory.finder
    if not entry.beside or type(value) not in (list, tuple):
        return None
    if finder.named_kind(inventory.batch, path, entry.parent) == MASK and depth(value) > 1 and not _has_arrays(value):
        return _polygons(path)
    if not may_list_objects(entry) or finder.declared(path) is not None:
        return None
    for group in entry.beside:
        counts = [len(item) for item in leaf_at(inventory.batch, group.anchor) if hasattr(item, "__len__")]
        if any(counts) and [len(item) for item in value] == counts:
            return _unknown(path[-1], entry, inventory, kinds=())
    return None


def _refuse_passed(entry: Entry, inventory: Inventory) -> InputError | None:
    """What is told of every object, and declared to pass: it would be that of other objects afterwards.

    Boxes, masks and polygons are objects of their own: whoever lets these pass has another use for them.
    """
    if entry.role != PASSED or not entry.path:
        return None
    usual = str(entry.path[-1]).lower() in FIELDS
    for group in inventory.groups:
        anchor, beside = leaf_at(inventory.batch, group.anchor), entry.path[:-1] == group.place
        counts = rows_of_each(anchor)
        # Where all have equally many, they may be anything; where these differ, they say it.
        told = len(set(counts)) > 1 and _lengths(entry.value, 1) == counts
        if told or (usual and beside and may_have_rows(entry.value, anchor)):
            name = _last_name(entry.path)
            way = f"Leave {name!r} out of passthrough" + ("" if usual else ", and list it in the fields of BoxRules")
            return InputError(
                "Fields of objects that would stay behind",
                where=spell(entry.path),
                got=f"passthrough, and {describe(entry.value)} with a row for every object at {spell(group.anchor)}",
                wanted="what is told of every object to go where its object goes",
                fix=f"{way}{'' if beside else f', and put it beside {spell(group.anchor)}'}: it is filtered and joined "
                "with its objects, as it is.",
            )
    return None


def _refuse_either(entry: Entry, inventory: Inventory) -> InputError | None:
    """Rows of whole numbers that are known as labels, and have one for every object, or for every channel of masks.

    Another batch has other numbers of objects, and the meaning must not depend on it: of objects of the classes 0 and
    1 alone, the ids would pass for rows of several labels.
    """
    finder, path = inventory.finder, entry.path
    if entry.role != TARGET or entry.kind != LABEL or not finder.labelled or finder.declared(path) is not None:
        return None
    counts = _lengths(entry.value, 1)
    if not any(counts) or not all(map(_are_whole, entry.value)):
        return None
    for group in inventory.groups:
        if rows_of_each(leaf_at(inventory.batch, group.anchor)) == counts:
            return _of_objects_or_sample(entry, group)
    for other in inventory.entries:
        undeclared = other.role == TARGET and other.kind == MASK and finder.declared(other.path) is None
        if undeclared and other.path[:-1] == path[:-1] and _lengths(other.value, 3) == counts:
            return _of_objects_or_classes(other, path, counts[0])
    return None


def _are_whole(row: Any) -> bool:
    """Whether a row is of whole numbers, as class ids are; bools are none."""
    return is_integer(row) if backend_of(row) else all(type(number) is int for number in row)


def _of_objects_or_sample(entry: Entry, group: Group) -> InputError:
    name, points = _last_name(entry.path), group.anchor == group.keypoints
    if entry.path[:-1] != group.place:
        way = f"Put them beside {spell(group.anchor)}, under the name 'labels',"
    elif points:
        way = f"Say kinds={{{_last_name(group.anchor)!r}: Keypoints(fields=({name!r},))}}"
    else:
        way = f"Say boxes=BoxRules(fields=({name!r},))"
    return InputError(
        "Labels of the objects or of the sample",
        where=spell(entry.path),
        got=f"whole numbers, as many as there are objects at {spell(group.anchor)}",
        wanted="whose they are, since both can be meant",
        fix=f"{way} where they are of the objects; say kinds={{{name!r}: 'label'}} where they are the sample's own.",
    )


def _of_objects_or_classes(masks: Entry, labels: Path, count: int) -> InputError:
    name = _last_name(masks.path)
    return InputError(
        "Masks of objects, or of classes",
        where=spell(masks.path),
        got=f"{count} masks in sample 0, and as many whole numbers at {spell(labels)}",
        wanted="what they are, since both can be meant",
        fix=f"Say kinds={{{name!r}: 'instances'}} where each is an object's, whose class the labels tell, or "
        f"kinds={{{name!r}: 'mask'}} where each is a class's.",
    )


def _lengths(values: Any, rank: int) -> list[int]:
    """Lengths of the samples of arrays with so many axes each; nothing where any is something else."""
    listed = type(values) in (list, tuple) or backend_of(values) is not None
    alike = listed and depth(values) > rank and all(depth(item) == rank for item in values)
    return [len(item) for item in values] if alike else []


def _refuse_unknown(entry: Entry, inventory: Inventory) -> InputError | None:
    """An array that is neither known nor declared."""
    path, value = entry.path, entry.value
    if entry.role != REST or backend_of(value) is None or is_of_sample(path) or holds_text(value):
        return None
    if not _is_called_box(path) and any(map(_is_called_box, _unknown_beside(entry, inventory))):
        return None  # what they are decides what stands beside them
    stem = str(path[-1]).removesuffix("_weight") if path else ""
    if path and stem != path[-1] and f"{stem}_partner" in dict(children(entry.parent) or ()):
        return _mixed_already(path, "the weight of a mask and its partner's")
    if path and _is_share(path, entry.parent):
        return _mixed_already(path, "the shares of several masks")
    return _unknown(_declarable(entry, inventory), entry, inventory)


def _is_share(path: Path, parent: Any) -> bool:
    """Whether a name is that of the shares of several masks, which an earlier mix has put beside them."""
    name, beside = str(path[-1]), dict(children(parent) or ())
    stem = name.removesuffix("_share")
    array = beside.get(stem) if stem != name else None
    return array is not None and hasattr(array, "shape") and tuple(array.shape[:2]) == tuple(beside[path[-1]].shape[:2])


def _is_called_box(path: Path) -> bool:
    return str(_last_name(path)).lower().endswith(("box", "boxes"))


def _unknown_beside(entry: Entry, inventory: Inventory) -> Iterator[Path]:
    """Where arrays stand in the same container, or in one of its lists, that are not known either."""
    place = entry.path[:-1]
    for other in inventory.entries:
        if other.role == REST and other.path[: len(place)] == place and backend_of(other.value):
            yield other.path


def _lists_objects(path: Path, inventory: Inventory) -> bool:
    """Whether what stands at a path, or holds it, has as many rows as there are objects of every image."""
    for anchor in (group.anchor for group in inventory.groups):
        if path[: len(anchor) - 1] == anchor[:-1]:
            counts, own = (rows_of_each(leaf_at(inventory.batch, place)) for place in (anchor, path[: len(anchor)]))
            if any(counts) and own == counts:
                return True
    return False


def _refuse_no_cells(entry: Entry, _: Inventory) -> InputError | None:
    """What is mixed and has no cell for every index, or missing values in some."""
    if entry.role not in (TARGET, OBJECT):
        return None
    value, path = entry.value, entry.path
    listed = type(value) in (list, tuple)
    if entry.role == OBJECT and backend_of(value) and depth(value) == 0:
        return InputError(
            "Batch sizes disagree",
            where=spell(path),
            got="one number without axes",
            wanted="an entry for every image",
            fix="Give one value for every sample.",
        )
    try:
        for index, item in enumerate(value if listed else [value]):
            where = spell((*path, index) if listed else path)
            check_form(item, where)
            unmasked(item, where)
    except InputError as problem:
        return problem
    return None


def _refuse_no_array(entry: Entry, inventory: Inventory) -> InputError | None:
    """What is no array, would pass beside images, and should have been mixed with them."""
    value, path, parent = entry.value, entry.path, entry.parent
    if entry.role != REST or value is None or backend_of(value) or inventory.count is None:
        return None
    hidden = hides_arrays(value)
    if inventory.finder.named_kind(inventory.batch, path, entry.parent) is None and not hidden:
        return None
    if type(parent) in (list, tuple) and len(parent) == inventory.count and any(item is None for item in parent):
        return _missing_value(path[:-1], parent)
    foreign = is_foreign(value)
    how = ", np.asarray(...)" if foreign else " to a dict or a list" if hidden else ""
    return InputError(
        "No array",
        where=spell(path),
        got=describe(value) + ("" if foreign or not hidden else ", a type that is not looked into"),
        wanted="an array, or a list or tuple with one array or number a sample",
        fix=f"Convert it{how}, or leave it alone with passthrough=({_last_name(path)!r},).",
    )


def _refuse_numbers(entry: Entry, inventory: Inventory) -> InputError | None:
    """A list of numbers under an unknown name that has one for every sample: perhaps misspelt labels."""
    value, path = entry.value, entry.path
    if type(value) in _SEQUENCES and entry.role == REST and path and len(value) == inventory.count:
        return _unknown(_last_name(path), entry._replace(value=list(value)), inventory)
    if entry.role != INNER or not path or not is_flat(value):
        return None
    if backend_of(value[0]) or len(value) != inventory.count or is_of_sample(path):
        return None
    # Plain numbers in a record say something of the sample: its size, where it comes from, or misspelt what it is.
    if isinstance(entry.parent, Columns) and not _is_misspelt_label(entry, inventory):
        return None
    return _unknown(_last_name(path), entry, inventory)


_SEQUENCES = (array.array, range, collections.deque)
"""Types that nobody looks into, and that may hold a number for every sample."""


def _is_misspelt_label(entry: Entry, inventory: Inventory) -> bool:
    """Whether a name is nearly one of labels, which are looked for and not to be found."""
    if entry.beside or not inventory.finder.labelled or any(target.kind == LABEL for target in inventory.targets):
        return False
    name = str(_last_name(entry.path)).lower()
    # By three letters at most, as in "label_id": a `target_size` is no label.
    labels = [label for label, kind in DEFAULT_NAMES.items() if kind == LABEL and len(name) <= len(label) + 3]
    return bool(nearest(name, labels, MISSPELT))


Refusal = Callable[[Entry, Inventory], "InputError | None"]

REFUSALS: tuple[Refusal, ...] = (
    _refuse_no_cells,
    _refuse_records,
    _refuse_mixed,
    _refuse_beside,
    _refuse_passed,
    _refuse_either,
    _refuse_unknown,
    _refuse_no_array,
    _refuse_numbers,
)
"""In the order in which a user should mend things: what is wrong with a whole container comes before its values."""


def _last_name(path: Path) -> Name:
    """The name by which a value is declared: the last on its way, or its position."""
    return next((step for step in reversed(path) if isinstance(step, str)), path[0] if path else 0)


def _declarable(entry: Entry, inventory: Inventory) -> Name:
    """The name by which an array is declared: with its position where something else stands beside it in a tuple."""
    path, parent = entry.path, entry.parent
    if len(path) < 2 or isinstance(path[-1], str) or _is_called_box(path):
        return _last_name(path)
    one_a_sample = is_flat(parent) and len(parent) == inventory.count and not inventory.finder.is_views(parent, True)
    return _last_name(path) if one_a_sample else ".".join(map(str, path))


def _unknown(name: Name, entry: Entry, inventory: Inventory, kinds: Collection[str] | None = None) -> InputError:
    """The error for a value that is not known.

    Args:
        name: How it is declared.
        entry: The value.
        inventory: All of them.
        kinds: What it may be, but a field of objects; ``None`` asks its shape.
    """
    kinds = _possible_kinds(entry) if kinds is None else kinds
    known = {known for known, kind in DEFAULT_NAMES.items() if not kinds or kind in kinds} | FIELDS
    hint = nearest(name.lower(), known - {name.lower()}) if isinstance(name, str) else ""
    ways = [f"say what it is with {' or '.join(f'kinds={{{name!r}: {kind!r}}}' for kind in kinds)}"] if kinds else []
    if _may_be_field(name, entry.path, inventory) and not _is_called_box(entry.path):
        fields = (*inventory.finder.boxes.fields, name)
        ways.append(f"say boxes=BoxRules(fields={fields!r}) where it has a row for every box")
    passing = (*inventory.finder.passthrough, name)
    if not (ways and _lists_objects(entry.path, inventory)):  # rows of objects that go would stay behind
        ways.append(f"leave it alone with passthrough={passing!r}")
    text = ", or ".join(ways)
    return InputError(
        "An array that is neither known nor declared",
        where=spell(entry.path),
        got=describe(entry.value),
        wanted="a known name, a declared kind, or a declared passthrough",
        fix=f"{text[0].upper()}{text[1:]}.{hint}",
    )


def _possible_kinds(entry: Entry) -> tuple[str, ...]:
    """What an array may be by the axes of one of its samples, and by its name."""
    value, listed = entry.value, bool(entry.path) and not isinstance(entry.path[-1], str)
    one_sample = listed and type(entry.parent) in (list, tuple) and len(entry.path) > 1
    axes = depth(value) - (not one_sample)
    if axes <= 2 and _is_called_box(entry.path):
        return (BOXES,)
    if axes > 1:
        return (IMAGE, MASK, INSTANCES) if one_sample and axes == 3 else (IMAGE, MASK)
    whole = not backend_of(value) or is_integer(value)
    return (LABEL, LENGTHS if axes == 0 and whole else REGRESSION)


def _may_be_field(name: Name, path: Path, inventory: Inventory) -> bool:
    """Whether what is so called would be read as a field of objects, were it declared, which it is not yet."""
    for group in inventory.groups:
        place = path[: len(group.place) + 1]  # a list of one array a sample is declared as a whole
        if place[:-1] != group.place or name not in spellings(place) or name in inventory.finder.boxes.fields:
            continue
        if may_have_rows(leaf_at(inventory.batch, place), leaf_at(inventory.batch, group.anchor)):
            return True
    return False


def _has_arrays(value: Any) -> bool:
    return any(backend_of(leaf) for _, leaf in walk(value, lambda *_: False))


def _polygons(path: Path) -> InputError:
    return InputError(
        "Polygons cannot be pasted",
        where=spell(path),
        got="lists of numbers",
        wanted="one mask an object, (N, H, W)",
        fix="Draw them into masks, let each go where its box goes, as it is, with "
        f"boxes=BoxRules(fields=({path[-1]!r},)), or leave them alone with passthrough=({path[-1]!r},).",
    )


def _missing_value(path: Path, values: Sequence[Any]) -> InputError:
    return InputError(
        "A sample without a value",
        where=spell((*path, next(index for index, item in enumerate(values) if item is None))),
        got="None",
        wanted="a number or an array for every sample, as the others have",
        fix=f"Leave such samples out, or leave all these values alone with passthrough=({_last_name(path)!r},).",
    )


def _foreign_labels(labels: Any) -> InputError:
    return InputError(
        "The labels are no value of the batch",
        where="labels_getter",
        got=describe(labels),
        wanted="one of the values that were passed, itself",
        fix="Return the value as it is, or name it with kinds={...: 'label'}.",
    )


def _mixed_already(path: Path, got: str) -> InputError:
    return InputError(
        "Values that are mixed already",
        where=spell(path),
        got=got,
        wanted="values of one source each",
        fix="Mix once, with OneOf([MixUp(...), CutMix(...)]), or choose labels='soft' and masks='dominant' in the "
        "first mix.",
    )
