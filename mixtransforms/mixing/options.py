"""What a transform may be told about its targets, whatever its method."""

# No `from __future__ import annotations`: signatures must show types, not strings.
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from mixtransforms.core import fields as checked
from mixtransforms.core.display import Displayed
from mixtransforms.core.errors import ParameterError
from mixtransforms.core.frozen import FrozenDict
from mixtransforms.core.layout import LAYOUTS, LETTERS, MODES, is_axes, is_layout
from mixtransforms.methods.base import Method
from mixtransforms.mixing.banks import EarlierSamples, SampleBank, as_bank
from mixtransforms.mixing.hints import CHECKS, as_sources
from mixtransforms.objects.boxes import BoxRules
from mixtransforms.objects.declared import FORM, declared
from mixtransforms.targets.kind import class_count, ignored_id
from mixtransforms.targets.label import FORMS, Label, LossTarget
from mixtransforms.targets.mask import FORMS as MASK_FORMS
from mixtransforms.targets.mask import SemanticMask
from mixtransforms.targets.names import KINDS

_seed_field: Any = checked.optional_integer(
    low=0, high=2**64 - 1, doc="None: the host's own randomness. A number: the same draws again for the same calls."
)
SEED: checked.Rule = _seed_field.metadata[checked.RULE]
"""What a seed may be."""


def _kinds(value: Any) -> dict[str | int, Any] | None:
    if value is None:
        return None
    pairs = list(value.items()) if isinstance(value, Mapping) else [tuple(pair) for pair in value]  # as files have it
    if not all(type(name) in (str, int) for name, _ in pairs):
        raise ValueError
    return FrozenDict((name, declared(kind)) for name, kind in pairs)


def _layout(value: Any) -> str | None:
    if value is not None and not is_layout(value):
        raise ValueError
    return None if value is None else str(value)


def _axes(value: Any) -> str | None:
    if value is not None and not is_axes(value):
        raise ValueError
    return None if value is None else str(value)


def _told_as(value: Any) -> str | None:
    if value is not None and (not isinstance(value, str) or not value):
        raise ValueError
    return value


def _name_field(doc: str) -> Any:
    """The name under which something appears in the batch."""
    schema = checked.optional({"type": "string", "minLength": 1})
    return checked.parameter(None, _told_as, "None or a name", doc, schema, quiet=True)


def _boxes(value: Any) -> BoxRules:
    if isinstance(value, Mapping):  # as files have it
        return BoxRules(**value)
    if not isinstance(value, BoxRules):
        raise ValueError
    return value


