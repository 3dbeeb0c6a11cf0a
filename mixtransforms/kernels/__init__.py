"""Array verbs, once for NumPy and once for torch, and the choice between them.

Images in host memory, of either backend, are painted by :mod:`~mixtransforms.kernels.rows`, sample by sample, and
small ones all at once, by two verbs. Tensors on a device, under autograd or in a traced graph are painted by
:mod:`~mixtransforms.kernels.tensor_painter`, as pure functions of tensors. Both backends have the same verbs, with the
same results:

================  ========================================================================================
``host_view``     an array's memory as a NumPy array, where that is all there is to it; ``from_host`` undoes it
``bits_view``     the bits of dtypes that NumPy has not; ``from_bits`` undoes it; torch's alone
``cells``         where an array lies in memory, for the kernel in C
``empty_like``    an array of the same form, which ``typed`` gives a type
``reserved``      an empty batch
``blender``       what blends one row of a dtype
``blend_all``     whole small samples: ``(1 - opacity) * base + opacity * source``
``paste_all``     boxes of small samples, copied bit for bit
``soft_labels``   shares of classes, of class ids; ``combine`` of rows; ``pair`` leaves them apart
``astype``        values in another dtype
``union``         the largest of what is seen
``take``          some rows, copied; ``concat`` joins batches, ``rows_together`` as a plain array;
                  ``split`` copies rows into several
``row``           one row, ``rows_of`` all of them, in the type of the batch
``padded``        an array at the start of a larger one
``axes_first``    a view with the mixed axes behind the batch
``asarray_like``  host values in the place of an array, ``placed_like`` without a copy; ``astype_like`` in its dtype and
                  type as well
``wrap_like``     an array in the type of another one, ``wrap_each`` of several; ``wrap_samples`` a batch in that of its
                  samples
``to_host``       an array as NumPy's; ``is_on_host`` whether that takes no waiting
``memory``        its bits, which are not converted
``assert_async``  what is checked on a device, which does not wait for it; torch's alone
================  ========================================================================================

How a blend is rounded is said in :mod:`~mixtransforms.kernels.blending`, which cells a resize reads and what they weigh
in :mod:`~mixtransforms.kernels.resampling`: one rule for all who paint, so that integers are equal bit for bit.
"""

from __future__ import annotations

import functools
import importlib
from types import ModuleType


@functools.cache
def kernel_of(backend: str) -> ModuleType:
    """The module of verbs for ``"numpy"`` or ``"torch"``; imports the backend when it is first needed."""
    return importlib.import_module(f"mixtransforms.kernels.{backend}")
