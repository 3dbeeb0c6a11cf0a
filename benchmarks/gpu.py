"""Mixing on a GPU against its bare copy: ``python benchmarks/gpu.py``. Where there is none, one line says so.

For float16 images (256, 3, 224, 224), printed or with ``--out benchmarks`` written into ``benchmarks/RESULTS.md``: the
share of the measured bandwidth of a copy, of all bytes that the work must at least move (a blend reads two batches and
writes one); launches of kernels, and synchronisations of the host with the device, in one call. ``--device cpu`` runs
everything on the CPU, to see that it runs: it counts operators for launches, and no synchronisations.
"""

from __future__ import annotations

import argparse
import statistics
import time
import warnings
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import peers
import report
import torch

SHAPE = (256, 3, 224, 224)
CLASSES = 1000
METHODS = ("MixUp", "CutMix")
MEAN, STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)

Call = Callable[[], Any]


class Way(NamedTuple):
    """One way to do the work.

    Attributes:
        name: Of the row.
        call: Does it once.
        bytes: That it must at least read and write.
    """

    name: str
    call: Call
    bytes: int


class Options(NamedTuple):
    """Where and how long to measure.

    Attributes:
        device: ``"cuda"`` or ``"cpu"``.
        shape: Of the batch.
        turns: Whose median is told.
        backend: Of ``torch.compile``.
    """

    device: str
    shape: tuple[int, ...]
    turns: int
    backend: str


def seconds(call: Call, options: Options) -> float:
    """The median time of a call on its device, once it is warm."""
    for _ in range(3):
        call()
    once = _on_host if options.device == "cpu" else _on_device
    return statistics.median(once(call) for _ in range(options.turns))


def _on_host(call: Call) -> float:
    start = time.perf_counter()
    call()
    return time.perf_counter() - start


def _on_device(call: Call) -> float:
    start, stop = (torch.cuda.Event(enable_timing=True) for _ in range(2))
    torch.cuda.synchronize()
    start.record()
    call()
    stop.record()
    torch.cuda.synchronize()
    return start.elapsed_time(stop) / 1e3


def launches(call: Call, options: Options) -> int:
    """Kernels that one call launches, copies among them; on the CPU operators that are called directly."""
    from torch.autograd import DeviceType
    from torch.profiler import ProfilerActivity, profile

    call()
    activity = ProfilerActivity.CPU if options.device == "cpu" else ProfilerActivity.CUDA
    with profile(activities=[activity]) as seen:
        call()
        if options.device != "cpu":
            torch.cuda.synchronize()
    events = seen.events() or []
    if options.device == "cpu":
        return sum(event.cpu_parent is None for event in events)
    return sum(event.device_type == DeviceType.CUDA for event in events)


def synchronisations(call: Call, options: Options) -> int | None:
    """How often one call waits for the device; ``None`` on the CPU, where nobody waits."""
    call()
    if options.device == "cpu":
        return None
    torch.cuda.synchronize()
    mode = torch.cuda.get_sync_debug_mode()
    torch.cuda.set_sync_debug_mode("warn")
    try:
        with warnings.catch_warnings(record=True) as told:
            warnings.simplefilter("always")
            call()
    finally:
        torch.cuda.set_sync_debug_mode(mode)
    return sum("synchroniz" in str(warning.message) for warning in told)


class Inputs(NamedTuple):
    """What stays on the device: bytes, class ids, and the factors and offsets (3, 1, 1) that normalise bytes.

    ``v2.Normalize`` copies its numbers to the device in every call, which waits for it.
    """

    images: torch.Tensor
    labels: torch.Tensor
    factor: torch.Tensor
    offset: torch.Tensor


def inputs(options: Options) -> Inputs:
    """Random images."""
    images = torch.randint(256, options.shape, dtype=torch.uint8)
    mean, std = (torch.tensor(values)[:, None, None] for values in (MEAN, STD))
    labels = torch.arange(len(images)) % CLASSES
    return Inputs(*(tensor.to(options.device) for tensor in (images, labels, 1 / (255 * std), -mean / std)))


def prepare(given: Inputs, tensors: Any) -> tuple[torch.Tensor, torch.Tensor]:
    """Mixed, normalised halves with soft labels."""
    from mixtransforms.torchvision import functional

    mixed = functional.mix(given.images, tensors)
    labels = functional.mix_labels(given.labels, tensors, num_classes=CLASSES)
    return (mixed * given.factor + given.offset).half(), labels


def compiled(function: Any, options: Options) -> Any:
    """One graph, or an error."""
    return torch.compile(function, fullgraph=True, backend=options.backend)


class Graph:
    """A call captured once, which is replayed with new plans.

    Args:
        given: Read where they lie.
        tensors: Of some plan; copied.
        function: Takes the two.
    """

    def __init__(self, given: Inputs, tensors: Any, function: Any) -> None:
        self.static = tensors.clone()
        self._function = partial(function, given, self.static)
        self._graph: Any = None
        if given.images.is_cuda:
            self._capture()

    def _capture(self) -> None:
        stream = torch.cuda.Stream()
        stream.wait_stream(torch.cuda.current_stream())
        with torch.cuda.stream(stream):
            for _ in range(3):
                self._function()
        torch.cuda.current_stream().wait_stream(stream)
        self._graph = torch.cuda.CUDAGraph()
        with torch.cuda.graph(self._graph):
            self._result = self._function()

    def __call__(self, tensors: Any) -> Any:
        """The result for another plan; it is overwritten by the next call."""
        self.static.copy_(tensors)
        if self._graph is None:
            return self._function()
        self._graph.replay()
        return self._result


