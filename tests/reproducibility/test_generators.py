"""Generators of others are left as found, users' own functions are as reproducible as the host's, threads do not mix."""

import copy
import pickle
import random
import subprocess
import sys
import threading
import warnings
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="torch is not installed")
A = pytest.importorskip("albumentations", reason="albumentations is not installed")
v2 = pytest.importorskip("torchvision.transforms.v2", reason="torchvision is not installed")

from doors import ALBUMENTATIONS, DOORS, TORCHVISION, Door
from forms import bits

import mixtransforms
from mixtransforms import InputError, set_epoch
from mixtransforms.rng import generators, streams
from mixtransforms.rng.streams import Guard

SEED, SIZE, SIDE, CLASSES = 7, 6, 12, 3
PHOTOS = np.random.default_rng(0).integers(0, 256, (48, SIDE, SIDE, 3), np.uint8)
DOORS_OF_HOSTS = pytest.mark.parametrize("door", [TORCHVISION, ALBUMENTATIONS], ids=str)


def images(door: Door, first: int = 0) -> Any:
    photos = PHOTOS[first : first + SIZE]
    return torch.from_numpy(photos).movedim(-1, 1) if door is TORCHVISION else photos


def labels(door: Door) -> Any:
    ids = np.arange(SIZE) % CLASSES
    return torch.from_numpy(ids) if door is TORCHVISION else ids


def samples(door: Door, first: int = 0) -> list[Any]:
    return [{"image": image, "label": index % CLASSES} for index, image in enumerate(images(door, first))]


def ready(door: Door, pipeline: Any) -> Any:
    args, named = door.arguments(images(door), labels(door))
    return door.parts(pipeline(*args, **named), labelled=True)[0]


def stock(door: Door) -> list[Any]:
    """Two of the host's transforms that draw for every sample."""
    if door is TORCHVISION:
        return [v2.RandomHorizontalFlip(), v2.RandomCrop(8), v2.ColorJitter(0.4, 0.4)]
    return [A.HorizontalFlip(), A.RandomCrop(8, 8), A.RandomBrightnessContrast(p=1.0)]


def composed(door: Door, *more: Any, seed: int | None = SEED) -> Any:
    mix = door.transform("MixUp", alpha=1.0, num_classes=CLASSES)
    return door.load().BatchCompose([*stock(door), *more, mix, *stock(door)[:1]], seed=seed)


def single(door: Door, seed: int | None = SEED) -> Any:
    return door.transform("CutMix", num_classes=CLASSES, seed=seed)


MADE = [(door, single) for door in DOORS] + [(door, composed) for door in (TORCHVISION, ALBUMENTATIONS)]
SEVERAL = pytest.mark.parametrize(("door", "make"), MADE, ids=[f"{door}-{make.__name__}" for door, make in MADE])

# -------------------------------------------------------------------------------------------------- left as they were

GENERATORS: dict[str, Callable[[], Any]] = {
    "torch": lambda: torch.default_generator.get_state().tolist(),
    "random": random.getstate,
    "numpy": lambda: [np.asarray(part).tolist() for part in np.random.get_state()],  # noqa: NPY002
}


@contextmanager
def untouched(*names: str) -> Iterator[None]:
    """Holds where global generators are afterwards as they were; with half a pair of normal numbers left over."""
    torch.randn(1), random.gauss(), np.random.normal()  # noqa: NPY002
    before = {name: GENERATORS[name]() for name in names or GENERATORS}
    yield
    for name, state in before.items():
        assert GENERATORS[name]() == state, name


def numbers() -> list[float]:
    """Draws of every global generator, in ways that leave something over."""
    normal = np.random.normal() + np.random.rand()  # noqa: NPY002
    return [random.gauss() + random.random(), normal, float(torch.randn(1) + torch.rand(1))]


