"""Layers of a translator's decoder, which look at what the encoder made of the source."""

from __future__ import annotations

import torch
from pydantic import Field
from torch import nn

from explorer.models.layers.attention import MultiHeadAttention, check_heads
from explorer.models.layers.base import Call, Layer
from explorer.specs import Shape


class DecoderBlock(nn.Module):
    """A Transformer's decoder block (Vaswani et al., 2017, section 3.1), normalised first: (N, T, D) → (N, T, D).

    ``x + self_attention(norm1(x))``, where no position looks ahead; ``x + cross_attention(norm2(x), source)``, where
    each looks at the source, (N, S, D); ``x + feed_forward(norm3(x))``.
    """

    crosses = True
    made_from = (MultiHeadAttention,)

    def __init__(self, size: int, heads: int, units: int, dropout: float = 0.0) -> None:
        super().__init__()
        self.self_attention = MultiHeadAttention(size, heads, causal=True)
        self.cross_attention = MultiHeadAttention(size, heads)
        self.feed_forward = nn.Sequential(
            nn.Linear(size, units), nn.ReLU(), nn.Dropout(dropout), nn.Linear(units, size)
        )
        self.norm1 = nn.LayerNorm(size)
        self.norm2 = nn.LayerNorm(size)
        self.norm3 = nn.LayerNorm(size)
        self.dropout1 = nn.Dropout(dropout)
        self.dropout2 = nn.Dropout(dropout)
        self.dropout3 = nn.Dropout(dropout)

    def forward(self, x: torch.Tensor, source: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
        x = x + self.dropout1(self.self_attention(self.norm1(x)))
        x = x + self.dropout2(self.cross_attention(self.norm2(x), mask, source))
        return x + self.dropout3(self.feed_forward(self.norm3(x)))


class Decoder(Layer):
    """A Transformer decoder block: looks back at what is written so far, then across at the source
    (Vaswani et al., 2017).
    """

    name = "decoderblock"
    title = "Decoder block"
    role = "attention"
    order = 70
    accepts = ("sequence",)
    crosses = True

    heads: int = Field(4, ge=1, le=64, description="How many looks are taken side by side.")
    units: int = Field(128, ge=1, le=16384, description="Hidden units of the small network at every position.")
    dropout: float = Field(0.1, ge=0, lt=1, description="Share of values set to zero during training.")

    def call(self, given: Shape, outputs: int) -> Call:
        check_heads(given.size[1], self.heads)
        options = {"dropout": self.dropout} if self.dropout else {}
        return Call(DecoderBlock, (given.size[1], self.heads, self.units), options)


class AttentionGRU(nn.Module):
    """A GRU that looks at the source before each step (Bahdanau et al., 2014, appendix A.2.2).

    From the state before, s[t-1], a score for each source position, ``v · tanh(W s[t-1] + U h[j])``; the softmax of
    the scores weighs the source into a context c[t]; ``s[t] = GRU([x[t], c[t]], s[t-1])``. (N, T, D) and a source
    (N, S, E) → (N, T, units + E), state and context side by side. So that they can be seen, modules pass them on:
    ``scores`` behind the mask, ``weights`` the softmax, (N, T, S), and ``value`` what is weighed, (N, S, E). When
    somebody watches a gate of the GRU, its equations are followed as in `OneWayGRU`, and each gate passes through the
    module of its name, (N, T, units).
    """

    crosses = True

    def __init__(self, inputs: int, source: int, units: int) -> None:
        super().__init__()
        self.first = nn.Linear(source, units)
        self.query = nn.Linear(units, units)
        self.key = nn.Linear(source, units, bias=False)
        self.score = nn.Linear(units, 1, bias=False)
        self.cell = nn.GRUCell(inputs + source, units)
        self.scores, self.weights, self.value = nn.Identity(), nn.Identity(), nn.Identity()
        self.reset_gate = nn.Identity()
        self.update_gate = nn.Identity()
        self.candidate = nn.Identity()

    def forward(self, x: torch.Tensor, source: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
        share = mask[:, :, None].to(x.dtype)  # (N, S, 1)
        state = torch.tanh(self.first((source * share).sum(1) / share.sum(1).clamp(min=1)))  # (N, units)
        keys, values = self.key(source), self.value(source)
        told, looks, outputs, gates = [], [], [], []
        watched = any(gate._forward_hooks for gate in (self.reset_gate, self.update_gate, self.candidate))
        for given in x.unbind(1):  # (N, D)
            scores = self.score(torch.tanh(self.query(state)[:, None] + keys))[:, :, 0]  # (N, S)
            scores = scores.masked_fill(~mask, -1e9)
            look = scores.softmax(1)
            context = (look[:, None] @ values)[:, 0]  # (N, E)
            given = torch.cat([given, context], dim=1)
            if watched:
                state, *gate = self.by_equations(given, state)
                gates.append(gate)
            else:
                state = self.cell(given, state)
            told.append(scores)
            looks.append(look)
            outputs.append(torch.cat([state, context], dim=1))
        self.scores(torch.stack(told, 1))
        self.weights(torch.stack(looks, 1))
        if watched:
            r, z, n = (torch.stack(gate, 1) for gate in zip(*gates, strict=True))  # (N, T, units) each
            self.reset_gate(r), self.update_gate(z), self.candidate(n)
        return torch.stack(outputs, 1)

    def by_equations(self, given: torch.Tensor, state: torch.Tensor) -> tuple[torch.Tensor, ...]:
        """One step of the GRU as its equations say: the next state, r, z and n, (N, units) each."""
        cell = self.cell
        from_input = nn.functional.linear(given, cell.weight_ih, cell.bias_ih).chunk(3, 1)
        from_past = nn.functional.linear(state, cell.weight_hh, cell.bias_hh).chunk(3, 1)
        r = (from_input[0] + from_past[0]).sigmoid()
        z = (from_input[1] + from_past[1]).sigmoid()
        n = (from_input[2] + r * from_past[2]).tanh()
        return (1 - z) * n + z * state, r, z, n


class GRUDecoder(Layer):
    """A GRU that writes one token after the other and before each looks at the source where it needs to
    (Bahdanau et al., 2014).
    """

    name = "grudecoder"
    title = "GRU with attention"
    role = "recurrent"
    order = 71
    accepts = ("sequence",)
    crosses = True

    units: int = Field(64, ge=1, le=4096, description="Size of the hidden state.")

    def call(self, given: Shape, outputs: int) -> Call:
        return Call(AttentionGRU, (given.size[1], given.source[1], self.units))
