"""Handwritten digits, 8×8, from scikit-learn."""

from __future__ import annotations

import numpy as np

from explorer.data.base import DataSource


class Digits(DataSource):
    """1,797 handwritten digits as 8×8 grey images: small enough to learn in seconds.

    Pixels hold 0 to 16 in the source and 0 to 1 here.
    """

    name = "digits"
    title = "Digits 8×8"
    modality = "image"
    order = 1
    source = "UCI Optical Recognition of Handwritten Digits (Alpaydin & Kaynak, 1998), through scikit-learn"
    licence = "CC BY 4.0"

    def read(self) -> tuple[np.ndarray, np.ndarray, tuple[str, ...]]:
        from sklearn.datasets import load_digits

        data = load_digits()
        images = (data.images / 16).astype(np.float32)[:, None]  # (N, 1, 8, 8)
        return images, data.target, tuple(str(name) for name in data.target_names)