@SEVERAL
def test_a_seeded_call_leaves_all_generators_as_they_were(door: Door, make: Any) -> None:
    pipeline = make(door)
    with untouched():
        set_epoch(pipeline, 1)
        pipeline(samples(door))
        ready(door, pipeline)
        pipeline.load_stream_state(pipeline.stream_state())
        door.plan(pipeline, images(door), labels(door)) if make is single else pipeline.trace(samples(door))


class Stop(Exception):  # noqa: N818
    """What a transform of a user raises."""


def failing(door: Door, at: int) -> Any:
    """A transform that draws from everything there is, and fails once, at one of the samples."""
    seen: list[int] = []

    def act(image: Any, **_: Any) -> Any:
        if door is TORCHVISION:
            numbers()  # the other host leaves global generators to users
        seen.append(1)
        if len(seen) == at + 1:
            raise Stop("in the middle")
        return image

    return v2.Lambda(act) if door is TORCHVISION else A.Lambda(image=act, p=1.0)


@DOORS_OF_HOSTS
@pytest.mark.parametrize("at", [0, 3])
@pytest.mark.parametrize("many", [True, False], ids=["samples", "ready"])
def test_an_error_in_the_middle_leaves_them_as_they_were(door: Door, at: int, many: bool) -> None:
    pipeline, twin = (composed(door, failing(door, at)) for _ in range(2))
    with untouched(), pytest.raises(Stop, match="in the middle"):
        pipeline(samples(door)) if many else ready(door, pipeline)
    with untouched(), pytest.raises(Stop, match="in the middle"):
        _in_thread(lambda: twin(samples(door)))


@DOORS_OF_HOSTS
def test_after_an_error_samples_are_drawn_for_as_ever(door: Door) -> None:
    pipeline, failed = composed(door, failing(door, at=100)), composed(door, failing(door, at=3))
    with pytest.raises(Stop, match="in the middle"):
        failed(samples(door))
    assert bits(failed(samples(door))["image"]) == bits(pipeline(samples(door))["image"])


@SEVERAL
def test_an_error_of_a_mix_leaves_them_as_they_were(door: Door, make: Any) -> None:
    pipeline = make(door)
    batch = {"images" if door.named else "image": images(door), "depth": images(door)}
    with untouched(), pytest.raises(InputError, match="neither known nor declared"):
        pipeline(**batch)


# ----------------------------------------------------------------------------------------------------- without a seed


@pytest.mark.parametrize("make", [single, composed])
@pytest.mark.parametrize("many", [True, False], ids=["samples", "ready"])
def test_without_a_seed_torchvision_follows_torch_alone(make: Any, many: bool) -> None:
    pipeline = make(TORCHVISION, seed=None)

    def call() -> Any:
        return pipeline(samples(TORCHVISION))["image"] if many else ready(TORCHVISION, pipeline)

    results, states = [], []
    for seed in (3, 4, 3):
        torch.manual_seed(seed)
        with untouched("random", "numpy"):
            before = GENERATORS["torch"]()
            results.append(bits(call()))
            states.append(GENERATORS["torch"]())
        assert states[-1] != before
        results.append(bits(call()))
    assert results[:2] == results[4:]
    assert states[0] == states[2]
    assert len(set(results)) == 4


@pytest.mark.parametrize("many", [True, False], ids=["samples", "ready"])
@pytest.mark.parametrize("door", [door for door in DOORS if door is not TORCHVISION], ids=str)
def test_without_a_seed_other_doors_leave_global_generators_alone(door: Door, many: bool) -> None:
    for make in (single, composed) if door is ALBUMENTATIONS else (single,):
        pipeline = make(door, seed=None)
        with untouched():
            pipeline(samples(door)) if many else ready(door, pipeline)


# ------------------------------------------------------------------------------------------------- functions of users

N = 3
"""How many global generators there are."""


def drawing(image: Any) -> Any:
    """Pixels that say what was drawn."""
    return torch.tensor(numbers(), dtype=torch.float64).reshape(1, 1, N).expand(N, 1, N).clone()


