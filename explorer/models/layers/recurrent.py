"""Recurrent layers: vanilla RNN, LSTM and GRU."""

from __future__ import annotations

from dataclasses import replace
from typing import ClassVar, Literal

import torch
from pydantic import Field
from torch import nn

from explorer.models.layers.base import WHOLE, Call, Layer
from explorer.specs import Modality, Shape


class OneWayRNN(nn.Module):
    """One layer that reads from left to right (Elman, 1990): (N, L, D) → hidden states (N, L, H).

    ``h[t] = tanh(W x[t] + b + U h[t-1] + c)``.
    """

    def __init__(self, inputs: int, units: int) -> None:
        super().__init__()
        self.cell = nn.RNN(inputs, units, batch_first=True)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.cell(x)[0]

    def by_equations(self, x: torch.Tensor) -> torch.Tensor:
        """The same, step by step as the equation says."""
        cell, hidden, states = self.cell, x.new_zeros(len(x), self.cell.hidden_size), []
        for given in x.unbind(1):  # (N, D)
            hidden = torch.tanh(
                nn.functional.linear(given, cell.weight_ih_l0, cell.bias_ih_l0)
                + nn.functional.linear(hidden, cell.weight_hh_l0, cell.bias_hh_l0)
            )
            states.append(hidden)
        return torch.stack(states, 1)


class OneWayLSTM(nn.Module):
    """One layer that reads from left to right (Hochreiter & Schmidhuber, 1997): (N, L, D) → hidden states (N, L, H).

    With i, f, g, o computed from x[t] and h[t-1]: ``c[t] = f · c[t-1] + i · g`` and ``h[t] = o · tanh(c[t])``. When
    somebody watches a gate or the cell state, the steps are taken one by one and each passes through the module of
    its name, (N, L, H); otherwise torch's fused kernel takes them with the same weights. `forget_bias` is added to what
    f begins with (Gers et al., 2000): the larger, the longer c is kept before anything is learned.
    """

    def __init__(self, inputs: int, units: int, forget_bias: float = 0.0) -> None:
        super().__init__()
        self.cell = nn.LSTM(inputs, units, batch_first=True)
        with torch.no_grad():
            self.cell.bias_hh_l0[units : 2 * units] += forget_bias
        self.input_gate = nn.Identity()
        self.forget_gate = nn.Identity()
        self.candidate = nn.Identity()
        self.output_gate = nn.Identity()
        self.cell_state = nn.Identity()

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        watched = (self.input_gate, self.forget_gate, self.candidate, self.output_gate, self.cell_state)
        return self.by_equations(x) if any(gate._forward_hooks for gate in watched) else self.cell(x)[0]

    def by_equations(self, x: torch.Tensor) -> torch.Tensor:
        """The same, step by step as the equations say."""
        weights, steps = self.cell, []
        hidden = state = x.new_zeros(len(x), weights.hidden_size)
        for given in x.unbind(1):  # (N, D)
            gates = nn.functional.linear(given, weights.weight_ih_l0, weights.bias_ih_l0)
            gates = gates + nn.functional.linear(hidden, weights.weight_hh_l0, weights.bias_hh_l0)
            i, f, g, o = gates.chunk(4, 1)  # (N, H) each
            i, f, g, o = i.sigmoid(), f.sigmoid(), g.tanh(), o.sigmoid()
            state = f * state + i * g
            hidden = o * state.tanh()
            steps.append((i, f, g, o, state, hidden))
        i, f, g, o, state, hidden = (torch.stack(step, 1) for step in zip(*steps, strict=True))  # (N, L, H) each
        self.input_gate(i), self.forget_gate(f), self.candidate(g), self.output_gate(o), self.cell_state(state)
        return hidden


class OneWayGRU(nn.Module):
    """One layer that reads from left to right (Cho et al., 2014): (N, L, D) → hidden states (N, L, H).

    With r, z computed from x[t] and h[t-1] and ``n = tanh(W x[t] + b + r · (U h[t-1] + c))``:
    ``h[t] = (1 - z) · n + z · h[t-1]``. When somebody watches a gate, the steps are taken one by one and each passes
    through the module of its name, (N, L, H); otherwise torch's fused kernel takes them with the same weights.
    """

    def __init__(self, inputs: int, units: int) -> None:
        super().__init__()
        self.cell = nn.GRU(inputs, units, batch_first=True)
        self.reset_gate = nn.Identity()
        self.update_gate = nn.Identity()
        self.candidate = nn.Identity()

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        watched = (self.reset_gate, self.update_gate, self.candidate)
        return self.by_equations(x) if any(gate._forward_hooks for gate in watched) else self.cell(x)[0]

    def by_equations(self, x: torch.Tensor) -> torch.Tensor:
        """The same, step by step as the equations say."""
        weights, steps = self.cell, []
        hidden = x.new_zeros(len(x), weights.hidden_size)
        for given in x.unbind(1):  # (N, D)
            from_input = nn.functional.linear(given, weights.weight_ih_l0, weights.bias_ih_l0).chunk(3, 1)
            from_past = nn.functional.linear(hidden, weights.weight_hh_l0, weights.bias_hh_l0).chunk(3, 1)
            r = (from_input[0] + from_past[0]).sigmoid()  # (N, H)
            z = (from_input[1] + from_past[1]).sigmoid()
            n = (from_input[2] + r * from_past[2]).tanh()
            hidden = (1 - z) * n + z * hidden
            steps.append((r, z, n, hidden))
        r, z, n, hidden = (torch.stack(step, 1) for step in zip(*steps, strict=True))  # (N, L, H) each
        self.reset_gate(r), self.update_gate(z), self.candidate(n)
        return hidden


