"""Streams: a state goes on bit for bit, an epoch reaches all that mixes, and a plan is drawn again from its key."""

import copy
import itertools
import json
import multiprocessing
import operator
import pickle
import warnings
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="torch is not installed")
A = pytest.importorskip("albumentations", reason="albumentations is not installed")
v2 = pytest.importorskip("torchvision.transforms.v2", reason="torchvision is not installed")

import tiers
import told
from doors import ALBUMENTATIONS, DOORS, TORCHVISION, Case, Door, cases, examples
from forms import bits

import mixtransforms
from mixtransforms import (
    Cosine,
    EpochWarning,
    OffAfter,
    ParameterError,
    Plan,
    PlanError,
    Ramp,
    Steps,
    methods,
    set_epoch,
)
from mixtransforms.methods.pairing import CLASS_AWARE
from mixtransforms.methods.registry import METHODS
from mixtransforms.mixing.saliency import contrast
from mixtransforms.rng.streams import SharedNumbers, Stream

SEED, SIZE, SIDE, CLASSES = 7, 6, 12, 3
PHOTOS = np.random.default_rng(0).integers(0, 256, (SIZE, SIDE, SIDE, 3), np.uint8)
LABELS = np.arange(SIZE) % CLASSES

"""Where no epoch was told; warnings are asserted below."""

forked = pytest.mark.filterwarnings("ignore:.*multi-threaded.*fork.*:DeprecationWarning")
"""Processes are forked from one with threads, which newer Pythons warn of."""

SCHEDULED = {
    "transforms": (methods.MixUp(alpha=Ramp(0.2, 5.0, 0, 6)), methods.CutMix(p=OffAfter(0.9, 5))),
    "weights": (Cosine(0.9, 0.1, 0, 8), Steps({0: 0.05, 3: 0.1})),
    "p": Ramp(0.8, 1.0, 0, 5),
}


def stock(door: Door) -> list[Any]:
    """Two of the host's transforms that draw for every sample."""
    if door is TORCHVISION:
        return [v2.RandomHorizontalFlip(), v2.RandomCrop(8)]
    return [A.HorizontalFlip(), A.RandomCrop(8, 8)]


def mix(door: Door, seed: int | None = SEED) -> Any:
    return door.transform("CutMix", seed=seed, num_classes=CLASSES)


def scheduled(door: Door, seed: int | None = SEED) -> Any:
    return door.transform("OneOf", seed=seed, num_classes=CLASSES, **SCHEDULED)


def composed(door: Door, seed: int | None = SEED) -> Any:
    """Stages before and after two mixes, whose parameters change."""
    return _around(door, [scheduled(door, None), door.transform("MixUp", alpha=Steps({0: 1.0, 3: 0.4}))], seed)


def steady(door: Door, seed: int | None = SEED) -> Any:
    """The same with parameters that stay."""
    return _around(door, [mix(door, None), door.transform("MixUp")], seed)


def _around(door: Door, mixes: list[Any], seed: int | None) -> Any:
    first, second = stock(door)
    return door.load().BatchCompose([first, *mixes, second], seed=seed)


Make = Callable[..., Any]
MADE: list[tuple[Door, Make]] = [(door, make) for door in DOORS for make in (mix, scheduled)]
MADE += [(door, composed) for door in (TORCHVISION, ALBUMENTATIONS)]
STEADY = [(door, mix) for door in DOORS] + [(door, steady) for door in (TORCHVISION, ALBUMENTATIONS)]
STEADILY = pytest.mark.parametrize(("door", "make"), STEADY, ids=[f"{door}-{make.__name__}" for door, make in STEADY])
SEVERAL = pytest.mark.parametrize(("door", "make"), MADE, ids=[f"{door}-{make.__name__}" for door, make in MADE])
MIXES = pytest.mark.parametrize("door", DOORS, ids=str)
DOORS_OF_HOSTS = pytest.mark.parametrize("door", [TORCHVISION, ALBUMENTATIONS], ids=str)


def ready(door: Door, size: int = SIZE) -> tuple[Any, Any]:
    """A batch in the form of a door."""
    if "numpy" in door.backends:
        return PHOTOS[:size], LABELS[:size]
    return torch.from_numpy(PHOTOS[:size]).movedim(-1, 1), torch.from_numpy(LABELS[:size])


def samples(door: Door, first: int = 0) -> list[Any]:
    """A list of samples; other ones for another beginning."""
    images, labels = ready(door)
    found = [{"image": image, "label": int(label)} for image, label in zip(images, labels, strict=True)]
    return found[first : first + 3]


def call(door: Door, pipeline: Any) -> tuple[bytes, bytes]:
    """What a ready batch becomes, to the last bit."""
    images, labels = door.call(pipeline, *ready(door))
    return bits(images), bits(labels)


def calls(door: Door, pipeline: Any, count: int) -> list[tuple[bytes, bytes]]:
    return [call(door, pipeline) for _ in range(count)]