class Drawing(v2.Transform):
    """A transform of a user."""

    def transform(self, inpt: Any, params: dict[str, Any]) -> Any:
        return drawing(inpt)


class Module(torch.nn.Module):
    """A module of a user."""

    def forward(self, image: Any) -> Any:
        return drawing(image)


FORMS_OF_FUNCTIONS: dict[str, Callable[[], list[Any]]] = {
    "function": lambda: [drawing],
    "Lambda": lambda: [v2.Lambda(drawing)],
    "class": lambda: [Drawing()],
    "module": lambda: [Module()],
    "behind a stock one": lambda: [v2.RandomHorizontalFlip(), Drawing()],
    "in a container": lambda: [v2.Compose([v2.RandomApply([Drawing()], p=1.0)])],
    "a function in a container": lambda: [v2.RandomChoice([v2.RandomOrder([drawing])])],
    "in a Sequential": lambda: [torch.nn.Sequential(v2.Identity(), Drawing())],
}
FUNCTIONS = pytest.mark.parametrize("make", FORMS_OF_FUNCTIONS.values(), ids=FORMS_OF_FUNCTIONS)


def drawn(pipeline: Any, given: Any) -> np.ndarray:
    """What every sample got of every generator, ``(B, 3)``."""
    return pipeline(given).numpy()[:, 0, 0]


def started(seed: int) -> None:
    """Starts the global generators, and leaves half a pair of normal numbers over."""
    torch.manual_seed(seed), random.seed(seed), np.random.seed(seed)  # noqa: NPY002
    numbers()


@FUNCTIONS
@pytest.mark.parametrize("many", [True, False], ids=["samples", "ready"])
def test_functions_of_users_repeat(make: Any, many: bool) -> None:
    given = list(images(TORCHVISION)) if many else images(TORCHVISION)
    started(0)
    with untouched():
        first = drawn(tv_compose(make()), given)
    started(1)
    second = drawn(tv_compose(make()), given)
    np.testing.assert_array_equal(first, second)
    for column in first.T:
        assert len(set(column.tolist())) == SIZE, "samples have draws of their own, from every generator"
    assert not np.isin(drawn(tv_compose(make(), SEED + 1), given), first).any()


@FUNCTIONS
def test_what_a_sample_draws_does_not_depend_on_others(make: Any) -> None:
    pipeline, given = tv_compose(make()), list(images(TORCHVISION))
    together = drawn(pipeline, given)
    np.testing.assert_array_equal(drawn(pipeline, given[::-1])[::-1], together)
    np.testing.assert_array_equal([drawn(pipeline, [image])[0] for image in given], together)


def tv_compose(transforms: list[Any], seed: int = SEED) -> Any:
    set_epoch(made := TORCHVISION.load().BatchCompose([*transforms, mixtransforms.MixUp(alpha=0)], seed=seed), 0)
    return made


def test_generators_that_start_together_have_nothing_in_common() -> None:
    """All three are MT19937, started from one seed."""

    class Bytes(v2.Transform):
        def transform(self, inpt: Any, params: dict[str, Any]) -> Any:
            fractions = random.random(), np.random.rand(), torch.rand(())  # noqa: NPY002
            numbers = random.getrandbits(16), np.random.randint(2**16), torch.randint(2**16, ())  # noqa: NPY002
            drawn = [float(number) for number in (*fractions, *numbers)]
            return torch.tensor(drawn).reshape(6, 1, 1).expand(6, 2, 2).clone()

    photos = [image for first in range(0, 48, SIZE) for image in images(TORCHVISION, first)]
    found = np.asarray(tv_compose([Bytes()])(photos))[:, :, 0, 0]
    assert len(np.unique(found)) > 0.95 * found.size
    assert np.abs(np.corrcoef(found.T)[np.triu_indices(6, 1)]).max() < 5 / np.sqrt(len(found))


class Sown(A.ImageOnlyTransform):
    """A transform of a user that draws from global generators."""

    def apply(self, img: Any, **_: Any) -> Any:
        return np.full_like(img, np.random.randint(100) + random.randrange(100))  # noqa: NPY002


