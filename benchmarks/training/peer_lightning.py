"""Lightning's Trainer with its usual DataLoader, and without logs, checkpoints and progress bars."""

from typing import Any

from benchmarks.training.cases import LEARNING_RATE, SEED, Case, Run


def start(case: Case, threads: int, epochs: int) -> Run:
    """Returns a loop. `epochs` is not used. Raises ImportError if Lightning is not installed."""
    import logging
    import warnings

    import lightning
    import torch
    from torch.utils.data import DataLoader, TensorDataset

    warnings.simplefilter("ignore")
    logging.getLogger("lightning.pytorch").setLevel(logging.ERROR)
    torch.set_num_threads(threads)
    torch.manual_seed(SEED)
    net, loss_function = case.net(), case.loss()

    class Module(lightning.LightningModule):  # type: ignore[misc] # an optional package without types here
        def __init__(self) -> None:
            super().__init__()
            self.net, self.mean = net, 0.0

        def on_train_epoch_start(self) -> None:
            self.mean = 0.0

        def training_step(self, batch: Any, index: int) -> torch.Tensor:
            loss = loss_function(self.net(batch[0]), batch[1])
            self.mean += loss.item() * len(batch[0]) / case.rows
            return loss

        def configure_optimizers(self) -> torch.optim.Optimizer:
            return torch.optim.SGD(self.parameters(), lr=LEARNING_RATE)

    module, loader = Module(), DataLoader(TensorDataset(*case.data()), case.batch_size, shuffle=True)

    def run(epochs: int) -> float:
        trainer = lightning.Trainer(
            max_epochs=epochs, accelerator="cpu", devices=1, logger=False, enable_checkpointing=False,
            enable_progress_bar=False, enable_model_summary=False,
        )  # fmt: skip
        trainer.fit(module, loader)
        return module.mean

    return run
