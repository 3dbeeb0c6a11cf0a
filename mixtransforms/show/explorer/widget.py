"""The widget of the explorer: its controls, its picture, and the texts to copy."""

from __future__ import annotations

import base64
import html
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

import ipywidgets as widgets

from mixtransforms.core.errors import ConfigError, InputError, ParameterError, PlanError
from mixtransforms.methods.registry import METHODS
from mixtransforms.methods.schedules import LAST_EPOCH
from mixtransforms.mixing.options import SEED
from mixtransforms.mixing.transform import MixTransform
from mixtransforms.plan import Plan
from mixtransforms.show.explorer import controls
from mixtransforms.show.explorer.controls import FULL_WIDTH, LABEL_STYLE, Control, MethodPanel, Plain
from mixtransforms.show.explorer.subject import Drawn, StartingPoint, Subject, fresh
from mixtransforms.show.style import VERMILLION

# Inherited colours follow the theme of the notebook, light or dark.
_AREA = (
    "width:100%; box-sizing:border-box; padding:4px 6px; border:1px solid #8888; resize:vertical; "
    "font:12px/1.4 monospace; color:inherit; background:transparent"
)

_ERROR = f"border-left:4px solid {VERMILLION}; padding:2px 8px; margin:0 0 8px 0; line-height:1.4; white-space:normal"

# An old command, which needs no permission and also works where a page is not encrypted.
_COPY = (
    "const area = this.parentNode.querySelector('textarea'); area.select(); "
    "this.textContent = document.execCommand('copy') ? 'Copied' : 'Selected: copy it with the keyboard'"
)


