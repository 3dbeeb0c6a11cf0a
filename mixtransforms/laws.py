"""Laws of weights: ``MixUp(weight=Uniform(0.45, 0.55))``.

A law stands where ``alpha`` does, which is short for ``Beta(alpha, alpha)``. Its parameters may be schedules.
"""

from mixtransforms.methods.laws import Beta, Constant, Law, Uniform

__all__ = ["Beta", "Constant", "Law", "Uniform"]
