"""What is chosen on a looking page beyond the lens (a layer, a head, a channel): kept in the session and in the URL."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import streamlit as st
from pydantic import TypeAdapter, ValidationError
from pydantic.fields import FieldInfo

from explorer.views import form, state
from explorer.views.page import plain

SHARED = ("layer", "method")
"""Options that have one value wherever they are asked for: the layer that is looked at, and the method that explains.
Each other one is its look's or its page's own, unless looks say that they share theirs."""
Several = dict[str, tuple[int, ...]]
"""Numbers of some parts, ascending, by what they are parts of."""
READABLE = 40
"""Longest ranges that are written as such into the URL where something shorter says the same."""
FEW = 8
"""Up to so many choices are all seen at once; of more, one is picked from a list."""


@dataclass(frozen=True)
class Options:
    """The options of one look; looks of different slots may stand side by side.

    In the URL they have short names, which others may have, too: it has only those of what is drawn, and a link gives
    them to who asks first. In the session they are kept apart.

    Attributes:
        slot: Empty, or what sets the names of these options and the keys of their widgets apart from another look's.
        drawn: Fills with what differs from the default, by name, as the URL has it.
        by: The look or page that asks.
        scope: What they are kept under, with those of others of this scope; by itself if empty.
        warned: Fills with those of which it was said that they are not as the link has them.
    """

    slot: str = ""
    drawn: dict[str, str] = field(default_factory=dict)
    by: str = ""
    scope: str = ""
    warned: set[str] = field(default_factory=set)

    def key(self, name: str) -> str:
        """A key for a widget or figure of this slot. Not for widgets whose value may change elsewhere."""
        return f"{name}{self.slot}"

    def kept(self, name: str) -> str:
        """What the session calls an option."""
        scope = "" if name in SHARED else self.scope or self.by
        return f"{scope}.{self.key(name)}" if scope else self.key(name)

    def _said(self, name: str) -> str:
        """What was chosen, as the URL has it; empty if nothing was."""
        return state.option(self.kept(name), self.key(name), self.by)

    def _warn(self, name: str, words: str) -> None:
        """Say what of an option is not used, if it was the link that brought it here."""
        kept = self.kept(name)
        if state.from_link(kept, self.by) and kept not in self.warned:
            self.warned.add(kept)
            st.warning(plain(words), icon=":material/link_off:")

    def value(self, name: str, known: Sequence[Any], default: Any, label: str = "") -> Any:
        """The chosen one of the `known` values; of one that is not among them, the default.

        Args:
            name: A few lower-case letters, as in the URL.
            known: Values to choose from; their ``str`` is what the URL says.
            default: One of them.
            label: What it is, for the line that says that a link names one that is not here.
        """
        said = self._said(name)
        found = {str(value): value for value in known}
        chosen = found.get(said, default) if said else default
        if said and said not in found:
            self._warn(
                name, f"The link asks for {label.lower() or name} {said!r}, which is not here; {default} is shown."
            )
        if str(chosen) != str(default):
            self.drawn[self.key(name)] = str(chosen)
        return chosen

    def choose(self, name: str, value: Any) -> None:
        """Choose by something else than the option's own widget: a click into a figure, say."""
        state.set_option(self.kept(name), str(value))

    def one(
        self,
        name: str,
        label: str,
        known: Sequence[Any],
        default: Any = None,
        words: Callable[[Any], str] = str,
        few: int = FEW,
        **widget: Any,
    ) -> Any:
        """Draw a choice of one among several; few are all seen, more are in a list.

        Args:
            name, known, label: As for `value`.
            default: One of them; the first if None.
            words: How a value is written.
            few: How many are few.
            **widget: More for the Streamlit widget, such as ``help`` or ``label_visibility``.
        """
        chosen = self.value(name, known, known[0] if default is None else default, label)
        key = self._key(name, chosen)
        draw = st.segmented_control if len(known) <= few else st.selectbox
        if draw is st.segmented_control:
            widget |= {"required": True, "wrap": True}
        draw(label, known, key=key, format_func=words, on_change=self._heard, args=(name, key), **widget)
        return chosen

    def number(self, name: str, label: str, low: int, high: int, default: int | None = None, **widget: Any) -> int:
        """Draw a choice of a whole number from `low` to `high`."""
        return self._number(name, label, range(low, high + 1), low if default is None else default, widget)

    def maybe(self, name: str, label: str, low: int, high: int, **widget: Any) -> int | None:
        """The same for a number that need not be chosen: None if its field is empty."""
        return self._number(name, label, (None, *range(low, high + 1)), None, {**widget, "value": None})

    def _number(self, name: str, label: str, known: Sequence[Any], default: Any, widget: dict[str, Any]) -> Any:
        chosen = self.value(name, known, default, label)
        key = self._key(name, chosen)
        low = next(value for value in known if value is not None)
        st.number_input(label, low, known[-1], key=key, on_change=self._heard, args=(name, key), **widget)
        return chosen

    def page(self, name: str, pages: int) -> int:
        """Draw a choice of one of several pages, from 1."""
        chosen = self.value(name, range(1, pages + 1), 1)
        key = self._key(name, chosen)
        st.pagination(pages, key=key, on_change=self._heard, args=(name, key))
        return chosen

    def switch(self, name: str, label: str, default: bool = False, **widget: Any) -> bool:
        """Draw a choice of yes or no."""
        chosen = self.value(name, (False, True), default, label)
        key = self._key(name, chosen)
        st.toggle(label, key=key, on_change=self._heard, args=(name, key), **widget)
        return chosen

    def slider(self, name: str, label: str, known: Sequence[Any], default: Any, **widget: Any) -> Any:
        """Draw a choice of one among several values in order."""
        chosen = self.value(name, known, default, label)
        key = self._key(name, chosen)
        st.select_slider(label, known, key=key, on_change=self._heard, args=(name, key), **widget)
        return chosen

    def text(self, name: str, label: str, default: str, most: int, **widget: Any) -> str:
        """Draw a short text that can be changed; what a link brings is cut to `most` printable characters."""
        said = "".join(letter for letter in self._said(name) if letter.isprintable())[:most]
        chosen = said or default
        if chosen != default:
            self.drawn[self.key(name)] = chosen
        key = self._key(name, chosen)
        st.text_input(label, key=key, max_chars=most, on_change=self._heard, args=(name, key), **widget)
        return chosen

    def span(
        self, name: str, label: str, low: int, high: int, default: tuple[int, int], **widget: Any
    ) -> tuple[int, int]:
        """Draw a choice of a span of whole numbers between `low` and `high`, which differ; links say ``3-9``."""
        said = self._said(name)
        found = re.fullmatch(r"(\d{1,9})-(\d{1,9})", said)
        asked = first, last = tuple(map(int, found.groups())) if found else default
        chosen = (min(max(first, low), high), min(max(last, low), high))
        chosen = chosen if chosen[0] <= chosen[1] else default
        if said and (not found or chosen != asked):
            shown = "{}-{}".format(*chosen)
            self._warn(name, f"The link asks for {label.lower()} {said!r}, which is not here; {shown} is shown.")
        if chosen != default:
            self.drawn[self.key(name)] = f"{chosen[0]}-{chosen[1]}"
        key = self._key(name, chosen)
        st.slider(label, low, high, key=key, on_change=self._heard, args=(name, key), **widget)
        return chosen

    def some(self, name: str, counts: Mapping[str, int]) -> Several:
        """The chosen ones of the numbered parts of several things, none by default.

        Args:
            name: As for `value`. The URL says ``relu1:0-3,7;relu2:5``.
            counts: The things, and how many parts each has.
        """
        chosen, gone = {}, []
        for said in filter(None, self._said(name).split(";")):
            of, _, text = said.rpartition(":")
            found, whole = numbers(text, counts.get(of, 0))
            chosen |= {of: found} if found else {}
            gone += [] if whole else [said]
        if gone:
            self._warn(name, f"The link's {name} {'; '.join(gone)!r} is not here, or not all of it.")
        if chosen:
            self.drawn[self.key(name)] = _some(chosen)
        return chosen

    def choose_some(self, name: str, chosen: Mapping[str, Collection[int]]) -> None:
        """Choose several by something else than the option's own widget."""
        state.set_option(self.kept(name), _some(chosen))

    def several(self, name: str, label: str, of: str, counts: Mapping[str, int], **widget: Any) -> Several:
        """Draw a choice of several of the numbered parts of one thing; what is chosen of the others stays."""
        chosen = self.some(name, counts)
        key = self._key(name, list(chosen.get(of, ())))
        args = (name, of, chosen, key)
        st.multiselect(label, range(counts[of]), key=key, on_change=self._heard_several, args=args, **widget)
        return chosen

    def _heard_several(self, name: str, of: str, before: Several, key: str) -> None:
        if key.endswith(f"-{state.option_revision()}"):
            state.keep_option(self.kept(name), _some({**before, of: st.session_state[key]}))

    def names(
        self, name: str, label: str, known: Sequence[str], default: Sequence[str], most: int, **widget: Any
    ) -> list[str]:
        """Draw a choice of some among several names, at most so many; the URL has them with commas between."""
        said = self._said(name)
        chosen = [one for one in dict.fromkeys(said.split(",")) if one in known][:most] or list(default)
        if said and (gone := set(said.split(",")) - set(chosen)):
            self._warn(name, f"The link asks for {', '.join(sorted(gone))}, which is not here.")
        if chosen != list(default):
            self.drawn[self.key(name)] = ",".join(chosen)
        key = self._key(name, chosen)
        st.multiselect(
            label, known, key=key, max_selections=most, on_change=self._heard_names, args=(name, key), **widget
        )
        return chosen

    def field(self, name: str, called: str, field: FieldInfo) -> Any:
        """Draw the widget of a declared field and return its value; the default of one that does not fit.

        Args:
            name: As for `value`.
            called: The field's name.
            field: The field.
        """
        said, value = self._said(name), field.default
        if said and (value := _fitting(said, field)) is None:
            value = field.default
            self._warn(name, f"The link asks for {called} {said!r}, which does not fit; {value} is used.")
        if value != field.default:
            self.drawn[self.key(name)] = str(value)
        key = self._key(name, value)
        form.field_widget(called, field, value, key, self._heard_field, name, key, field)
        return value

    def _heard_names(self, name: str, key: str) -> None:
        if key.endswith(f"-{state.option_revision()}"):
            state.keep_option(self.kept(name), ",".join(st.session_state[key]))

    def _heard_field(self, name: str, key: str, field: FieldInfo) -> None:
        if key.endswith(f"-{state.option_revision()}"):
            state.keep_option(self.kept(name), str(form.read(field, key)))

    def _key(self, name: str, value: Any) -> str:
        """The key of an option's widget, which shows the value."""
        key = f"option-{self.key(name)}-{state.option_revision()}"
        st.session_state[key] = value
        return key

    def _heard(self, name: str, key: str) -> None:
        if key.endswith(f"-{state.option_revision()}"):  # an outdated widget changes nothing
            value = st.session_state[key]
            state.keep_option(self.kept(name), "-".join(map(str, value)) if isinstance(value, tuple) else str(value))


