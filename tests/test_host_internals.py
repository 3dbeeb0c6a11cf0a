"""What the package uses of its hosts that they promise to nobody: one table, a test for each row, a test for no others.

A new release of a host may change any of it without a word. Then a test here says which row it is, and the row says what
for and where; who mends it writes the version that it was checked with.
"""

import ast
import importlib
import os
import re
from collections import defaultdict
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pytest

import mixtransforms

PACKAGE = Path(mixtransforms.__file__).parent


class Internal(NamedTuple):
    """A private or undocumented name of a host.

    Attributes:
        rooms: Folders of the package whose files use it.
        why: What it is used for, and why nothing public does.
        checked: The newest version that it was read and tested in.
    """

    rooms: str
    why: str
    checked: str


INTERNALS = {
    "torch._C._is_tracing": Internal(
        "kernels",
        "torch.jit.trace records operations: nothing may go through NumPy then, and no public function tells it "
        "without a warning",
        "torch 2.14.1",
    ),
    "torch._C._functorch.maybe_current_level": Internal(
        "kernels",
        "inside torch.vmap, torch.func.grad and the like tensors have no memory that NumPy could look at; nothing "
        "public says whether one is inside",
        "torch 2.14.1",
    ),
    "torch._assert_async": Internal(
        "kernels torchvision",
        "labels on a device are checked there, so that nobody waits; the public torch._assert waits",
        "torch 2.14.1",
    ),
    "torch._foreach_copy_": Internal(
        "kernels", "the tensors of a plan are overwritten by one launch, not a dozen", "torch 2.14.1"
    ),
    "torch.UntypedStorage._new_shared": Internal(
        "kernels",
        "a batch that a worker makes lies in shared memory from the start, as default_collate has it; share_memory_() "
        "would copy it",
        "torch 2.14.1",
    ),
    "torch.UntypedStorage._share_fd_cpu_": Internal(
        "kernels",
        "the file of shared memory: writing rows to it costs less than the first touch of its pages",
        "torch 2.14.1",
    ),
    "torch.utils.data.DataLoader._tasks_outstanding": Internal(
        "mixing",
        "batches that the workers of an iterator have begun and nobody has taken: set_epoch warns where a loader that "
        "runs on has drawn some for the epoch before",
        "torch 2.14.1",
    ),
    "torch.Tensor._base": Internal(
        "kernels", "says in an error why a view of a tensor that requires grad is not written to", "torch 2.14.1"
    ),
    "torch.nn.Module._modules": Internal(
        "files", "children of a pipeline are compared as children, and not as an attribute as well", "torch 2.14.1"
    ),
    "torchvision.transforms.v2._utils._parse_labels_getter": Internal(
        "files",
        "tells a labels_getter of a user, which no file can hold, from those that torchvision makes of 'default' and None",
        "torchvision 0.29.1",
    ),
    "torchvision.transforms.v2.SanitizeBoundingBoxes._labels_getter": Internal(
        "torchvision",
        "the host's filter is run with an index for a label, which says which objects it has kept",
        "torchvision 0.29.1",
    ),
    "torchvision.transforms.functional.pil_modes_mapping": Internal(
        "files", "constructors take PIL's numbers for modes of interpolation; files hold names", "torchvision 0.29.1"
    ),
    "albumentations.Compose._additional_targets": Internal(
        "albumentations files",
        "names that a pipeline handles: an image or mask under another one would be left behind",
        "albumentations 2.0.8",
    ),
    "albumentations.Compose._is_valid_key": Internal(
        "albumentations", "strict=True refuses the names that A.Compose refuses", "albumentations 2.0.8"
    ),
    "albumentations.Compose._available_keys": Internal(
        "albumentations files",
        "the names that an error of strict=True offers; follows from others",
        "albumentations 2.0.8",
    ),
    "albumentations.Compose._strict": Internal(
        "files",
        "how strict a transform was made, which its constructor does not take as an argument",
        "albumentations 2.0.8",
    ),
    "albumentations.Compose._images_was_list": Internal(
        "files", "belongs to the last call: no part of what a pipeline is", "albumentations 2.0.8"
    ),
    "albumentations.Compose._masks_was_list": Internal(
        "files", "belongs to the last call: no part of what a pipeline is", "albumentations 2.0.8"
    ),
    "albumentations.BasicTransform._key2func": Internal(
        "files", "follows from the targets: no part of what a transform is", "albumentations 2.0.8"
    ),
    "albumentations.Compose.to_dict_private": Internal(
        "albumentations",
        "A.to_dict and A.save call it on a pipeline; ours adds the arguments that the host leaves out",
        "albumentations 2.0.8",
    ),
    "albumentations.core.keypoints_utils.keypoint_formats": Internal(
        "files", "a file with a format that does not exist is refused when it is read", "albumentations 2.0.8"
    ),
    "albumentations.BasicTransform.InitSchema": Internal(
        "files", "ranges of arguments, which constructors do not tell", "albumentations 2.0.8"
    ),
    "multiprocessing.context.get_spawning_popen": Internal(
        "rng",
        "shared memory may be pickled for a process that starts, and for nobody else; undocumented, used by "
        "multiprocessing itself for the same question",
        "Python 3.11.7",
    ),
    "sys._getframe": Internal(
        "rng",
        "a warning points at the user's line however deep a host's loader called; as warnings does",
        "Python 3.11.7",
    ),
}

