"""Several methods in one figure of shares."""

import numpy as np
import pytest

from mixtransforms import CutMix, InputError, MixUp, Ramp, show

pytest.importorskip("matplotlib")


def texts(figure):
    return " ".join(text.get_text() for text in figure.texts)


def lines(axes):
    """The outlines of histograms, by name."""
    return {patch.get_label(): patch.get_data().values for patch in axes.patches if hasattr(patch, "get_data")}


def test_every_alpha_has_its_line():
    alphas = (0.1, 0.2, 0.4, 1.0)
    figure = show.weights({f"alpha {alpha}": MixUp(alpha) for alpha in alphas})
    (axes,) = figure.axes
    drawn = lines(axes)
    assert list(drawn) == [f"alpha {alpha}" for alpha in alphas]
    ends = [values[0] + values[-1] for values in drawn.values()]
    assert ends == sorted(ends, reverse=True)  # the smaller alpha, the fewer samples are evenly blended
    np.testing.assert_allclose(drawn["alpha 1.0"], 0.05, atol=0.01)  # Beta(1, 1) is uniform
    assert [text.get_text() for text in axes.get_legend().get_texts()] == list(drawn)
    assert "alpha 0.4: a sample keeps 50% of itself on average" in texts(figure).replace("\n", " ")


def test_lines_are_those_of_each_method_alone():
    for method in (MixUp(0.4), CutMix(), CutMix(p=0.5)):
        (drawn,) = lines(show.weights({"it": method}).axes[0]).values()
        bars = [patch.get_height() for patch in show.weights(method).axes[0].patches if hasattr(patch, "get_height")]
        np.testing.assert_allclose(drawn, bars)


def test_pastes_have_a_chart_of_their_own():
    assert len(show.weights({"MixUp": MixUp(), "CutMix": CutMix()}).axes) == 2
    assert len(show.weights({"MixUp": MixUp()}).axes) == 1


def test_the_epoch_is_told():
    figure = show.weights({"ramp": MixUp(0.4, p=Ramp(0, 1, 0, 4))}, epoch=2)
    assert "epoch 2" in texts(figure)
    assert "50% not at all" in texts(figure).replace("\n", " ")


def test_what_is_no_method_is_refused():
    with pytest.raises(InputError, match="No method to draw"):
        show.weights({"a": 3})
    with pytest.raises(InputError, match="No method to draw"):
        show.weights({})