def checked_seed(seed: Any, where: str) -> int | None:
    """The seed of a pipeline, checked as that of a transform is.

    Raises:
        ParameterError: It is neither ``None`` nor a whole number of 64 bits.
    """
    try:
        return SEED.check(seed)  # type: ignore[no-any-return]
    except ValueError:
        raise ParameterError(
            "Bad value for 'seed'", where=where, got=repr(seed), wanted=SEED.wanted, fix=SEED.doc
        ) from None


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class Options(Displayed):
    """What every transform may be told about its targets."""

    num_classes: int | None = class_count()
    labels: str = checked.choice(
        "soft",
        FORMS,
        "Form of mixed labels: 'soft', float32 (B, K); 'pair', (label, partner, weight); or 'mix', (labels, share) of "
        "all sources, (B, S).",
    )
    ignore_index: int | None = ignored_id()
    masks: str = checked.choice(
        "pair",
        MASK_FORMS,
        "What a blend makes of semantic masks: 'pair', the mask with its partner's and the weight between them; 'mix', "
        "those of all that are blended, (B, S, ...), and their shares; "
        "'soft', the share of every class; 'dominant', the ids of the heavier source. Pastes always copy ids.",
    )
    boxes: BoxRules = checked.parameter(
        BoxRules(),
        _boxes,
        "BoxRules(...)",
        "What is kept of boxes and other objects, and how they are written.",
        checked.form(BoxRules),
    )
    kinds: Mapping[str | int, Any] | None = checked.parameter(
        None,
        _kinds,
        "None or a dict of names, positions or dotted paths to " + ", ".join(map(repr, KINDS)) + ", or to objects "
        "such as Label(100)",
        "What values are that have no default name, such as {'pixels': 'image', 'fine': Label(100)}.",
        {
            "anyOf": [
                {"type": "null"},
                {"type": "object", "additionalProperties": FORM},
                checked.listed(checked.listed({"anyOf": [{"type": ["string", "integer"]}, FORM]}, low=2, high=2)),
            ]
        },
    )
    layout: str | None = checked.parameter(
        None,
        _layout,
        "None, " + ", ".join(map(repr, LAYOUTS)) + " or named axes such as 'BTCHW', 'BCDHW', 'BCT' or 'BF'",
        "Axes of images, or of what stands for them: B samples, C channels, T time, D depth, H height, W width, F "
        "frequencies or features. None: tensors are (B, C, H, W), NumPy arrays (B, H, W, C).",
        {"anyOf": [{"enum": [None, *LAYOUTS]}, {"type": "string", "pattern": f"^B[{''.join(LETTERS)}]+$"}]},
    )
    axes: str | None = checked.parameter(
        None,
        _axes,
        "None, " + ", ".join(map(repr, MODES)) + " or letters of the layout such as 'T'",
        "Axes that a region spans. None: height, width and depth, or else time; 'spatial' the same, 'temporal' time "
        "alone, 'cube' time and space.",
        {"anyOf": [{"enum": [None, *MODES]}, {"type": "string", "pattern": f"^[{''.join(LETTERS)}]+$"}]},
    )
    pad: str | None = checked.optional_choice(
        ("max",),
        "Images of unequal sizes: None refuses them, 'max' pads them to the largest, at their right and lower edges, "
        "for MixUp and other blends of whole images, and for CutMix, which cuts where two overlap. Masks are padded "
        "with their ignore_index, or with 0.",
    )
    passthrough: Sequence[str | int] = checked.names(
        "names, positions or dotted paths", "Values that are left alone.", (str, int)
    )
    keep_originals: bool = checked.flag(False, "Return the originals followed by the mixed samples, 2B in all.")
    inplace: bool = checked.flag(False, "Allow the images that are passed in to be overwritten.")
    seed: int | None = _seed_field
    hints: Mapping[str, Any] | None = checked.parameter(
        None,
        as_sources,
        "None or a dict of " + ", ".join(map(repr, CHECKS)) + " to functions of the images, names given to "
        "register_hint, or 'value:NAME'",
        "Where the method gets what it reads and the batch does not say by itself: from a function that takes the "
        "images, NumPy and channels last, or from the value NAME of the batch. Files hold names alone: "
        "@mixtransforms.register_hint('name') gives a function one.",
        checked.optional(
            {"type": "object", "properties": {key: {"type": "string"} for key in CHECKS}, "additionalProperties": False}
        ),
        quiet=True,
    )
    bank: SampleBank | EarlierSamples | None = checked.parameter(
        None,
        as_bank,
        "None, SampleBank(dataset, size) or EarlierSamples(size)",
        "Whom samples are mixed with, where it is not the batch itself: samples of a data set, which no file holds, or "
        "of the batches before.",
        checked.optional(checked.form(EarlierSamples)),
        quiet=True,
    )
    smoothing: float = checked.number(
        0.0,
        low=0,
        high=1,
        doc="Label smoothing: the part of soft labels of classes that all classes share alike. Pairs are smoothed in "
        "the loss.",
        quiet=True,
    )
    partner: str | None = _name_field(
        "The name under which the result says who every sample's partner is, (B,) int64, itself where it shows no "
        "other: for captions, ids and losses. In a list of records it is a field of each, in a tuple the last value."
    )
    sources: str | None = _name_field(
        "The same for methods of several sources: all of every sample, itself first, (B, S) int64, in the order of "
        "labels='mix'. Those that are not used name the sample itself."
    )


def check_smoothing(options: Options) -> None:
    """Refuses smoothing of labels that keep the form they came in.

    Raises:
        ParameterError: Names the option or the declared kind that says so.
    """
    declared_kinds = [(f"kinds[{name!r}]", kind) for name, kind in (options.kinds or {}).items()]
    for place, kind in [("labels", Label()), *declared_kinds]:
        if not isinstance(kind, Label):
            continue
        known: Any = kind.within(options)
        if known.smoothing and known.form != "soft":
            raise ParameterError(
                "Only soft labels can be smoothed",
                where=f"{type(options).__name__}.{place}",
                got=f"smoothing={known.smoothing:g} and the form {known.form!r}",
                wanted="the form 'soft', or no smoothing",
                fix="Leave smoothing out and smooth in the loss, as CrossEntropyLoss(label_smoothing=...) does; or say "
                "labels='soft'.",
            )


def check_pairs(options: Options, method: Method) -> None:
    """Refuses pairs where a method may give a sample more partners than one: they would be refused in some batch.

    Raises:
        ParameterError: Names the option or the declared kind.
    """
    # Of images: axes are known with the first batch, and of fewer a method has no fewer sources than two.
    sources, blended = method.most_sources(2), method.most_blended(2)
    # Pairs of masks are the default, and a batch may have none: they are refused where one comes.
    pairs = [("labels", options.labels, sources)]
    for name, kind in (options.kinds or {}).items():
        if isinstance(kind, (LossTarget, SemanticMask)):
            pairs.append(
                (f"kinds[{name!r}].form", kind.form or "", sources if isinstance(kind, LossTarget) else blended)
            )
    for name, form, most in pairs:
        if form == "pair" and most > 2:
            raise ParameterError(
                "Pairs tell of two sources",
                where=f"{type(options).__name__}.{name}",
                got=f"'pair', and up to {most} sources",
                wanted="'mix', which tells of any number, or another form",
                fix="Say 'mix' in place of 'pair'.",
            )