# ------------------------------------------------------------------------------------------------------------- resume


@SEVERAL
@pytest.mark.parametrize("rank", ["own", None, 5], ids=str)
def test_a_state_goes_on_bit_for_bit(
    door: Door, make: Make, rank: int | str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RANK", "2")
    pipeline, fresh, unloaded = (make(door) for _ in range(3))
    set_epoch(pipeline, 4, rank=rank)
    calls(door, pipeline, 2)
    text = json.dumps(pipeline.stream_state())
    assert json.loads(text) == {"seed": SEED, "epoch": 4, "step": 2, "rank": rank}
    calls(door, fresh, 1)
    fresh.load_stream_state(json.loads(text))
    assert fresh.stream_state() == json.loads(text)
    expected = calls(door, pipeline, 3)
    assert calls(door, fresh, 3) == expected
    assert fresh.stream_state() == pipeline.stream_state()
    assert len({*expected, *calls(door, unloaded, 5)}) == 8, "every call of every epoch is another"


@SEVERAL
def test_a_state_without_an_epoch_goes_on(door: Door, make: Make) -> None:
    pipeline, fresh = make(door), make(door)
    calls(door, pipeline, 2)
    state = pipeline.stream_state()
    assert state == {"seed": SEED, "epoch": None, "step": 2, "rank": "own"}
    set_epoch(fresh, 3, rank=4)
    fresh.load_stream_state(state)
    assert fresh.stream_state() == state
    assert calls(door, fresh, 2) == calls(door, pipeline, 2)


@SEVERAL
def test_an_epoch_alone_is_enough_to_repeat_it(door: Door, make: Make) -> None:
    pipeline, fresh = make(door), make(door)
    epochs = []
    for epoch in range(4):
        set_epoch(pipeline, epoch)
        epochs.append(calls(door, pipeline, 2))
    assert len({batch for epoch in epochs for batch in epoch}) == 8
    for epoch in (3, 1, 1):
        set_epoch(fresh, epoch)
        assert calls(door, fresh, 2) == epochs[epoch]


@SEVERAL
def test_samples_need_the_epoch_of_the_state_alone(door: Door, make: Make) -> None:
    pipeline, fresh = make(door), make(door)
    set_epoch(pipeline, 2, rank=3)
    fresh.load_stream_state(pipeline.stream_state())
    first, second = (made(samples(door)) for made in (pipeline, fresh))
    assert bits(first["image"]) == bits(second["image"])
    assert pipeline.stream_state()["step"] == 0, "samples are not counted"


@DOORS_OF_HOSTS
def test_a_pipeline_hands_its_epoch_to_what_it_holds(door: Door) -> None:
    """Where the pipeline has no seed, its mixes draw for themselves, with the values of the epoch."""
    pipeline = composed(door, None)
    pipeline.load_stream_state({"seed": None, "epoch": 4, "step": 0, "rank": "own"})
    args, named = door.arguments(*ready(door))
    assert [plan.key.epoch for plan in pipeline.trace(*args, **named).plans] == [4, 4]


def with_own_seeds(door: Door) -> Any:
    """A pipeline without a seed, around mixes that have their own."""
    return door.load().BatchCompose([door.transform("MixUp", seed=SEED, num_classes=CLASSES), scheduled(door, 8)])


@DOORS_OF_HOSTS
@pytest.mark.parametrize("epoch", [None, 3])
def test_children_with_seeds_of_their_own_go_on(door: Door, epoch: int | None) -> None:
    pipeline, fresh = with_own_seeds(door), with_own_seeds(door)
    if epoch is not None:
        set_epoch(pipeline, epoch, rank=2)
    calls(door, pipeline, 2)
    fresh.load_stream_state(json.loads(json.dumps(pipeline.stream_state())))
    assert fresh.stream_state() == pipeline.stream_state()
    assert calls(door, fresh, 2) == calls(door, pipeline, 2)


@DOORS_OF_HOSTS
def test_the_state_of_other_children_is_refused(door: Door) -> None:
    pipeline = with_own_seeds(door)
    set_epoch(pipeline, 3)
    before = pipeline.stream_state()
    first, second = before["inner"]
    given = {name: value for name, value in before.items() if name != "inner"} | {"epoch": 1}
    got = r"The state of another pipeline \(load_stream_state\): got "
    for inner, match in (
        ([first], got + "states of 1 inner mixes; wanted 2, one for every mix with a seed"),
        ([first] * 3, got + "states of 3 inner"),
        (None, got + "None"),
        ({"0": first, "1": second}, got),
    ):
        with pytest.raises(ParameterError, match=match):
            pipeline.load_stream_state(given | {"inner": inner})
    with pytest.raises(ParameterError, match=got + "states of 0 inner"):
        pipeline.load_stream_state(given)
    assert pipeline.stream_state() == before


@DOORS_OF_HOSTS
@pytest.mark.parametrize("wrong", [{"seed": 9}, {"step": -1}, {"more": 1}], ids=str)
def test_a_bad_state_of_a_child_changes_nothing(door: Door, wrong: Any) -> None:
    pipeline = with_own_seeds(door)
    set_epoch(pipeline, 3)
    before = pipeline.stream_state()
    first, second = before["inner"]
    with pytest.raises(ParameterError, match="load_stream_state"):
        pipeline.load_stream_state(before | {"epoch": 1, "inner": [first | {"step": 4}, second | wrong]})
    assert pipeline.stream_state() == before


def test_checkpoints_of_models_hold_no_stream() -> None:
    mixes = [mix(TORCHVISION), composed(TORCHVISION)]
    assert [made.state_dict() for made in mixes] == [{}, {}]
    model = torch.nn.ModuleDict({"net": torch.nn.Linear(2, 2)})
    mixing = torch.nn.ModuleDict({"mix": mixes[0], "pipeline": mixes[1], "net": torch.nn.Linear(2, 2)})
    set_epoch(mixing, 3)
    mixing.load_state_dict(model.state_dict(), strict=True)
    model.load_state_dict(mixing.state_dict(), strict=True)
    assert [made.stream_state()["epoch"] for made in mixes] == [3, 3]


STATE: Mapping[str, Any] = {"seed": SEED, "epoch": 1, "step": 3, "rank": "own"}
BAD_STATES: tuple[tuple[Any, str], ...] = (
    (
        STATE | {"seed": 8},
        r"The state of another seed \(load_stream_state\): got 8; wanted 7\. Build the pipeline with",
    ),
    (STATE | {"seed": None}, r"another seed .* got None; wanted 7"),
    (
        {"seed": SEED, "epoch": 1, "step": 3},
        r"Not the state of a stream \(.*\): got \['epoch', 'seed', 'step'\]; wanted",
    ),
    (
        STATE | {"more": 1},
        r"Not the state .*'more'.*; wanted seed, epoch, step, rank\. Give what stream_state\(\) retu",
    ),
    ({}, r"Not the state .* got \[\]"),
    ([*STATE], r"Not the state .* got list"),
    (None, r"Not the state .* got NoneType"),
    (json.dumps(dict(STATE)), r"Not the state .* got str"),
    (STATE | {"step": -1}, r"Bad value for 'step' \(load_stream_state\): got -1; wanted a whole number within \[0, 92"),
    (STATE | {"step": 2**63}, r"Bad value for 'step'"),
    (STATE | {"step": 1.0}, r"Bad value for 'step' .* got 1\.0"),
    (STATE | {"step": None}, r"Bad value for 'step' .* got None"),
    (STATE | {"step": True}, r"Bad value for 'step' .* got True"),
    (STATE | {"epoch": -1}, r"Bad value for 'epoch' .* got -1; wanted a whole number within \[0, 4294967295\]\. Count"),
    (STATE | {"epoch": "1"}, r"Bad value for 'epoch' .* got '1'"),
    (STATE | {"epoch": 2**32}, r"Bad value for 'epoch'"),
    (STATE | {"rank": "all"}, r"Bad value for 'rank' .* got 'all'; wanted 'own', None or a whole number within"),
    (STATE | {"rank": -2}, r"Bad value for 'rank' .* got -2"),
)
EMPTY_EPOCHS = [False, "", [], {}]
"""What is no epoch, and false."""


@SEVERAL
def test_a_bad_state_changes_nothing(door: Door, make: Make) -> None:
    pipeline = make(door)
    set_epoch(pipeline, 2, rank=1)
    calls(door, pipeline, 1)
    before = pipeline.stream_state()
    for state, match in BAD_STATES:
        with pytest.raises(ParameterError, match=match):
            pipeline.load_stream_state(state)
        assert pipeline.stream_state() == before


@pytest.mark.parametrize("epoch", EMPTY_EPOCHS, ids=repr)
@pytest.mark.parametrize("make", [mix, composed])
def test_nothing_is_no_epoch(make: Make, epoch: Any) -> None:
    pipeline = make(ALBUMENTATIONS)
    set_epoch(pipeline, 2)
    before = pipeline.stream_state()
    with pytest.raises(ParameterError, match="Bad value for 'epoch'"):
        pipeline.load_stream_state(STATE | {"epoch": epoch})
    assert pipeline.stream_state() == before


@pytest.mark.parametrize("wrong", [{"epoch": -1}, {"rank": -1}], ids=str)
def test_an_error_says_who_was_asked(wrong: Any) -> None:
    with pytest.raises(ParameterError, match=r"\(load_stream_state\)"):
        mix(DOORS[0]).load_stream_state(STATE | wrong)


# ---------------------------------------------------------------------------------------------------------- set_epoch

BAD_EPOCHS = [-1, 1.5, -1.0, float("nan"), float("inf"), 2.0**32, True, np.True_, "1", None, 2**32, [1], np.array([1])]
BAD_RANKS = ["all", "", -1, -2, 1.5, True, 2**32, [1], {}, "0"]
GOOD = [0, 3, 2**32 - 1, np.int64(3), np.uint8(3), np.int32(0)]


@pytest.mark.parametrize(
    ("name", "arguments"),
    [("epoch", {"epoch": bad}) for bad in BAD_EPOCHS] + [("rank", {"epoch": 5, "rank": bad}) for bad in BAD_RANKS],
    ids=str,
)
def test_bad_arguments_change_nothing(name: str, arguments: Any) -> None:
    door = DOORS[0]
    pipelines = [mix(door), mix(door)]
    set_epoch(pipelines, 2, rank=1)
    call(door, pipelines[0])
    before = [pipeline.stream_state() for pipeline in pipelines]
    other = r"'own', None or " if name == "rank" else ""
    wanted = rf"Bad value for '{name}' \(set_epoch\): got .*; wanted {other}a whole number within \[0, 4294967295\]"
    with pytest.raises(ParameterError, match=wanted):
        set_epoch(pipelines, **arguments)
    assert [pipeline.stream_state() for pipeline in pipelines] == before


@pytest.mark.parametrize("number", GOOD, ids=repr)
def test_any_whole_number_is_an_epoch_and_a_rank(number: Any) -> None:
    door = DOORS[0]
    set_epoch(pipeline := mix(door), number, rank=number)
    assert json.loads(json.dumps(pipeline.stream_state())) == {"seed": 7, "epoch": number, "step": 0, "rank": number}
    key = door.plan(pipeline, *ready(door)).key
    assert (key.epoch, key.rank) == (number, number)


@pytest.mark.parametrize("number", [3.0, np.float64(3), np.float32(3)], ids=repr)
def test_a_whole_float_is_an_epoch(number: Any) -> None:
    """Trainers count epochs in fractions: the second one begins at 1.0."""
    set_epoch(pipeline := mix(DOORS[0]), number)
    state = pipeline.stream_state()
    assert (state["epoch"], type(state["epoch"])) == (3, int)
    pipeline.load_stream_state(state | {"epoch": 4.0})
    assert pipeline.stream_state()["epoch"] == 4


def test_an_epoch_begins_with_its_first_batch() -> None:
    door = DOORS[0]
    calls(door, pipeline := mix(door), 3)
    set_epoch(pipeline, 0, rank=None)
    assert pipeline.stream_state() == {"seed": SEED, "epoch": 0, "step": 0, "rank": None}
    set_epoch(pipeline, 0)
    assert pipeline.stream_state()["rank"] == "own", "a rank counts for its epoch alone"


Wrap = Callable[..., Any]
AROUND_V2: dict[str, Wrap] = {
    "itself": lambda inner: inner,
    "v2.Compose": lambda inner: v2.Compose([v2.Identity(), inner]),
    "nested v2.Compose": lambda inner: v2.Compose([v2.Compose([v2.RandomApply([inner])])]),
    "Sequential": lambda inner: torch.nn.Sequential(torch.nn.Identity(), torch.nn.Sequential(inner)),
    "ModuleList": lambda inner: torch.nn.ModuleList([torch.nn.Identity(), inner]),
    "ModuleDict": lambda inner: torch.nn.ModuleDict({"mix": inner}),
    "list": lambda inner: [v2.Identity(), inner],
    "tuple": lambda inner: (inner,),
    "list of Compose": lambda inner: [v2.Compose([v2.Compose([inner])]), v2.Identity()],
    "twice": lambda inner: v2.Compose([inner, v2.Compose([inner]), inner]),
}
AROUND_ALBUMENTATIONS: dict[str, Wrap] = {
    "itself": lambda inner: inner,
    "A.Compose": lambda inner: A.Compose([A.NoOp(), inner]),
    "nested A.Compose": lambda inner: A.Compose([A.OneOf([A.Sequential([inner])]), A.NoOp()]),
    "list": lambda inner: [A.NoOp(), inner],
}
HOLDERS = [(TORCHVISION, name, wrap, make) for name, wrap in AROUND_V2.items() for make in (mix, scheduled, composed)]
HOLDERS += [
    (ALBUMENTATIONS, name, wrap, make) for name, wrap in AROUND_ALBUMENTATIONS.items() for make in (mix, scheduled)
]
HOLDERS += [(ALBUMENTATIONS, "list", AROUND_ALBUMENTATIONS["list"], composed)]


@pytest.mark.parametrize(
    ("door", "wrap", "make"),
    [pytest.param(door, wrap, make, id=f"{door}-{name}-{make.__name__}") for door, name, wrap, make in HOLDERS],
)
def test_all_that_mixes_is_told(door: Door, wrap: Wrap, make: Make) -> None:
    inner, other = make(door), make(door)
    set_epoch(wrap(inner), 4, rank=6)
    inside = [item for item in getattr(inner, "transforms", ()) if hasattr(item, "stream_state")]
    assert len(inside) == (2 if make is composed else 0)
    for made in (inner, *inside):
        assert made.stream_state() == {"seed": made.seed, "epoch": 4, "step": 0, "rank": 6}
    assert other.stream_state()["epoch"] is None


def test_several_are_told_together() -> None:
    several = [mix(TORCHVISION), composed(TORCHVISION), mix(ALBUMENTATIONS), mix(DOORS[0])]
    set_epoch([v2.Compose(several[:1]), *several[1:2], A.Compose(several[2:3]), several[3]], 4)
    assert [made.stream_state()["epoch"] for made in several] == [4] * 4


def test_lists_in_lists_are_told() -> None:
    inner, outer = mix(DOORS[0]), mix(DOORS[0])
    set_epoch([[inner], outer], 4)
    assert [made.stream_state()["epoch"] for made in (inner, outer)] == [4, 4]


NOTHING: dict[str, Callable[[], Any]] = {
    "v2.Compose": lambda: v2.Compose([v2.Identity()]),
    "A.Compose": lambda: A.Compose([A.NoOp()]),
    "DataLoader": lambda: torch.utils.data.DataLoader([0]),
    "function": lambda: lambda batch: batch,
    "list": list,
    "NoneType": lambda: None,
    "MixUp": methods.MixUp,
}


@pytest.mark.parametrize("name", NOTHING)
def test_nothing_to_tell(name: str) -> None:
    got = name.rpartition(".")[2]
    wanted = (
        "a BatchCompose, a mixing transform, or a container or loader with one in it. Pass the pipeline itself, not a f"
    )
    with pytest.raises(ParameterError, match=rf"^Nothing to tell the epoch \(set_epoch\): got {got}; wanted {wanted}"):
        set_epoch(NOTHING[name](), 0)


class Named(torch.utils.data.Dataset):
    """A dataset as torchvision's are."""

    def __init__(self, transform: Any) -> None:
        self.transform = transform

    def __getitem__(self, index: int) -> int:
        return index

    def __len__(self) -> int:
        return 3


class Loader:
    """What looks like a loader to whoever asks for its attributes."""

    def __init__(self, **attributes: Any) -> None:
        vars(self).update(attributes)


DataLoader, Subset = torch.utils.data.DataLoader, torch.utils.data.Subset
LOADERS: dict[str, Wrap] = {
    "collate_fn": lambda inner: DataLoader([0] * 9, collate_fn=inner),
    "collate_fn, dataset without length": lambda inner: DataLoader(iter(()), collate_fn=inner),
    "in a Compose": lambda inner: DataLoader([0], collate_fn=v2.Compose([inner])),
    "transform": lambda inner: DataLoader(Named(inner)),
    "transforms": lambda inner: DataLoader(Named([v2.Identity(), inner])),
    "subset": lambda inner: DataLoader(Subset(Named(v2.Compose([inner])), [0])),
    "several datasets": lambda inner: DataLoader(torch.utils.data.ConcatDataset([Named(None), Named(inner)])),
    "dataset alone": Named,
    "look-alike": lambda inner: Loader(collate_fn=inner, dataset=[0]),
    "around a loader": lambda inner: Loader(loader=DataLoader([0], collate_fn=inner)),
}


@pytest.mark.parametrize("make", [mix, composed])
@pytest.mark.parametrize("name", LOADERS)
def test_what_a_loader_holds_is_told(name: str, make: Make) -> None:
    inner = make(TORCHVISION)
    set_epoch(LOADERS[name](inner), 4, rank=6)
    assert inner.stream_state() == {"seed": SEED, "epoch": 4, "step": 0, "rank": 6}


def test_loaders_and_pipelines_are_told_together() -> None:
    several = [mix(TORCHVISION) for _ in range(3)]
    set_epoch([DataLoader([0], collate_fn=several[0]), several[1], [Loader(loader=Named(several[2]))]], 4)
    assert [made.stream_state()["epoch"] for made in several] == [4, 4, 4]


def test_a_dataset_that_is_a_list_is_not_walked() -> None:
    class Untouchable(list):
        def __iter__(self) -> Any:
            raise AssertionError("there may be millions")

    for dataset in ([mix(TORCHVISION)] * 3, Untouchable([0])):
        with pytest.raises(ParameterError, match="Nothing to tell"):
            set_epoch(Loader(dataset=dataset), 1)


def test_what_answers_to_every_name_ends() -> None:
    class Endless:
        def __getattr__(self, name: str) -> Any:
            if name == "shape" or name.startswith("__"):
                raise AttributeError(name)
            return Endless() if name == "dataset" else None

    with pytest.raises(ParameterError, match="Nothing to tell"):
        set_epoch(Endless(), 1)


def test_a_loader_that_runs_on_is_warned_of() -> None:
    """As timm's does, whose workers have begun with the next epoch before it is told."""
    pipeline = mix(TORCHVISION)
    loader = Loader(collate_fn=pipeline, iterator=Loader(_tasks_outstanding=4))
    assert warned(lambda: set_epoch(loader, 0)) == [], "what was drawn ahead is of this epoch"
    (text,) = warned(lambda: set_epoch(loader, 1))
    assert text.startswith("Batches of this epoch are drawn for the one before (CutMix): got a loader that runs on ")
    assert text.endswith("Use a DataLoader with persistent_workers=True, which keeps the workers as well.")
    assert warned(lambda: set_epoch(DataLoader([0], collate_fn=pipeline), 2)) == []


def test_a_class_is_nothing_to_tell() -> None:
    with pytest.raises(ParameterError, match="Nothing to tell the epoch"):
        set_epoch(v2.Compose, 0)


# -------------------------------------------------------------------------------------------------------- the warning


def warned(act: Callable[[], Any]) -> list[str]:
    """The warnings of some calls."""
    with warnings.catch_warnings(record=True) as seen:
        warnings.simplefilter("always")
        act()
    assert all(item.category is EpochWarning for item in seen)
    return [str(item.message) for item in seen]


def two_batches(door: Door, pipeline: Any) -> list[str]:
    return warned(lambda: [pipeline(samples(door, first)) for first in (0, 3)])


FIX = "Call mixtransforms.set_epoch(pipeline, epoch) at the start of every epoch, or once for a single pass."


@STEADILY
def test_a_pipeline_without_an_epoch_warns_once(door: Door, make: Make) -> None:
    pipeline = make(door)
    assert warned(lambda: [pipeline(samples(door)) for _ in range(3)]) == [], "the same batch shows nothing of epochs"
    (text,) = two_batches(door, pipeline)
    what, wanted = "Every epoch will repeat the same draws", "the epoch, before the loader is iterated over"
    assert text.startswith(f"{what} ({type(pipeline).__name__}): got a seed and batches ")
    assert text.endswith(f" but no epoch; wanted {wanted}. {FIX}")
    assert two_batches(door, pipeline) == []
    assert len(two_batches(door, make(door))) == 1, "another pipeline is told as well"


@STEADILY
def test_who_needs_no_epoch_is_not_warned(door: Door, make: Make) -> None:
    assert warned(lambda: calls(door, made := make(door), 3) and made.stream_state()) == [], "batches are counted"
    assert two_batches(door, make(door, None)) == [], "without a seed nothing repeats"
    set_epoch(told := make(door), 0)
    assert two_batches(door, told) == []
    (resumed := make(door)).load_stream_state(told.stream_state())
    assert two_batches(door, resumed) == []


@STEADILY
def test_copies_remember_the_warning(door: Door, make: Make) -> None:
    pipeline = make(door)
    early = copy.deepcopy(pipeline)
    assert len(two_batches(door, pipeline)) == 1
    assert two_batches(door, copy.deepcopy(pipeline)) == []
    assert two_batches(door, pickle.loads(pickle.dumps(pipeline))) == []
    assert len(two_batches(door, early)) == 1, "a copy made before shares nothing"


@pytest.mark.parametrize("seed", [SEED, None])
@MIXES
def test_a_schedule_without_an_epoch_warns_once(door: Door, seed: int | None) -> None:
    transform = scheduled(door, seed)
    (text,) = warned(lambda: calls(door, transform, 3))
    assert text.startswith(
        "A schedule stays at its first value (OneOf): got a schedule, but no epoch; wanted the epoch"
    )
    assert text.endswith(FIX)
    assert two_batches(door, transform) == []
    set_epoch(told := scheduled(door, seed), 0)
    assert warned(lambda: calls(door, told, 2)) == two_batches(door, told) == []


@pytest.mark.parametrize("seed", [SEED, None])
@DOORS_OF_HOSTS
def test_every_mix_of_a_pipeline_warns_of_its_own_schedule(door: Door, seed: int | None) -> None:
    pipeline = composed(door, seed)
    texts = warned(lambda: calls(door, pipeline, 3))
    assert [text[text.index("(") : text.index(":")] for text in texts] == ["(OneOf)", "(MixUp)"]
    for begin in (set_epoch, lambda made, _: made.load_stream_state(STATE | {"seed": seed})):
        begin(told := composed(door, seed), 0)
        assert warned(lambda told=told: calls(door, told, 2)) == two_batches(door, told) == []


def test_as_an_error_it_is_raised_once() -> None:
    door = DOORS[0]
    pipeline = mix(door)
    pipeline(samples(door))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with pytest.raises(EpochWarning, match="Every epoch will repeat"):
            pipeline(samples(door, 3))
        pipeline(samples(door, 3))


class Noting:
    """A collate function that notes how often a batch was warned of."""

    def __init__(self, pipeline: Any) -> None:
        self.pipeline = pipeline

    def __call__(self, batch: Any) -> int:
        return len(warned(lambda: self.pipeline(batch)))


@forked
@pytest.mark.parametrize("workers", [0, 1, 2])
@pytest.mark.parametrize("make", [mix, steady])
def test_workers_warn_once_together(make: Make, workers: int) -> None:
    pipeline = make(TORCHVISION)
    data = [sample for first in (0, 3, 1, 2) for sample in samples(TORCHVISION, first)]
    loader = torch.utils.data.DataLoader(data, batch_size=3, num_workers=workers, collate_fn=Noting(pipeline))
    assert sum(sum(loader) for _ in range(2)) == 1
    assert two_batches(TORCHVISION, pipeline) == [], "the main process knows of it"


@STEADILY
def test_a_look_or_two_is_not_warned_of(door: Door, make: Make) -> None:
    pipeline = make(door)
    assert warned(lambda: [pipeline.trace(samples(door, first)) for first in (0, 3, 1)]) == []


@pytest.mark.parametrize("make", [mix, steady])
def test_validation_may_repeat(make: Make) -> None:
    assert two_batches(TORCHVISION, make(TORCHVISION).eval()) == []


def test_a_constant_schedule_needs_no_epoch() -> None:
    images = PHOTOS.copy()
    constant = mixtransforms.MixUp(Steps({0: 0.4, 7: 0.4}), p=Ramp(1, 1, 0, 3))
    assert warned(lambda: constant(images)) == []
    assert len(warned(lambda: mixtransforms.MixUp(Steps({0: 0.4, 7: 0.3}))(images))) == 1


@STEADILY
def test_the_warning_is_where_the_package_was_called(door: Door, make: Make) -> None:
    pipeline = make(door)
    pipeline(samples(door))
    with pytest.warns(EpochWarning) as seen:
        pipeline(samples(door, 3))
    assert [Path(item.filename).name for item in seen] == ["test_streams.py"]


def test_a_compose_around_it_leaves_the_seed_alone() -> None:
    pipeline = steady(ALBUMENTATIONS)
    wanted = pipeline(samples(ALBUMENTATIONS))["image"]
    A.Compose([pipeline])
    assert pipeline.seed == SEED
    np.testing.assert_array_equal(pipeline(samples(ALBUMENTATIONS))["image"], wanted)
    pipeline.set_random_seed(SEED + 1)
    assert pipeline.seed == SEED + 1
    assert (pipeline(samples(ALBUMENTATIONS))["image"] != wanted).any()


@pytest.mark.parametrize("seed", [-1, 1.5, "x", 2**70, True])
def test_what_is_no_seed_changes_nothing(seed: Any) -> None:
    pipeline = steady(ALBUMENTATIONS)
    with pytest.raises(ParameterError, match=r"'seed' \(set_random_seed\)"):
        pipeline.set_random_seed(seed)
    assert pipeline.seed == SEED


# ----------------------------------------------------------------------------------------------------- shared numbers


@forked
@pytest.mark.parametrize("method", ["fork", "spawn", "forkserver"])
def test_numbers_are_shared_with_processes_in_both_directions(method: str) -> None:
    shared, stream = SharedNumbers([1, -2, 2**62]), Stream()
    stream.begin(8, 9)
    context = multiprocessing.get_context(method)
    for target, arguments in ((operator.setitem, (shared, 1, -(2**63))), (stream._shared.__setitem__, (0, 5))):
        process = context.Process(target=target, args=arguments)
        process.start()
        process.join(60)
        assert process.exitcode == 0
    assert [shared[index] for index in range(3)] == [1, -(2**63), 2**62]
    assert (stream.epoch, stream.rank) == (5, 9)


def begun(pipeline: Any, rank: int, queue: Any) -> None:
    """A training of its own: it begins an epoch, and tells what its loader's worker draws by."""
    set_epoch(pipeline, 10 * rank, rank=rank)
    loader = torch.utils.data.DataLoader(range(2), batch_size=1, num_workers=1, collate_fn=Asked(pipeline))
    queue.put((rank, [pipeline.stream_state()["epoch"], *loader]))


class Asked:
    """A collate function that tells which epoch its pipeline has."""

    def __init__(self, pipeline: Any) -> None:
        self.pipeline = pipeline

    def __call__(self, _: Any) -> int:
        return int(self.pipeline.stream_state()["epoch"])


@forked
def test_trainings_that_are_given_one_pipeline_have_epochs_of_their_own() -> None:
    pipeline, context = mix(TORCHVISION), multiprocessing.get_context("fork")
    set_epoch(pipeline, 3)
    queue = context.Queue()
    processes = [context.Process(target=begun, args=(pipeline, rank, queue)) for rank in (1, 2, 4)]
    for process in processes:
        process.start()
    found = dict(queue.get(timeout=60) for _ in processes)
    for process in processes:
        process.join(60)
    assert found == {rank: [10 * rank] * 3 for rank in (1, 2, 4)}
    assert pipeline.stream_state()["epoch"] == 3


@pytest.mark.parametrize("twin", [copy.deepcopy, lambda value: pickle.loads(pickle.dumps(value))], ids=["copy", "file"])
def test_other_copies_share_nothing(twin: Callable[[Any], Any]) -> None:
    shared, stream = SharedNumbers([1, -2]), Stream()
    stream.begin(5, 3)
    other, further = twin(shared), twin(stream)
    shared[0], other[1] = 10, 20
    assert [shared[0], shared[1], other[0], other[1]] == [10, -2, 1, 20]
    assert further.state(0) == stream.state(0)
    further.begin(6)
    assert (stream.epoch, stream.rank) == (5, 3)


# ------------------------------------------------------------------------------------------------------------- redraw


def redrawn(method: Any, plan: Plan, hints: Any) -> None:
    """A plan that went through JSON is drawn again from its key."""
    again = Plan.from_dict(json.loads(json.dumps(plan.to_dict())))
    twin = method.redraw(again.key, again.spec, hints)
    assert again == plan
    assert twin == plan
    assert twin.key == plan.key == again.key
    assert twin.to_dict() == plan.to_dict()


def _configured() -> Iterator[Any]:
    """Every method with every configuration, every pairing that knows classes, and schedules."""
    yield from cases()
    changing = {"alpha": Ramp(0.2, 2.0, 0, 9), "p": Steps({0: 0.5, 2: 0.8})}
    for door in DOORS:
        for name, method in METHODS.items():
            known = method.__dataclass_fields__
            options, *_ = examples(name)
            if "pairing" in known:
                yield from (Case(door, name, {**options, "pairing": pairing}) for pairing in sorted(CLASS_AWARE))
            yield Case(door, name, {**options, **{key: value for key, value in changing.items() if key in known}})
        yield Case(door, "OneOf", SCHEDULED)
        yield Case(door, "OneOf", {"transforms": (methods.MixUp(pairing="same_class"), methods.CutMix())})


@pytest.mark.parametrize(
    ("case", "seed"),
    tiers.some(
        itertools.product(_configured(), [SEED, None]),
        lambda row: (row[0].method, str(row[0].door), row[1]),
        lambda row: (str(row[0]),),
    ),
    ids=str,
)
@pytest.mark.usefixtures("made_up_hints")
def test_a_plan_is_drawn_again_from_its_key(case: Case, seed: int | None) -> None:
    transform = case.make(seed=seed, num_classes=CLASSES)
    set_epoch(transform, 3, rank=2)
    plans = [case.door.plan(transform, *ready(case.door)) for _ in range(3)]
    assert len({plan.key for plan in plans}) == 3
    for plan in plans:
        assert plan.key.epoch == 3
        hints = told.hints(transform.method, plan.spec) | {"classes": LABELS, "saliency": contrast(PHOTOS[:SIZE])}
        redrawn(transform.method, plan, hints)


@pytest.mark.parametrize("seed", [SEED, None])
@DOORS_OF_HOSTS
def test_so_are_the_plans_of_a_pipeline(door: Door, seed: int | None) -> None:
    pipeline = composed(door, seed)
    set_epoch(pipeline, 3, rank=2)
    args, named = door.arguments(*ready(door))
    mixes = [item for item in pipeline.transforms if hasattr(item, "method")]
    for trace in (pipeline.trace(*args, **named), pipeline.trace(samples(door))):
        assert len({plan.key for plan in trace.plans}) == len(mixes) == 2
        for transform, plan in zip(mixes, trace.plans, strict=True):
            assert plan.key.epoch == 3
            redrawn(transform.method, plan, {})


def test_a_plan_whose_gate_the_host_has_opened_is_drawn_again_with_an_open_one() -> None:
    transform = ALBUMENTATIONS.transform("MixUp", alpha=1.0, p=0.3, seed=SEED)
    host = A.ReplayCompose([A.OneOf([transform], p=1.0)])
    host.set_random_seed(1)
    recorded = host(images=PHOTOS)["replay"]["transforms"][0]["transforms"][0]["params"]["plan"]
    redrawn(transform.method.forced(), Plan.from_dict(recorded), {})


@MIXES
def test_a_plan_is_for_batches_of_its_size(door: Door) -> None:
    transform = mix(door)
    plan = door.plan(transform, *ready(door))
    with pytest.raises(
        PlanError, match=r"The plan is for another batch \(CutMix\): got 4 samples .*; wanted 6 samples"
    ):
        door.replay(transform, plan, *ready(door, 4))
    assert mixtransforms.Plan.from_dict(plan.to_dict()) == plan