class Explorer:
    """Controls, and the picture of what they choose; :func:`mixtransforms.show.explore` makes it.

    What it tells is of the picture: while an error is shown, of the last one that could be drawn.

    Attributes:
        batch: The samples that are mixed.
        widget: All of it, for a layout of one's own.
    """

    def __init__(self, subject: Subject, start: StartingPoint) -> None:
        """Draws the first picture.

        Raises:
            InputError: The first transform does not take the batch.
        """
        self.batch, self._subject = subject.batch, subject
        self._choices = _common_controls(subject, start, self._switch, self._redraw)
        self._panels = {start.name: MethodPanel(METHODS[start.name], start.values, self._redraw)}
        self._above, self._epoch = widgets.HBox(layout=controls.FLOWING), self._choices["epoch"].widget
        self._next = widgets.Button(
            description="Next draw", tooltip="The seed goes on by one.", layout=controls.SLIDER_WIDTH
        )
        self._next.on_click(self._draw_next)
        self._message, self._picture, self._texts = (widgets.HTML(layout={"width": "auto"}) for _ in range(3))
        self.widget = widgets.VBox([self._above, self._message, self._picture, self._texts])
        self._switch_panel()
        self._show(subject.draw(self._chosen(), self._choices["epoch"].value))

    # ------------------------------------------------------------------------------------------ what is chosen

    @property
    def transform(self) -> MixTransform:
        """The transform, at every access a new one before its first draw."""
        return fresh(self._drawn.transform, self._drawn.epoch)

    @property
    def plan(self) -> Plan:
        """What it drew for :attr:`batch`."""
        return self._drawn.plan

    @property
    def json(self) -> str:
        """The transform as :func:`mixtransforms.to_json` writes it.

        Raises:
            ConfigError: It has an option that files have no form for.
        """
        from mixtransforms.files import to_json

        return to_json(self._drawn.transform)

    @property
    def controls(self) -> Mapping[str, Control]:
        """Every control by the name of its parameter; their ``value`` can be read and set.

        Beside the parameters of the method that is chosen these are ``method``, ``seed`` and ``epoch``.
        """
        return MappingProxyType({**self._choices, **self._panel.controls})

    def close(self) -> None:
        """Takes it from the notebook, and frees what it holds there; what was chosen can still be asked for."""
        parts = [part for panel in self._panels.values() for part in panel.parts]
        parts += [part for control in self._choices.values() for part in control.parts]
        for part in dict.fromkeys([*controls.widgets_within(self.widget), *parts]):
            for own in (part.layout, getattr(part, "style", None), part):
                if own is not None:
                    own.close()

    def __repr__(self) -> str:
        return f"<Explorer of {self._drawn.transform!r}>"

    def _repr_mimebundle_(self, **options: Any) -> dict[str, Any]:
        """The widget, and for pages that have no kernel the picture as it is now."""
        live = {} if self.widget.comm is None else self.widget._repr_mimebundle_(**options)
        return {**live, "image/png": self._png, "text/plain": repr(self)}

    # ------------------------------------------------------------------------------------------ what follows

    @property
    def _panel(self) -> MethodPanel:
        return self._panels[self._choices["method"].value]

    def _chosen(self) -> MixTransform:
        return self._subject.transform(self._choices["method"].value, self._panel.values, self._choices["seed"].value)

    def _switch(self) -> None:
        self._switch_panel()
        self._redraw()

    def _switch_panel(self) -> None:
        name = self._choices["method"].value
        if name not in self._panels:
            self._panels[name] = MethodPanel(METHODS[name], {}, self._redraw)
        seed = self._choices["seed"].widget
        self._above.children = (self._choices["method"].widget, *self._panel.widgets, seed, self._next, self._epoch)

    def _draw_next(self, _: Any = None) -> None:
        seed = self._choices["seed"]
        if isinstance(seed.value, int):
            seed.value = (seed.value + 1) % 2**64
        else:  # without a seed every draw is another one
            self._redraw()

    def _redraw(self) -> None:
        try:
            drawn = self._subject.draw(self._chosen(), self._choices["epoch"].value)
        except (InputError, ParameterError, PlanError) as reason:
            self._message.value = f"<div role='alert' style='{_ERROR}'>{html.escape(str(reason))}</div>"
            self._picture.value = self._image(faded=True)
            return
        self._show(drawn)

    def _show(self, drawn: Drawn) -> None:
        self._drawn, self._png = drawn, base64.b64encode(drawn.figure._repr_png_()).decode("ascii")
        self._message.value = ""
        self._picture.value = self._image()
        self._texts.value = _text_to_copy("code", repr(drawn.transform)) + _text_to_copy("JSON", self._json_or_reason())
        controls.set_visible(self._epoch, drawn.transform.method.moves)

    def _image(self, *, faded: bool = False) -> str:
        alt, style = html.escape(self._drawn.figure.alt), f"max-width:100%; height:auto; opacity:{0.3 if faded else 1}"
        return f'<img src="data:image/png;base64,{self._png}" alt="{alt}" style="{style}">'

    def _json_or_reason(self) -> str:
        try:
            return self.json
        except ConfigError as reason:
            return str(reason)


def _common_controls(subject: Subject, start: StartingPoint, switch: Any, redraw: Any) -> dict[str, Control]:
    """What is chosen whatever the method is."""
    same = {"style": LABEL_STYLE, "layout": FULL_WIDTH}
    about = "Schedules have their value of this epoch."
    epoch = widgets.BoundedIntText(0, min=0, max=LAST_EPOCH, description="epoch", tooltip=about, **same)
    method = widgets.Dropdown(options=list(subject.classes), value=start.name, description="method", **same)
    return {
        "method": Plain(switch, method),
        "seed": controls.control_of("seed", SEED, None, start.seed, redraw),
        "epoch": Plain(redraw, epoch),
    }


def _text_to_copy(name: str, text: str) -> str:
    """A text with a button that copies it."""
    rows = min(text.count("\n") + 1 + len(text) // 110, 8)
    button = (
        f'<button type="button" class="jupyter-button" style="margin:0 0 2px 0" onclick="{_COPY}">Copy {name}</button>'
    )
    area = f'<textarea readonly aria-label="{name}" rows="{rows}" style="{_AREA}">{html.escape(text)}</textarea>'
    return f'<div style="margin:6px 0">{button}{area}</div>'
