"""Array verbs, once for NumPy and once for torch, and the choice between them.

Images in host memory, of either backend, are painted by :mod:`~mixtransforms.kernels.rows`, sample by sample, and
small ones all at once, by two verbs. Tensors on a device, under autograd or in a traced graph are painted by
:mod:`~mixtransforms.kernels.tensor_painter`, as pure functions of tensors. Both backends have the same verbs, with the
same results:

===============  ========================================================================================
``host_view``    an array's memory as a NumPy array, where that is all there is to it; ``from_host`` undoes it
``reserved``     an empty batch
``blend_all``    whole small samples: ``(1 - opacity) * base + opacity * source``
``paste_all``    boxes of small samples, copied bit for bit
``resize``       crops of the sources resized into frames
``nearest``      the same by copies of the nearest cells
``soft_labels``  shares of classes, of class ids; ``combine`` of rows; ``pair`` leaves them apart
``astype``       values in another dtype
``union``        the largest of what is seen
``take``         some rows, copied; ``concat`` joins batches
``padded``       an array at the start of a larger one
``cast``         host values in the dtype, type and place of an array; ``like`` in its place alone
``typed``        an array in the type of another one
``to_host``      an array as NumPy's; ``readable`` whether that takes no waiting, ``expect`` checks where it would
===============  ========================================================================================

Weights of 0 and 1 select and never multiply, so that NaN and infinity stay where they are. Integer images are
blended with the weight rounded to 1/65536 and the result rounded half to even, which makes all backends equal bit
for bit; half types are blended in float32; other floats in their own precision.
"""

from __future__ import annotations

import functools
import importlib
from types import ModuleType


@functools.cache
def kernel_of(backend: str) -> ModuleType:
    """The module of verbs for ``"numpy"`` or ``"torch"``; imports the backend when it is first needed."""
    return importlib.import_module(f"mixtransforms.kernels.{backend}")
