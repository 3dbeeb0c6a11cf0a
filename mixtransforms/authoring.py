"""Everything that a mixing method is written with, in one import.

    >>> from dataclasses import dataclass
    >>> import numpy as np
    >>> from mixtransforms.authoring import NO_HINTS, PairMethod, alpha_field, beta_weights
    >>> @dataclass(frozen=True, repr=False)
    ... class Faint(PairMethod):
    ...     '''A blend in which the sample itself always has three quarters or more.'''
    ...     alpha: float = alpha_field(1.0, "1 draws every weight equally often.")
    ...     def draw(self, spec, rng, hints=NO_HINTS):
    ...         pairs = self.pairs(spec, rng, hints)
    ...         weight = pairs.pick(beta_weights(self.alpha, self.draws(spec), rng))
    ...         return self.paint(spec, pairs, (1 - weight) / 4)
    >>> from mixtransforms import BatchSpec
    >>> bool((Faint().draw(BatchSpec(8), np.random.default_rng(0)).weight >= 0.75).all())
    True

- *Classes*: :class:`PairMethod` gives every sample one partner, with ``p``, ``per`` and ``pairing``;
  :class:`SourcesMethod` gives it several, and says how many in ``most_sources``; :class:`Method` leaves all of that
  open. ``register`` makes a method known to files, and to the choices that hold it.
- *Fields*: ``number`` takes a number or a schedule, of which ``now`` is the value when something is drawn; ``choice``,
  ``flag``, ``interval``, ``optional_choice`` and ``optional_integer`` take less, ``parameter`` whatever its check lets
  pass. ``mismatch`` is the error for fields that contradict each other.
- *Laws*: ``beta_weights`` draws from Beta(alpha, alpha), ``alpha_field`` is its parameter; ``weight_field`` takes
  another :class:`Law` in its place, and ``check_alone`` refuses both. ``part_field`` takes a law or a number.
- *Plans*: a :class:`Plan` of :class:`Layer` objects, each everywhere, in :class:`Boxes` or through a :class:`Mask`;
  ``PairMethod.paint`` and ``pair_plan`` make one of a single layer. On a :class:`Canvas`, results are of another size
  than samples, or have places where nobody is shown; such a method says so in ``output``.
- *Hints*: what ``needs`` names, such as ``{"classes": ids}``, as NumPy arrays; :data:`HINTS` names all of them, and
  ``"value:NAME"`` is any value of the batch.

How many numbers a draw takes must not depend on ``p`` or on what was drawn before; a law that takes an uncertain number
of them has a generator of its own, as ``beta_weights`` has. Modules that define fields have no ``from __future__ import
annotations``: signatures show types, not strings.
"""

import importlib
from typing import Any

_TOOLS = {
    "core.canvas": "Canvas",
    "core.errors": "InputError ParameterError",
    "core.fields": "KW_ONLY choice flag interval listed mismatch optional optional_choice optional_integer parameter",
    "core.layers": "BoolArray Boxes FloatArray IntArray Layer Mask",
    "methods.base": "HINTS Method NO_HINTS Output PairMethod Pairs SourcesMethod pair_plan require_axes",
    "methods.laws": "Law alpha_field beta_weights check_alone part_field weight_field",
    "methods.pairing": "Hints",
    "methods.registry": "register",
    "methods.schedules": "Schedule now number",
    "plan": "BatchSpec Plan",
}
_HOME_OF_TOOL = {name: home for home, names in _TOOLS.items() for name in names.split()}

__all__ = sorted(_HOME_OF_TOOL)  # noqa: PLE0605  (the table is the list)


def __getattr__(name: str) -> Any:
    # Only now: the package's own methods may use this module, too, and are loaded together with what is named here.
    if name not in _HOME_OF_TOOL:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(f"mixtransforms.{_HOME_OF_TOOL[name]}"), name)


def __dir__() -> list[str]:
    return __all__
