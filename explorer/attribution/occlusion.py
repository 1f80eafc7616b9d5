"""Occlusion."""

from __future__ import annotations

import torch
from pydantic import Field

from explorer.attribution.base import Method
from explorer.attribution.question import Question


class Occlusion(Method):
    """How far the class' logit falls when a small window of the baseline, sliding over the input, covers this place."""

    name = "occlusion"
    title = "Occlusion"
    order = 20
    group = "Covering"
    paper = "Zeiler & Fergus, 2013"
    cost = "one pass for each place of the window"
    reads = "Warm: covering this {part} lowers the class score. Cool: covering it raises the score."

    size: int = Field(0, ge=0, le=64, description="Side of the window in pixels or steps; 0 takes a fifth of the side.")

    def run(self, question: Question) -> torch.Tensor:
        from captum.attr import Occlusion as Captum

        window, stride, together = self._window(question)
        values = Captum(question.quick.forward).attribute(
            question.x,
            target=0,
            baselines=question.baseline,
            perturbations_per_eval=question.at_once(64),
            sliding_window_shapes=window,
            strides=stride,
        )
        return values / together  # what is covered together shares the effect

    def _window(self, question: Question) -> tuple[tuple[int, ...], tuple[int, ...], int]:
        """The window and how far it moves, in the dimensions of one input; and how many values share its effect."""
        shape = question.x.shape[1:]
        if question.modality == "tokens":  # one word at a time, all of its vector
            size = min(self.size or 1, shape[0])
            return (size, shape[1]), (1, shape[1]), shape[1]
        if question.modality == "vector":
            size = min(self.size or 1, shape[0])
            return (size,), (1,), 1
        channels, *sides = shape
        size = min(self.size or max(2, round(min(sides) / 5)), *sides)
        stride = max(1, size // 3)
        if question.modality == "series":  # each channel by itself
            return (1, size), (1, stride), 1
        return (channels, size, size), (channels, stride, stride), channels