def ranges(ascending: Sequence[int]) -> str:
    """Ascending numbers as a short text: ``0-3,7``."""
    parts: list[list[int]] = []
    for number in ascending:
        if parts and number == parts[-1][1] + 1:
            parts[-1][1] = number
        else:
            parts.append([number, number])
    return ",".join(f"{first}" if first == last else f"{first}-{last}" for first, last in parts)


def coded(ascending: Sequence[int]) -> str:
    """Ascending numbers for the URL: as ranges or, where those are long, one bit each, in hexadecimal: ``x8f``."""
    text = ranges(ascending)
    return text if len(text) <= READABLE else min(text, f"x{sum(1 << n for n in ascending):x}", key=len)


def numbers(text: str, count: int) -> tuple[tuple[int, ...], bool]:
    """The numbers below `count` that such a text names, ascending, and whether there is nothing else in it."""
    if mask := re.fullmatch(r"x([0-9a-f]+)", text):
        bits = int(mask[1], 16)
        return tuple(n for n in range(min(count, bits.bit_length())) if bits >> n & 1), bits < 1 << count
    found, whole = set(), True
    for part in text.split(","):
        ends = re.fullmatch(r"(\d{1,6})(?:-(\d{1,6}))?", part, re.ASCII)
        first, last = (int(ends[1]), int(ends[2] or ends[1])) if ends else (count, count)
        found.update(range(first, min(last + 1, count)))
        whole &= first <= last < count
    return tuple(sorted(found)), whole


def _some(chosen: Mapping[str, Collection[int]]) -> str:
    return ";".join(f"{of}:{coded(sorted(those))}" for of, those in chosen.items() if those)


def _fitting(said: str, field: FieldInfo) -> Any:
    """What the URL says as a value of a field; None if it is none."""
    try:
        value = TypeAdapter(field.annotation).validate_python(said)
    except ValidationError:
        return None
    return value if form.fits(field, value) else None
