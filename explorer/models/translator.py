"""Encoder-decoder models, and writing a translation with them."""

from __future__ import annotations

import torch
from torch import nn

from explorer.data import END, PAD, START
from explorer.models.tokens import TokenModel


class DecoderModel(nn.Sequential):
    """Layers that read what is written so far, (N, T) tokens, and the encoded source, (N, S, D)."""

    def forward(self, written: torch.Tensor, source: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
        x = written
        for layer in self:
            x = layer(x, source, mask) if getattr(layer, "crosses", False) else layer(x)
        return x


class Translator(nn.Module):
    """An encoder that reads the source and a decoder that writes the translation (Sutskever et al., 2014).

    Takes the source, (N, S) tokens, and what is written so far, (N, T) tokens that begin with the start token; returns
    the logits of each next token, (N, T, vocabulary). No position of the decoder sees the ones after it, so a whole
    translation can be learned at once with the right tokens before each (teacher forcing).
    """

    made_from = (DecoderModel,)

    def __init__(self, encoder: TokenModel, decoder: DecoderModel) -> None:
        super().__init__()
        self.encoder = encoder
        self.decoder = decoder

    def forward(self, source: torch.Tensor, written: torch.Tensor) -> torch.Tensor:
        return self.decoder(written, self.encoder(source), source != 0)


@torch.no_grad()
def translate(model: Translator, source: torch.Tensor, longest: int) -> torch.Tensor:
    """Write translations greedily: always the most probable next token.

    Args:
        model: A translator; it is used in the mode it is in.
        source: (N, S) tokens.
        longest: Most tokens to write; not more than the decoder was made for, ``dataset.target_shape.size[0]``.

    Returns:
        (N, T) tokens without the start token; `PAD` after the end token.
    """
    encoded, mask = model.encoder(source), source != PAD
    written = torch.full((len(source), 1), START, device=source.device)
    done = torch.zeros(len(source), dtype=torch.bool, device=source.device)
    for _ in range(longest):
        token = model.decoder(written, encoded, mask)[:, -1].argmax(1).masked_fill(done, PAD)
        written = torch.cat([written, token[:, None]], dim=1)
        done |= token == END
        if done.all():
            break
    return written[:, 1:]


@torch.no_grad()
def beam_search(model: Translator, source: torch.Tensor, longest: int, width: int = 4) -> list[tuple[list[int], float]]:
    """Write one translation by keeping the `width` most probable beginnings at each step.

    Args:
        model: A translator; it is used in the mode it is in.
        source: One source, (1, S) tokens.
        longest: Most tokens to write; not more than the decoder was made for, ``dataset.target_shape.size[0]``.
        width: Beginnings kept; 1 is greedy.

    Returns:
        Translations as tokens without start and end, each with its log-probability, in nats, divided by its number of
        tokens (so that short ones are not preferred), the best first.
    """
    encoded, mask = model.encoder(source), source != PAD
    beginnings: list[tuple[list[int], float]] = [([START], 0.0)]
    finished: list[tuple[list[int], float]] = []
    for _ in range(longest):
        written = torch.tensor([tokens for tokens, _ in beginnings], device=source.device)
        count = len(beginnings)
        logits = model.decoder(written, encoded.expand(count, -1, -1), mask.expand(count, -1))[:, -1]
        scores = logits.double().log_softmax(1) + torch.tensor(
            [[score] for _, score in beginnings], device=logits.device
        )
        best = scores.flatten().topk(min(width, scores.numel()))
        found = [
            ([*beginnings[place // scores.shape[1]][0], place % scores.shape[1]], score)
            for score, place in zip(best.values.tolist(), best.indices.tolist(), strict=True)
        ]
        finished += [(tokens, score) for tokens, score in found if tokens[-1] == END]
        beginnings = [(tokens, score) for tokens, score in found if tokens[-1] != END]
        if not beginnings or len(finished) >= width:
            break
    finished += beginnings if not finished else []
    said = [([t for t in tokens[1:] if t != END], score / (len(tokens) - 1)) for tokens, score in finished]
    return sorted(said, key=lambda item: -item[1])
