"""Controls of parameters, made from the rules of their fields: what a parameter accepts says how it is chosen."""

from __future__ import annotations

import dataclasses
import json
import math
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import ipywidgets as widgets

from mixtransforms.core import fields
from mixtransforms.core.errors import ParameterError
from mixtransforms.core.fields import RULE, Rule
from mixtransforms.methods.base import Method
from mixtransforms.methods.registry import METHODS

OnChange = Callable[[], None]

_WIDE_RANGE = 1e4
"""From this ratio of its ends on, a range is chosen by its logarithm."""

_DECADES = 2
"""How far such a slider goes on either side of the usual value; the text beside it goes further."""

# Of a control, of its text, and of the slider beside it: three controls fit beside each other on a wide page, and the
# longest name of a parameter into its label.
FULL_WIDTH, TEXT_WIDTH, SLIDER_WIDTH = {"width": "340px"}, {"width": "204px"}, {"width": "132px"}
LABEL_STYLE = {"description_width": "112px"}
FLOWING = {"flex_flow": "row wrap", "width": "auto"}
_LAST = {**FLOWING, "order": "1", "flex": "1 0 100%"}
_FULL_LINE = {"flex": "1 0 100%"}
_FRAMED = {"border_left": "3px solid #8888", "margin": "0 8px 8px 2px", "padding": "0 0 0 4px"}


class Control(ABC):
    """One parameter: what is shown for it, and its value.

    Attributes:
        widget: What is shown.
    """

    widget: Any

    def __init__(self, changed: OnChange, *sources: Any) -> None:
        self._changed, self._silent, self._last = changed, False, self.state()
        for source in sources:
            source.observe(self._report, "value")

    @property
    def value(self) -> Any:
        """What is chosen. The field may refuse it.

        Raises:
            ParameterError: It is made of methods, one of which refuses its own parameters.
        """
        return self._read()

    @value.setter
    def value(self, value: Any) -> None:
        self._silent = True  # several widgets may change, which is one change
        try:
            self._write(value)
        finally:
            self._silent = False
        self._report()

    @property
    def parts(self) -> tuple[Any, ...]:
        """All widgets that there are, shown or not."""
        return tuple(widgets_within(self.widget))

    @abstractmethod
    def _read(self) -> Any: ...

    @abstractmethod
    def _write(self, value: Any) -> None: ...

    def state(self) -> Any:
        """What tells whether anything has changed."""
        return self._read()

    def _report(self, _: Any = None) -> None:
        """Tells of a change once; it may come as events of several widgets."""
        if self._silent or (state := self.state()) == self._last:
            return
        self._last = state
        self._changed()


class Plain(Control):
    """A choice or a flag: one widget, whose value it is."""

    def __init__(self, changed: OnChange, widget: Any) -> None:
        self.widget = widget
        super().__init__(changed, widget)

    def _read(self) -> Any:
        return self.widget.value

    def _write(self, value: Any) -> None:
        self.widget.value = value


class Literal(Control):
    """Anything that files have a form for, written as there; an empty text is ``None``."""

    def __init__(self, changed: OnChange, value: Any, layout: Mapping[str, str] = FULL_WIDTH, **told: str) -> None:
        self._text = widgets.Text(_to_text(value), continuous_update=False, style=LABEL_STYLE, layout=layout, **told)
        self.widget = self._text
        super().__init__(changed, self._text)

    def _read(self) -> Any:
        return _from_text(self._text.value)

    def _write(self, value: Any) -> None:
        self._text.value = _to_text(value)


class Number(Literal):
    """A number: a slider, and beside it the text, which also takes what is beyond the slider's ends, and schedules."""

    def __init__(self, changed: OnChange, value: Any, slider: Any, **told: str) -> None:
        super().__init__(changed, value, TEXT_WIDTH, **told)
        self._slider, self._follows = slider, False
        self.widget = widgets.HBox([self._text, slider])
        self._follow()
        self._text.observe(self._follow, "value")
        slider.observe(self._lead, "value")

    def _lead(self, change: Any) -> None:
        if not self._follows:
            self._text.value = f"{change['new']:.3g}"

    def _follow(self, _: Any = None) -> None:
        """Moves the slider as near to the text as it goes; what is no number has the room to itself."""
        value = self._read()
        known = isinstance(value, (int, float)) and math.isfinite(value)
        set_visible(self._slider, known)
        self._text.layout.width = (TEXT_WIDTH if known else FULL_WIDTH)["width"]
        if not known:
            return
        low, high = self._slider.min, self._slider.max
        if isinstance(self._slider, widgets.FloatLogSlider):
            low, high = 10.0**low, 10.0**high
        self._follows = True
        self._slider.value = min(max(value, low), high)
        self._follows = False


