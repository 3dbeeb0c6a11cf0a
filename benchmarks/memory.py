"""How much memory a call takes at its peak: ``python benchmarks/memory.py``. Linux only.

The kernel keeps the high-water mark of a process's resident memory, whoever asked for it: torch, NumPy, OpenCV or
anything else. It is set back before a call, after all freed memory was returned, and read afterwards. The process
is a fresh one, and a first call has loaded everything.
"""

from __future__ import annotations

import argparse
import ctypes
import gc
import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

from harness import Case, Settings

SIZE, SIDE, CLASSES = 16, 512, 10
SECTION = f"Memory at the peak, {SIZE} x 3 x {SIDE} x {SIDE} float32"
METHODS = ("MixUp", "CutMix")
STATUS, RESET = Path("/proc/self/status"), Path("/proc/self/clear_refs")


class Peak(NamedTuple):
    """What one call took beyond what was there before it, in bytes.

    Attributes:
        name: The call.
        extra: At the peak.
        output: Of which the result's images; 0 in place.
        sample: One image.
        threads: That the call may use.
    """

    name: str
    extra: int
    output: int
    sample: int
    threads: int

    @property
    def rest(self) -> float:
        """Beyond the output, in samples for every thread."""
        return (self.extra - self.output) / self.sample / self.threads


def status(name: str) -> int:
    """A line of the process's status, in bytes."""
    line = next(line for line in STATUS.read_text().splitlines() if line.startswith(f"{name}:"))
    return 1024 * int(line.split()[1])


def peak(call: Callable[[], Any]) -> int:
    """Bytes by which resident memory grows, at the most, while a call runs."""
    call()
    gc.collect()
    ctypes.CDLL(None).malloc_trim(0)
    RESET.write_text("5")
    before = status("VmRSS")
    result = call()
    after = status("VmHWM")
    del result
    return after - before


def peaks(size: int, side: int) -> Iterator[Peak]:
    """Ours with tensors and arrays, in place and not, and the peers."""
    import numpy as np
    import torch
    from batches import Work, contenders
    from peers import PEERS

    import mixtransforms

    threads = torch.get_num_threads()
    for method in METHODS:
        images = torch.rand(size, 3, side, side)
        sample = images[0].nbytes
        for one in contenders(Work(method, size, side), images, images.clone()):
            inplace = "in place" in one.name or one.name == "copy_" or (one.name in PEERS and PEERS[one.name].inplace)
            yield Peak(f"{method}: {one.name}", peak(one.call), 0 if inplace else images.nbytes, sample, threads)
        arrays = np.ascontiguousarray(images.permute(0, 2, 3, 1).numpy())
        labels = np.arange(size) % CLASSES
        for inplace in (False, True):
            mix = getattr(mixtransforms, method)(alpha=1.0, num_classes=CLASSES, inplace=inplace)
            name = f"{method}: ours, arrays{' in place' if inplace else ''}"
            yield Peak(name, peak(partial(mix, arrays, labels)), 0 if inplace else arrays.nbytes, sample, threads)


class Peaks(NamedTuple):
    """The peaks of all calls."""

    of: dict[str, Peak]

    def records(self) -> list[dict[str, Any]]:
        """Plain data, one dict a call."""
        return [each._asdict() | {"rest_in_samples_per_thread": each.rest} for each in self.of.values()]


def measure(settings: Settings) -> Peaks:
    """In a process of its own."""
    size, side = settings.size(SIZE, 4), settings.size(SIDE, 64)
    command = [sys.executable, __file__, "--json", "--size", str(size), "--side", str(side)]
    written = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    return Peaks({line["name"]: Peak(**line) for line in json.loads(written)})


def cases() -> list[Case]:
    """The one case of memory, where the kernel tells it."""
    return [Case("memory", SECTION, "peaks", measure)] if RESET.exists() else []


def main() -> None:
    import peers

    parser = argparse.ArgumentParser(description="Memory of a call at its peak, beyond what was there before.")
    parser.add_argument("--size", type=int, default=SIZE, help="samples of the batch")
    parser.add_argument("--side", type=int, default=SIDE, help="pixels of a side")
    parser.add_argument("--json", action="store_true", help="as JSON")
    options = parser.parse_args()
    peers.quiet()
    found = peaks(options.size, options.side)
    if options.json:
        print(json.dumps([each._asdict() for each in found]))
        return
    print(f"{'call':40} {'peak MB':>9} {'output MB':>9} {'rest, samples a thread':>22}")
    for each in found:
        print(f"{each.name:40} {each.extra / 1e6:9.1f} {each.output / 1e6:9.1f} {each.rest:22.2f}", flush=True)


if __name__ == "__main__":
    main()