class Recurrent(nn.Module):
    """Recurrent layers on top of each other, one way or both ways (Schuster & Paliwal, 1997).

    (N, L, D) → all states (N, L, H), or the last one (N, H): after the last token of the way forward and, side by
    side with it, after the first token of the way back. H is twice `units` both ways. Padding is never read. `more` is
    what each direction is made with besides its sizes.
    """

    masked = True

    def __init__(
        self,
        direction: type[nn.Module],
        inputs: int,
        units: int,
        layers: int = 1,
        both_ways: bool = False,
        last: bool = False,
        **more: float,
    ) -> None:
        super().__init__()
        self.layers, self.both_ways, self.last = layers, both_ways, last
        for number in range(1, layers + 1):
            self.add_module(f"ahead{number}", direction(inputs, units, **more))
            if both_ways:
                self.add_module(f"back{number}", direction(inputs, units, **more))
            inputs = 2 * units if both_ways else units

    def forward(self, x: torch.Tensor, mask: torch.Tensor | None = None) -> torch.Tensor:
        length = x.shape[1]
        places = torch.arange(length, device=x.device).expand(len(x), -1)  # (N, L)
        lengths = torch.full_like(places[:, 0], length) if mask is None else mask.sum(1).clamp(min=1)
        turned = torch.where(places < lengths[:, None], lengths[:, None] - 1 - places, places)  # padding stays behind
        for number in range(1, self.layers + 1):
            ahead = self.get_submodule(f"ahead{number}")(x)
            if self.both_ways:
                back = self.get_submodule(f"back{number}")(self.pick(x, turned))
                x = torch.cat([ahead, self.pick(back, turned)], dim=2)
            else:
                x = ahead
        if not self.last:
            return x
        final = self.pick(ahead, lengths[:, None] - 1)[:, 0]
        return torch.cat([final, self.pick(back, lengths[:, None] - 1)[:, 0]], dim=1) if self.both_ways else final

    def pick(self, x: torch.Tensor, places: torch.Tensor) -> torch.Tensor:
        """Vectors of x, (N, L, D), at places (N, K): (N, K, D)."""
        return x.gather(1, places[:, :, None].expand(-1, -1, x.shape[2]))


class _Recurrent(Layer):
    role = "recurrent"
    accepts = ("sequence",)
    gives = ("sequence", "vector")
    direction: ClassVar[type[nn.Module]]

    units: int = Field(64, ge=1, le=4096, description="Size of the hidden state, for each way it reads.")
    layers: int = Field(1, ge=1, le=8, description="How many are stacked on top of each other.")
    both_ways: bool = Field(False, description="Whether to read also from the end to the start (bidirectional).")
    output: Literal["last", "all"] = Field(
        "last", description="Last: the state at the end, one vector. All: the state at every position."
    )

    def kind(self, given: Shape) -> Modality:
        return "vector" if self.output == "last" else "sequence"

    def call(self, given: Shape, outputs: int) -> Call:
        options = {"layers": self.layers} if self.layers > 1 else {}
        if self.both_ways:
            options["both_ways"] = True
        if self.output == "last":
            options["last"] = True
        return Call(Recurrent, (self.direction, given.size[1], self.units), options)

    def looks_ahead(self) -> bool:
        return self.both_ways

    def windows(self) -> str:
        return WHOLE


class RNN(_Recurrent):
    """Reads a sequence step by step and keeps a hidden state of what it has read (Elman, 1990). It forgets quickly:
    gradients vanish over many steps.
    """

    name = "rnn"
    title = "RNN"
    order = 55
    direction = OneWayRNN


class LSTM(_Recurrent):
    """Reads a sequence step by step; gates decide what its memory takes in, keeps and gives out
    (Hochreiter & Schmidhuber, 1997).
    """

    name = "lstm"
    title = "LSTM"
    order = 56
    direction = OneWayLSTM

    forget_bias: float = Field(
        0.0,
        ge=0,
        le=10,
        description="Added to the forget gate's bias at the start: above 0 it keeps its memory for longer, 4 for about "
        "a hundred steps.",
    )

    def call(self, given: Shape, outputs: int) -> Call:
        made = super().call(given, outputs)
        return replace(made, kwargs=made.kwargs | {"forget_bias": self.forget_bias}) if self.forget_bias else made


class GRU(_Recurrent):
    """Reads a sequence step by step; like an LSTM with two gates and no memory apart from its state
    (Cho et al., 2014).
    """

    name = "gru"
    title = "GRU"
    order = 57
    direction = OneWayGRU