class Span(Control):
    """Two numbers, the lower first, or ``None``."""

    def __init__(self, changed: OnChange, value: Any, ends: tuple[float, float], **told: str) -> None:
        low, high = ends
        usual = (low + (high - low) / 4, low + (high - low) / 2)
        self._ticked = widgets.Checkbox(value is not None, style=LABEL_STYLE, layout=FULL_WIDTH, **told)
        self._slider = widgets.FloatRangeSlider(
            value=value or usual, min=low, max=high, step=(high - low) / 100, continuous_update=False, layout=FULL_WIDTH
        )
        self.widget = widgets.VBox([self._ticked, self._slider])
        self._show()
        self._ticked.observe(self._show, "value")
        super().__init__(changed, self._ticked, self._slider)

    def _show(self, _: Any = None) -> None:
        set_visible(self._slider, self._ticked.value)

    def _read(self) -> Any:
        return tuple(self._slider.value) if self._ticked.value else None

    def _write(self, value: Any) -> None:
        if value is not None:
            self._slider.value = tuple(value)
        self._ticked.value = value is not None


_USUAL = frozenset({"CutMix", "MixUp"})
"""The choice of most recipes: what is ticked where nobody has chosen."""


class Children(Control):
    """Some of the other methods, each with parameters of its own."""

    def __init__(self, changed: OnChange, value: Sequence[Method] | None, description: str, tooltip: str) -> None:
        given = [(type(method), fields.values(method)) for method in value or ()]
        named = {cls for cls, _ in given}
        others = [cls for cls in METHODS.values() if cls not in named and not _chooses(cls)]
        self._entries = [
            _MethodEntry(cls, values, self._report) for cls, values in [*given, *((cls, {}) for cls in others)]
        ]
        label = widgets.Label(f"{description}:", tooltip=tooltip, layout=_FULL_LINE)
        self.widget = widgets.HBox([label, *(entry.widget for entry in self._entries)], layout=_LAST)
        usual = [entry for entry in self._entries if entry.method.__name__ in _USUAL]
        for entry in self._entries[: len(given)] or usual:
            entry.tick.value = True
        super().__init__(changed, *(entry.tick for entry in self._entries))

    @property
    def parts(self) -> tuple[Any, ...]:
        """Its own widgets and those of every panel that was opened."""
        panels = [entry.panel for entry in self._entries if entry.panel]
        return (*super().parts, *(part for panel in panels for part in panel.parts))

    def _ticked(self) -> list[MethodPanel]:
        return [entry.panel for entry in self._entries if entry.tick.value and entry.panel]

    def _read(self) -> Any:
        return tuple(panel.method(**panel.values) for panel in self._ticked())

    def state(self) -> Any:
        """The methods that are ticked, each with the state of its panel."""
        return [(panel.method, panel.states) for panel in self._ticked()]

    def _write(self, value: Sequence[Method]) -> None:
        rest = list(value)
        for entry in self._entries:
            method = next((method for method in rest if isinstance(method, entry.method)), None)
            entry.tick.value = method is not None
            if method is not None and entry.panel is not None:
                rest.remove(method)
                entry.panel.values = {name: getattr(method, name) for name in entry.panel.controls}
        if rest:
            wanted = "each of " + ", ".join(entry.method.__name__ for entry in self._entries) + " at most once"
            fix = "Begin with it: show.explore(batch, method=OneOf([...]))."
            got = repr(rest[0])
            raise ParameterError("No place for a method", where="controls", got=got, wanted=wanted, fix=fix)


class _MethodEntry:
    """A method that may be ticked; its parameters are there once it was."""

    def __init__(self, method: type[Method], values: Mapping[str, Any], changed: OnChange) -> None:
        self.method = method
        self.panel: MethodPanel | None = None
        self.tick = widgets.Checkbox(False, description=method.__name__, tooltip=_summary(method), indent=False)
        self.widget = widgets.VBox([self.tick], layout=_FRAMED)
        self._values, self._changed = values, changed
        self.tick.observe(self._show, "value")

    def _show(self, _: Any = None) -> None:
        if self.panel is None:
            self.panel = MethodPanel(self.method, self._values, self._changed)
        shown = self.panel.widgets if self.tick.value else ()
        self.widget.children = (self.tick, *shown)