def checked(graph: Graph, given: Inputs, tensors: Any) -> None:
    """Compares what a captured call returns for a plan that it was not captured with.

    Raises:
        RuntimeError: It is another result.
    """
    for got, wanted in zip(graph(tensors), prepare(given, tensors), strict=True):
        # Half floats differ in their last digit, where the order of operations does.
        if not torch.allclose(got.float(), wanted.float(), rtol=2e-3, atol=2e-3):
            raise RuntimeError("The captured call returns something else than the same functions called one by one")


def ways(method: str, options: Options) -> list[Way]:
    """All ways to mix one batch."""
    import mixtransforms.torchvision as door
    from mixtransforms.torchvision import functional

    given = inputs(options)
    half, labels = given.images.half() / 255, given.labels
    scratch = half.clone()
    transform = getattr(door, method)(alpha=1.0, num_classes=CLASSES)
    inplace = getattr(door, method)(alpha=1.0, num_classes=CLASSES, inplace=True)
    plan, other = transform.plan(half, labels), transform.plan(half, labels)
    tensors, full = (plan.tensors(options.device, full=full) for full in (False, True))
    mix, fused = compiled(functional.mix, options), compiled(prepare, options)
    graph = Graph(given, full, fused)
    checked(graph, given, other.tensors(options.device, full=True))

    blend, to_half = 3 * half.nbytes, 2 * given.images.nbytes + half.nbytes
    calls: list[tuple[str, Call, int]] = [
        ("the transform, with labels", partial(transform, half, labels), blend),
        ("the transform in place, with labels", partial(inplace, scratch, labels), blend),
        ("draw a plan, and its tensors", lambda: transform.plan(half, labels).tensors(options.device), 0),
        ("functional.mix", partial(functional.mix, half, tensors), blend),
        ("functional.mix, compiled", partial(mix, half, full), blend),
        ("uint8 to normalised half, with labels", partial(prepare, given, full), to_half),
        ("the same, compiled", partial(fused, given, full), to_half),
        ("the same, compiled and captured", partial(graph, full), to_half),
    ]
    return [Way(f"{method}: {name}", *rest) for name, *rest in calls]


def row(way: Way, bandwidth: float, options: Options) -> dict[str, Any]:
    """What one way takes; ``share`` is of the bandwidth of a copy."""
    taken = seconds(way.call, options)
    share = way.bytes / taken / bandwidth if way.bytes else None
    counts = {"launches": launches(way.call, options), "synchronisations": synchronisations(way.call, options)}
    return {"name": way.name, "median_ms": 1e3 * taken, "share": share} | counts


def rows(options: Options) -> list[dict[str, Any]]:
    """The copy, and every way against it."""
    images = torch.rand(options.shape, device=options.device).half()
    target = torch.empty_like(images)
    copy = Way("copy_", partial(target.copy_, images), 2 * images.nbytes)
    bandwidth = copy.bytes / seconds(copy.call, options)
    found = [row(copy, bandwidth, options) | {"bandwidth_gb_s": bandwidth / 1e9}]
    for method in METHODS:
        found += [row(way, bandwidth, options) for way in ways(method, options)]
    return found


def markdown(found: Sequence[dict[str, Any]], about: dict[str, Any], options: Options) -> str:
    """The part of the page."""
    shape = " x ".join(map(str, options.shape))
    on = (
        torch.cuda.get_device_name()
        if options.device == "cuda"
        else "**a dry run on the CPU, whose figures mean nothing**"
    )
    start = f"{shape}, float16 where nothing else is said; {on}; a copy moves {found[0]['bandwidth_gb_s']:.0f} GB/s."
    lines = [
        [
            one["name"],
            f"{one['median_ms']:.3f}",
            "" if one["share"] is None else f"{one['share']:.0%}",
            str(one["launches"]),
            "" if one["synchronisations"] is None else str(one["synchronisations"]),
        ]
        for one in found
    ]
    names = ["", "median, ms", "share of the copy's bandwidth", "launches", "synchronisations"]
    return "\n".join(["## On a GPU", report.header(about), f"{start}\n", report.table(names, lines)])


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description="Mixing on a GPU against the bandwidth of a bare copy.")
    parser.add_argument("--device", choices=("cuda", "cpu"), default="cuda", help="cpu: a dry run")
    parser.add_argument("--size", type=int, default=SHAPE[0], help="samples of the batch")
    parser.add_argument("--side", type=int, default=SHAPE[-1], help="pixels of a side")
    parser.add_argument("--turns", type=int, default=50, help="calls whose median is told")
    parser.add_argument("--backend", default="inductor", help="of torch.compile")
    parser.add_argument("--out", type=Path, metavar="DIR", help=f"write {report.PAGE} and gpu.json there")
    given = parser.parse_args(arguments)
    if given.device == "cuda" and not torch.cuda.is_available():
        print("There is no GPU here; --device cpu runs everything on the CPU, to see that it runs.")
        return
    peers.quiet()
    options = Options(given.device, (given.size, 3, given.side, given.side), given.turns, given.backend)
    before = report.busy()
    found = rows(options)
    about = report.machine(before)
    text = markdown(found, about, options)
    if given.out is None:
        print(text)
    else:
        report.save(given.out, "gpu", text, {"machine": about, "rows": found})


if __name__ == "__main__":
    main()