PYTHONS = re.compile(r"__\w+__|_(replace|asdict|fields|make|repr_\w+_|ipython_\w+_)")
"""Private in spelling alone: special names, named tuples, what notebooks ask for."""

OUR_KEYS = {"_partner", "_weight", "_visible", "_index"}
"""Strings that are names of values in batches, or ends of them."""

PROVED: set[str] = set()


def proves(*names: str) -> Callable[[Callable[..., None]], Callable[..., None]]:
    PROVED.update(names)
    return lambda test: test


# ------------------------------------------------------------------------------------------ the table is complete


def own_names(tree: ast.AST) -> Iterator[str]:
    """What a module defines: functions, classes, variables, attributes that it gives to something."""
    for node in ast.walk(tree):
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
            yield node.name
        elif isinstance(node, ast.arg):
            yield node.arg
        elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            yield node.id
        elif isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Store) and ast.unparse(node.value) == "self":
            yield node.attr


def used_names(tree: ast.AST) -> Iterator[tuple[str, int]]:
    """Names of attributes and imports, and strings that may be such, with their lines."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute):
            yield node.attr, node.lineno
        elif isinstance(node, (ast.Import, ast.ImportFrom)):
            names = [alias.name for alias in node.names] + [getattr(node, "module", None) or ""]
            yield from ((part, node.lineno) for name in names for part in name.split("."))
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield from ((word, node.lineno) for word in node.value.split() if word.isidentifier())


@cache
def trees() -> dict[str, ast.Module]:
    files = sorted(PACKAGE.rglob("*.py"))
    return {path.relative_to(PACKAGE).as_posix(): ast.parse(path.read_text("utf-8")) for path in files}


@cache
def rooms_by_word() -> dict[str, set[str]]:
    """In which rooms a name is used or defined."""
    rooms: dict[str, set[str]] = defaultdict(set)
    for file, tree in trees().items():
        for word in (*own_names(tree), *(word for word, _ in used_names(tree))):
            rooms[word].add(file.partition("/")[0])
    return rooms


@cache
def known_names() -> set[str]:
    """Names that the package defines or lists."""
    listed = {part for name in INTERNALS for part in name.split(".")}
    ours = {name for tree in trees().values() for name in own_names(tree)}
    return listed | ours | OUR_KEYS | {part.removesuffix(".py") for file in trees() for part in file.split("/")}


def unknown_names(files: dict[str, ast.Module]) -> list[str]:
    """Private names that the package uses, and neither defines nor lists."""
    return [
        f"{file}:{line} uses {name}: write a row and a test for it"
        for file, tree in files.items()
        for name, line in used_names(tree)
        if name.startswith("_") and name.strip("_") and name not in known_names() and not PYTHONS.fullmatch(name)
    ]


def test_no_private_name_is_used_that_the_table_lacks():
    assert unknown_names(trees()) == []


@pytest.mark.parametrize(
    "code",
    [
        "torch._C._get_tracing_state()",
        "from torch._inductor import config",
        "import torchvision.transforms._presets",
        "getattr(transform, '_cached')",
        "transform._labels_getter, transform._needs_list",
    ],
)
def test_a_private_name_is_found(code):
    assert unknown_names({"core/extra.py": ast.parse(code)}) != []


@pytest.mark.parametrize("name", INTERNALS)
def test_rows_say_where(name):
    assert rooms_by_word()[name.rpartition(".")[2]] == set(INTERNALS[name].rooms.split())


def test_every_row_has_a_test():
    assert set(INTERNALS) == PROVED


@pytest.mark.parametrize("door", ["torchvision", "albumentations"])
def test_nothing_private_of_a_host_is_overridden_by_accident(door):
    pytest.importorskip(door, reason=f"{door} is not installed")
    module = importlib.import_module(f"mixtransforms.{door}")
    for name in module.__all__:
        cls = getattr(module, name)
        if isinstance(cls, type):
            private = {True: set(), False: set()}
            for base in cls.__mro__:
                ours = base.__module__.startswith("mixtransforms.")
                private[ours] |= {each for each in vars(base) if each.startswith("_") and not each.startswith("__")}
            assert private[True] & private[False] <= {"_abc_impl"}, name


# ------------------------------------------------------------------------------------------ torch


@pytest.fixture
def torch() -> Any:
    return pytest.importorskip("torch", reason="torch is not installed")


@pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::FutureWarning")
@proves("torch._C._is_tracing")
def test_tracing_is_seen(torch):
    seen = []

    def step(x):
        seen.append(torch._C._is_tracing())
        return x + 1

    step(torch.ones(2))
    torch.jit.trace(step, torch.ones(2), check_trace=False)
    assert list(map(bool, seen)) == [False, True]


@proves("torch._C._functorch.maybe_current_level")
def test_transforms_of_functions_are_seen(torch):
    level, seen = torch._C._functorch.maybe_current_level, []

    def step(x):
        seen.append(level() is not None)
        return x.sum()

    step(torch.ones(2))
    torch.vmap(step)(torch.ones(2, 3))
    torch.func.grad(step)(torch.ones(3))
    assert seen == [False, True, True]
    assert level() is None


@proves("torch._assert_async")
def test_an_assertion_carries_its_text(torch):
    torch._assert_async(torch.tensor(True), "fine")
    with pytest.raises(RuntimeError, match="what is wrong"):
        torch._assert_async(torch.tensor(False), "what is wrong")


@proves("torch._foreach_copy_")
def test_several_tensors_are_overwritten(torch):
    targets = [torch.zeros(2), torch.zeros(3, dtype=torch.int64)]
    memory = [each.data_ptr() for each in targets]
    torch._foreach_copy_(targets, [torch.ones(2), torch.arange(3)], non_blocking=True)
    assert [each.tolist() for each in targets] == [[1, 1], [0, 1, 2]]
    assert [each.data_ptr() for each in targets] == memory


@proves("torch.utils.data.DataLoader._tasks_outstanding")
@pytest.mark.filterwarnings("ignore:.*multi-threaded.*fork.*:DeprecationWarning")
def test_an_iterator_knows_what_its_workers_have_begun():
    import torch

    iterator = iter(torch.utils.data.DataLoader(range(4), num_workers=1))
    assert iterator._tasks_outstanding == 2
    assert len(list(iterator)) == 4
    assert iterator._tasks_outstanding == 0


@proves("torch.UntypedStorage._new_shared", "torch.UntypedStorage._share_fd_cpu_")
def test_shared_memory_is_made_and_has_a_file(torch):
    storage = torch.UntypedStorage._new_shared(16)
    assert (storage.nbytes(), storage.is_shared(), str(storage.device)) == (16, True, "cpu")
    values = torch.empty(0, dtype=torch.uint8).set_(storage).fill_(0)
    if torch.multiprocessing.get_sharing_strategy() != "file_descriptor":
        pytest.skip("shared memory has no file descriptor on this system")
    file, size = storage._share_fd_cpu_()
    assert size == 16
    os.pwrite(file, b"\x05\x06", 4)
    assert values.tolist() == [0, 0, 0, 0, 5, 6, *[0] * 10]
    assert storage._share_fd_cpu_()[0] == file  # the memory's own: whoever asks must not close it


@proves("torch.Tensor._base")
def test_views_know_their_base(torch):
    base = torch.ones(4)
    assert base._base is None
    assert base[:2]._base is base


@proves("torch.nn.Module._modules")
def test_children_are_an_attribute(torch):
    child = torch.nn.ReLU()
    module = torch.nn.Sequential(child)
    assert list(vars(module)["_modules"].values()) == [child]


# ------------------------------------------------------------------------------------------ torchvision


@pytest.fixture
def v2() -> Any:
    return pytest.importorskip("torchvision.transforms.v2", reason="torchvision is not installed")


@proves("torchvision.transforms.v2._utils._parse_labels_getter")
def test_getters_of_the_host_are_known_again(v2):
    from torchvision.transforms.v2._utils import _parse_labels_getter as parsed

    assert parsed("default") is parsed("default")
    nothing = parsed(None)
    assert nothing is not parsed(None)  # which is why their code is compared
    assert nothing.__code__ is parsed(None).__code__
    assert nothing({"labels": 1}) is None


@pytest.mark.parametrize("name", ["SanitizeBoundingBoxes", "SanitizeKeyPoints"])
@proves("torchvision.transforms.v2.SanitizeBoundingBoxes._labels_getter")
def test_the_filter_asks_its_getter(v2, torch, name):
    from torchvision import tv_tensors

    boxes = tv_tensors.BoundingBoxes(torch.tensor([[0, 0, 9, 9], [5, 5, 5, 5]]), format="XYXY", canvas_size=(10, 10))
    points = tv_tensors.KeyPoints(torch.tensor([[[1.0, 1.0]], [[99.0, 99.0]]]), canvas_size=(10, 10))
    sanitize = getattr(v2, name)()
    sanitize._labels_getter = lambda inputs: inputs["order"]
    objects = {"boxes": boxes} if name == "SanitizeBoundingBoxes" else {"points": points}
    assert sanitize(objects | {"order": torch.arange(2)})["order"].tolist() == [0]


@proves("torchvision.transforms.functional.pil_modes_mapping")
def test_modes_have_numbers(v2):
    from torchvision.transforms.functional import pil_modes_mapping

    assert set(pil_modes_mapping) == set(v2.InterpolationMode)
    assert all(isinstance(number, int) for number in pil_modes_mapping.values())


# ------------------------------------------------------------------------------------------ Albumentations


@pytest.fixture
def albumentations() -> Any:
    return pytest.importorskip("albumentations", reason="albumentations is not installed")


@proves("albumentations.Compose._additional_targets", "albumentations.Compose._is_valid_key")
@proves("albumentations.Compose._available_keys")
def test_a_compose_knows_its_names(albumentations):
    compose = albumentations.Compose(
        [albumentations.HorizontalFlip()], additional_targets={"left": "image"}, strict=True
    )
    assert set(compose._additional_targets) == {"left"}
    assert [compose._is_valid_key(name) for name in ("image", "left", "lefft")] == [True, True, False]
    assert {"image", "mask", "left"} <= set(compose._available_keys)
    image = np.zeros((4, 4, 3), np.uint8)
    with pytest.raises(ValueError, match="lefft"):
        compose(image=image, lefft=image)


@proves("albumentations.Compose._strict", "albumentations.BasicTransform._key2func")
@proves("albumentations.Compose._images_was_list", "albumentations.Compose._masks_was_list")
def test_calls_and_containers_leave_attributes(albumentations):
    flip = albumentations.HorizontalFlip()
    compose = albumentations.Compose([flip], strict=True)
    assert {"_strict", "_images_was_list", "_masks_was_list"} <= set(vars(compose))
    assert {"_strict", "_key2func"} <= set(vars(flip))


@proves("albumentations.Compose.to_dict_private")
def test_what_is_written_is_asked_of_the_pipeline(albumentations):
    class Told(albumentations.Compose):
        def to_dict_private(self):
            return super().to_dict_private() | {"told": 3}

    assert albumentations.to_dict(Told([albumentations.HorizontalFlip()]))["transform"]["told"] == 3


@proves("albumentations.core.keypoints_utils.keypoint_formats")
def test_formats_of_keypoints_are_listed(albumentations):
    from albumentations.core.keypoints_utils import keypoint_formats

    assert {"xy", "yx", "xya", "xys", "xyas", "xysa"} <= set(keypoint_formats)


@proves("albumentations.BasicTransform.InitSchema")
def test_arguments_are_checked_by_a_model(albumentations):
    probability = albumentations.HorizontalFlip.InitSchema.model_fields["p"]
    bounds = {key: getattr(rule, key) for rule in probability.metadata for key in ("ge", "le") if hasattr(rule, key)}
    assert probability.annotation is float
    assert bounds == {"ge": 0, "le": 1}


# ------------------------------------------------------------------------------------------ Python


class Pickled:
    """Tells whether it is pickled for a process that starts; comes there as nothing."""

    def __init__(self) -> None:
        self.starting: list[bool] = []

    def __reduce__(self) -> tuple[Callable[..., None], tuple[()]]:
        from multiprocessing.context import get_spawning_popen

        self.starting.append(get_spawning_popen() is not None)
        return type(None), ()


@proves("multiprocessing.context.get_spawning_popen")
def test_a_process_that_starts_is_seen():
    import copy
    import multiprocessing

    argument = Pickled()
    copy.copy(argument)
    process = multiprocessing.get_context("spawn").Process(target=bool, args=(argument,))
    process.start()
    process.join()
    copy.copy(argument)
    assert (argument.starting, process.exitcode) == ([False, True, False], 0)


@proves("sys._getframe")
def test_frames_know_their_callers():
    import sys

    def inner():
        return sys._getframe(1)

    assert inner() is sys._getframe()
    assert inner().f_globals["__name__"] == __name__