@pytest.mark.parametrize(
    "make", [lambda: [Sown(p=1)], lambda: [A.Lambda(image=Sown(p=1).apply, p=1)]], ids=["own", "Lambda"]
)
def test_functions_of_users_repeat_in_albumentations(make: Any) -> None:
    pipeline = ALBUMENTATIONS.load().BatchCompose(make(), seed=SEED)
    with untouched("torch", "random", "numpy"):
        first = pipeline(samples(ALBUMENTATIONS))["image"]
    random.seed(5), np.random.seed(5)  # noqa: NPY002
    np.testing.assert_array_equal(pipeline(samples(ALBUMENTATIONS))["image"], first)
    assert len(np.unique(first)) > SIZE // 2


class Leftover(A.ImageOnlyTransform):
    """Draws half of what both generators of the host make at once, and writes it into the image."""

    def apply(self, img: Any, **_: Any) -> Any:
        half = self.random_generator.integers(0, 2**32, dtype=np.uint32)
        return np.full(
            (1, 1, 3), [half, self.py_random.gauss() * 1e6, self.random_generator.normal() * 1e6], np.float64
        )


def test_what_a_sample_draws_from_albumentations_does_not_depend_on_others() -> None:
    set_epoch(pipeline := ALBUMENTATIONS.load().BatchCompose([Leftover(p=1.0)], seed=SEED), 0)
    given = samples(ALBUMENTATIONS)
    together = pipeline(given)["image"][:, 0, 0]
    assert [len(set(column)) for column in together.T] == [SIZE] * 3
    np.testing.assert_array_equal(pipeline(given[::-1])["image"][::-1, 0, 0], together)
    np.testing.assert_array_equal([pipeline([sample])["image"][0, 0, 0] for sample in given], together)


# ------------------------------------------------------------------------------------------------------------ threads


@pytest.fixture
def restless() -> Iterator[None]:
    """Threads take turns as often as they can."""
    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    yield
    sys.setswitchinterval(before)


def _in_thread(act: Callable[[], Any]) -> Any:
    """Runs in a thread of its own, with its error."""
    return _in_threads([act])[0]


