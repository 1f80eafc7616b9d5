"""Other ways to train the same model on the same data: what the product's speed is compared with.

Each takes a data set, a model spec and settings, trains with Adam and the loss of classes, measures the validation
split after every epoch, as the product does, and the test split in the end. None records, keeps or shows anything else.
"""

from __future__ import annotations

import logging
import warnings

import numpy as np
import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

from explorer.data import Dataset, Split
from explorer.models import build
from explorer.specs import ModelSpec, TrainSpec
from explorer.training import evaluate


def usual(dataset: Dataset, model: ModelSpec, spec: TrainSpec, device: str = "cpu") -> None:
    """The loop of the PyTorch tutorials."""
    net = build(model, dataset, seed=spec.seed).to(device)
    loader = _loader(dataset.train, spec, shuffle=True)
    criterion = nn.CrossEntropyLoss()
    optimizer = torch.optim.Adam(net.parameters(), lr=spec.learning_rate)
    history = []
    for _ in range(spec.epochs):
        net.train()
        loss_sum, right = 0.0, 0
        for inputs, targets in loader:
            inputs, targets = inputs.to(device), targets.to(device)
            optimizer.zero_grad()
            logits = net(inputs)
            loss = criterion(logits, targets)
            loss.backward()
            optimizer.step()
            loss_sum += loss.item() * len(inputs)
            right += (logits.argmax(1) == targets).sum().item()
        count = len(dataset.train)
        history.append((loss_sum / count, right / count, _validated(net, dataset.validation)))
    evaluate(net, dataset)


def tuned(dataset: Dataset, model: ModelSpec, spec: TrainSpec) -> None:
    """A loop tuned by hand, without any instrumentation: no losses are read, nothing is counted.

    The examples are in memory and indexed, weights of convolutions lie as the CPU likes them, the optimiser is fused.
    """
    net = build(model, dataset, seed=spec.seed).to(memory_format=torch.channels_last)
    criterion = nn.CrossEntropyLoss()
    optimizer = torch.optim.Adam(net.parameters(), lr=spec.learning_rate, fused=True)
    inputs, targets = dataset.train.inputs, dataset.train.targets
    for _ in range(spec.epochs):
        net.train()
        for rows in torch.randperm(len(inputs)).split(spec.batch_size):
            optimizer.zero_grad()
            criterion(net(inputs[rows]), targets[rows]).backward()
            optimizer.step()
        _validated(net, dataset.validation)
    evaluate(net, dataset)


def lightning(dataset: Dataset, model: ModelSpec, spec: TrainSpec) -> None:
    """Lightning's `Trainer`, with all that it may leave out left out: no logger, bar, summary or checkpoints."""
    import pytorch_lightning as pl

    class Module(pl.LightningModule):
        def __init__(self) -> None:
            super().__init__()
            self.net = build(model, dataset, seed=spec.seed)

        def training_step(self, batch: list[torch.Tensor], _number: int) -> torch.Tensor:
            loss = nn.functional.cross_entropy(self.net(batch[0]), batch[1])
            self.log("loss", loss)
            return loss

        def validation_step(self, batch: list[torch.Tensor], _number: int) -> None:
            logits = self.net(batch[0])
            self.log("validation_loss", nn.functional.cross_entropy(logits, batch[1]))
            self.log("validation_accuracy", (logits.argmax(1) == batch[1]).float().mean())

        def configure_optimizers(self) -> torch.optim.Optimizer:
            return torch.optim.Adam(self.parameters(), lr=spec.learning_rate)

    logging.getLogger("pytorch_lightning").setLevel(logging.ERROR)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # few workers for the loader, a loader without shuffling: as they should be
        trainer = pl.Trainer(
            accelerator="cpu",
            max_epochs=spec.epochs,
            logger=False,
            enable_checkpointing=False,
            enable_progress_bar=False,
            enable_model_summary=False,
            num_sanity_val_steps=0,
        )
        module = Module()
        trainer.fit(module, _loader(dataset.train, spec, shuffle=True), _loader(dataset.validation, spec, size=1024))
    evaluate(module.net, dataset)


def skorch(dataset: Dataset, model: ModelSpec, spec: TrainSpec) -> None:
    """skorch's `NeuralNetClassifier`, which prints nothing."""
    from skorch import NeuralNetClassifier
    from skorch.helper import predefined_split

    def arrays(split: Split) -> tuple[np.ndarray, np.ndarray]:
        return split.inputs.numpy(), split.targets.numpy()

    from skorch.dataset import Dataset as Pairs

    net = NeuralNetClassifier(
        build(model, dataset, seed=spec.seed),
        criterion=nn.CrossEntropyLoss,
        optimizer=torch.optim.Adam,
        lr=spec.learning_rate,
        max_epochs=spec.epochs,
        batch_size=spec.batch_size,
        iterator_train__shuffle=True,
        iterator_valid__batch_size=1024,
        train_split=predefined_split(Pairs(*arrays(dataset.validation))),
        verbose=0,
    )
    net.fit(*arrays(dataset.train))
    evaluate(net.module_, dataset)


@torch.no_grad()
def _validated(net: nn.Module, split: Split) -> tuple[float, float]:
    """Loss and accuracy on a split, in eval mode."""
    net.eval()
    device = next(net.parameters()).device
    logits = torch.cat([net(inputs.to(device)).cpu() for inputs in split.inputs.split(1024)])
    right = (logits.argmax(1) == split.targets).float().mean()
    return nn.functional.cross_entropy(logits, split.targets).item(), right.item()


def _loader(split: Split, spec: TrainSpec, shuffle: bool = False, size: int = 0) -> DataLoader:
    return DataLoader(TensorDataset(split.inputs, split.targets), batch_size=size or spec.batch_size, shuffle=shuffle)