class MethodPanel:
    """All parameters of a method.

    Attributes:
        method: Its class.
        controls: The controls by the name of the parameter.
    """

    def __init__(self, method: type[Method], given: Mapping[str, Any], changed: OnChange) -> None:
        ordered = sorted(dataclasses.fields(method), key=lambda item: item.kw_only is True)  # as in the signature
        self.method = method
        self.controls: dict[str, Control] = {}
        for item in ordered:
            if RULE in item.metadata:
                value = given.get(item.name, item.default)
                self.controls[item.name] = control_of(item.name, item.metadata[RULE], item.default, value, changed)

    @property
    def widgets(self) -> tuple[Any, ...]:
        """What is shown, one a parameter."""
        return tuple(control.widget for control in self.controls.values())

    @property
    def values(self) -> dict[str, Any]:
        """What is chosen; whether it is accepted, the constructor of the method says.

        Raises:
            ParameterError: As for :attr:`Control.value`.
        """
        return {name: control.value for name, control in self.controls.items()}

    @values.setter
    def values(self, values: Mapping[str, Any]) -> None:
        for name, value in values.items():
            self.controls[name].value = value

    @property
    def states(self) -> dict[str, Any]:
        """What tells whether anything has changed."""
        return {name: control.state() for name, control in self.controls.items()}

    @property
    def parts(self) -> tuple[Any, ...]:
        """All widgets that there are, shown or not."""
        return tuple(part for control in self.controls.values() for part in control.parts)


def control_of(name: str, rule: Rule, default: Any, value: Any, changed: OnChange) -> Control:
    """The control that fits what a parameter accepts.

    Args:
        name: The parameter.
        rule: What it accepts.
        default: Its default; ``dataclasses.MISSING`` where it has none.
        value: The value to begin with, alike.
        changed: Called after every change.
    """
    default, value = (None if each is dataclasses.MISSING else each for each in (default, value))
    told: dict[str, Any] = {"description": name, "tooltip": f"{rule.doc} Accepts {rule.wanted}."}
    forms: list[Mapping[str, Any]] = list(rule.schema.get("anyOf", [rule.schema]))
    for form in forms:
        if "enum" in form:
            more = [] if value in form["enum"] else [value]  # what stands in the place of a name
            options = [(str(option), option) for option in [*form["enum"], *more]]
            return Plain(
                changed, widgets.Dropdown(options=options, value=value, style=LABEL_STYLE, layout=FULL_WIDTH, **told)
            )
        if form.get("type") == "boolean":
            return Plain(changed, widgets.Checkbox(value, style=LABEL_STYLE, layout=FULL_WIDTH, **told))
        if form.get("type") == "number":
            return Number(changed, value, _slider(form["minimum"], form["maximum"], default), **told)
        if form.get("type") == "array" and form["items"].get("type") == "object":
            return Children(changed, value, **told)
        if form.get("type") == "array" and form.get("maxItems") == form["minItems"] == 2:
            return Span(changed, value, (form["items"]["minimum"], form["items"]["maximum"]), **told)
    return Literal(changed, value, placeholder=str(default), **told)


def _slider(low: float, high: float, default: Any) -> Any:
    """A slider over a range, or over what is usual of a very wide one."""
    same = {"continuous_update": False, "readout": False, "layout": SLIDER_WIDTH}
    if not (low > 0 and high / low > _WIDE_RANGE):
        return widgets.FloatSlider(min=low, max=high, step=(high - low) / 20, **same)
    middle = round(math.log10(default)) if default else 0
    first, last = max(middle - _DECADES, math.log10(low)), min(middle + _DECADES, math.log10(high))
    return widgets.FloatLogSlider(min=first, max=last, step=0.05, **same)


def set_visible(widget: Any, shown: bool) -> None:
    """Shows or hides a widget."""
    widget.layout.display = None if shown else "none"


def widgets_within(widget: Any) -> Iterator[Any]:
    """A widget and all within it."""
    yield widget
    for child in getattr(widget, "children", ()):
        yield from widgets_within(child)


def _chooses(method: type[Method]) -> bool:
    """Whether a method is made of others."""
    rules = [item.metadata[RULE].schema for item in dataclasses.fields(method) if RULE in item.metadata]
    return any(schema.get("items", {}).get("type") == "object" for schema in rules)


def _summary(method: type[Method]) -> str:
    return (method.__doc__ or "").partition("\n")[0]


def _to_text(value: Any) -> str:
    return "" if value is None else json.dumps(fields.encode(value))


def _from_text(text: str) -> Any:
    """What a text says; one that is no JSON is left for the field to refuse."""
    if text.strip() in ("", "None"):
        return None
    try:
        return json.loads(text)
    except ValueError:
        return text