def _in_threads(acts: list[Callable[[], Any]]) -> list[Any]:
    """Runs all at once; raises the first error."""
    gate, results, errors = threading.Barrier(len(acts)), [None] * len(acts), []

    def run(index: int) -> None:
        gate.wait(60)
        try:
            results[index] = acts[index]()
        except Exception as error:  # noqa: BLE001
            errors.append(error)

    threads = [threading.Thread(target=run, args=(index,), daemon=True) for index in range(len(acts))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(200)
    assert not any(thread.is_alive() for thread in threads)
    if errors:
        raise errors[0]
    return results


class Yielding(v2.Transform):
    """Draws from all generators, and lets other threads run before it draws again."""

    def transform(self, inpt: Any, params: dict[str, Any]) -> Any:
        first = numbers()
        threading.Event().wait(1e-5)
        return inpt.clone().fill_(hash((*first, *numbers())) % 251)


class YieldingA(A.ImageOnlyTransform):
    """The same for the other host."""

    def apply(self, img: Any, **_: Any) -> Any:
        first = (self.random_generator.random(), self.py_random.random())
        threading.Event().wait(1e-5)
        last = (self.random_generator.random(), self.py_random.random())
        return np.full_like(img, hash((*first, *last)) % 251)


def shared(door: Door, kind: str) -> Any:
    if kind == "mix alone":
        pipeline = single(door)
    else:
        pipeline = composed(
            door, *([Yielding() if door is TORCHVISION else YieldingA(p=1.0)] if kind == "users" else [])
        )
    set_epoch(pipeline, 2)
    return pipeline


THREADS, CALLS = 8, 12


@pytest.mark.usefixtures("restless")
@DOORS_OF_HOSTS
@pytest.mark.parametrize("kind", ["mix alone", "stock", "users"])
def test_threads_do_not_change_what_samples_become(door: Door, kind: str) -> None:
    pipeline = shared(door, kind)
    batches = [samples(door, first) for first in range(0, 42, 2)]
    expected = [bits(shared(door, kind)(batch)["image"]) for batch in batches]
    assert len(set(expected)) == len(batches)

    def work(offset: int) -> list[bool]:
        turns = [(offset * 5 + turn) % len(batches) for turn in range(CALLS)]
        return [bits(pipeline(batches[turn])["image"]) == expected[turn] for turn in turns]

    with untouched():
        found = _in_threads([lambda offset=offset: work(offset) for offset in range(THREADS)])
    assert found == [[True] * CALLS] * THREADS


@pytest.mark.usefixtures("restless")
def test_threads_with_pipelines_of_their_own_share_the_global_generators() -> None:
    batch = samples(TORCHVISION)
    pipelines = [shared(TORCHVISION, "users") for _ in range(4)]
    expected = bits(shared(TORCHVISION, "users")(batch)["image"])
    with untouched():
        found = _in_threads([lambda made=made: [bits(made(batch)["image"]) for _ in range(6)] for made in pipelines])
    assert found == [[expected] * 6] * 4


class Slow(int):
    """A count that lets other threads run before it is one more."""

    def __add__(self, other: int) -> "Slow":
        threading.Event().wait(1e-4)
        return Slow(int(self) + other)

    __sub__ = int.__sub__


@pytest.mark.usefixtures("restless")
@pytest.mark.parametrize("door", DOORS, ids=str)
@pytest.mark.parametrize("kind", ["mix alone", "stock"])
def test_other_threads_know_ready_batches_by_content(door: Door, kind: str) -> None:
    """They come in any order, so that a count would be another one in every run."""
    pipeline = single(door) if kind == "mix alone" or door not in (TORCHVISION, ALBUMENTATIONS) else composed(door)
    set_epoch(pipeline, 0)
    args, named = door.arguments(images(door), labels(door))

    def work() -> list[int]:
        return [pipeline.trace(*args, **named).plans[0].key.step for _ in range(CALLS)]

    before = work()
    found = {step for steps in _in_threads([work] * THREADS) for step in steps}
    assert before == list(range(CALLS)), "where it was constructed, they are counted"
    assert found == {pipeline.trace(samples(door)).plans[0].key.step}, "as the list of their samples is"
    assert work() == list(range(CALLS, 2 * CALLS)), "and what others do is not counted"


@pytest.mark.usefixtures("restless")
def test_threads_count_every_batch_on_a_device_once() -> None:
    mix = mixtransforms.MixUp(seed=SEED)
    mix._stream._step = Slow(0)
    batch = torch.empty(SIZE, 3, SIDE, SIDE, device="meta")
    found = _in_threads([lambda: [mix.plan(batch).key.step for _ in range(CALLS)]] * THREADS)
    assert Counter(step for steps in found for step in steps) == Counter(range(THREADS * CALLS))
    assert mix.stream_state()["step"] == THREADS * CALLS


# -------------------------------------------------------------------------------------------------------------- guard

FORKING = """
import os, signal, threading
from mixtransforms.rng.streams import Guard, Stream

guard, stream, held, done = Guard(), Stream(), threading.Event(), threading.Event()

def hold():
    with guard.lock, stream._guard.lock:
        held.set()
        done.wait(60)

thread = threading.Thread(target=hold)
thread.start()
held.wait(60)
child = os.fork()
if child == 0:
    signal.alarm(30)
    with guard.lock:
        with guard.lock:
            pass
    taken = []
    other = threading.Thread(target=lambda: taken.append(guard.lock.acquire()))
    with guard.lock:
        other.start()
        other.join(0.2)
        shut = not taken
    other.join(30)
    stream.begin(3)
    os._exit(0 if shut and taken and [stream.key(1).step, stream.key(1).step] == [0, 1] else 3)
status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
done.set()
thread.join()
with guard.lock:
    pass
assert status == 0, status
assert stream.epoch == 0, "a fork that is no worker has epochs of its own"
"""


def test_a_guard_that_was_held_is_open_after_a_fork() -> None:
    root = Path(mixtransforms.__file__).parents[1]
    command = [sys.executable, "-W", "ignore::DeprecationWarning", "-c", FORKING]
    run = subprocess.run(command, cwd=root, capture_output=True, text=True, timeout=120, check=False)
    assert run.returncode == 0, run.stderr


def is_open(guard: Guard) -> bool:
    """Whether another thread can take it."""
    taken = threading.Event()

    def take() -> None:
        with guard.lock:
            taken.set()

    threading.Thread(target=take, daemon=True).start()
    return taken.wait(0.2 if any(lock._is_owned() for lock in guard._locks.values()) else 60)


def test_a_guard_may_be_taken_again_by_its_thread_alone() -> None:
    guard = Guard()
    with guard.lock:
        with guard.lock:
            assert not is_open(guard)
        assert not is_open(guard), "it was taken twice, and given back once"
    assert is_open(guard)
    with pytest.raises(Stop), guard.lock:
        raise Stop
    assert is_open(guard)


@pytest.mark.parametrize("twin", [copy.copy, copy.deepcopy, lambda guard: pickle.loads(pickle.dumps(guard))])
def test_copies_of_a_guard_are_open(twin: Callable[[Guard], Guard]) -> None:
    guard = Guard()
    with guard.lock:
        other = twin(guard)
        assert is_open(other)
        with other.lock:
            assert not is_open(guard)


def test_an_interrupt_between_two_lines_leaves_a_guard_open() -> None:
    """Ctrl-C is raised between two lines of Python: here at every line that runs while a guard is taken and given back."""
    guard = Guard()
    for place in range(100):
        left = [place]

        def interrupt(frame: Any, event: str, _: Any, left: list[int] = left) -> Any:
            if frame.f_code.co_filename != streams.__file__:
                return None
            if event in ("line", "return"):
                left[0] -= 1
                if left[0] < 0:
                    raise Stop
            return interrupt

        sys.settrace(interrupt)
        try:
            with guard.lock:
                pass
        except Stop:
            sys.settrace(None)
        finally:
            sys.settrace(None)
        assert is_open(guard)
        if left[0] >= 0:
            break
    assert place, "there were lines at which it was interrupted"


# ------------------------------------------------------------------------------------ others at the global generators


def told_of_others(door: Door, act: Callable[[], Any]) -> list[str]:
    """What was warned of while another thread draws all the time."""
    done = threading.Event()

    def draw() -> None:
        while not done.is_set():
            act()

    thread = threading.Thread(target=draw, daemon=True)
    own = Drawing() if door is TORCHVISION else Sown(p=1)
    set_epoch(pipeline := door.load().BatchCompose([own], seed=SEED), 0)
    with warnings.catch_warnings(record=True) as seen, pytest.MonkeyPatch.context() as patch:
        patch.setattr(generators, "_looks_left", [100])
        warnings.simplefilter("always")
        thread.start()
        for _ in range(30):
            pipeline(samples(door))
        done.set()
        thread.join(60)
    return [str(item.message) for item in seen if item.category is RuntimeWarning]


@pytest.mark.usefixtures("restless")
@DOORS_OF_HOSTS
def test_another_thread_at_a_global_generator_is_told_of_once(door: Door) -> None:
    (text,) = told_of_others(door, numbers)
    assert text.startswith(
        "Another thread draws from a global generator (BatchCompose): got a generator that is not wh"
    )


@pytest.mark.usefixtures("restless")
@DOORS_OF_HOSTS
def test_a_thread_with_a_generator_of_its_own_is_nobodys_business(door: Door) -> None:
    own = torch.Generator()
    assert told_of_others(door, lambda: torch.rand(1, generator=own)) == []
