"""The loop of PyTorch's tutorials, over rows in memory. It has no DataLoader, so it is faster than most loops."""

from benchmarks.training.cases import LEARNING_RATE, SEED, Case, Run


def start(case: Case, threads: int, epochs: int) -> Run:
    """Returns a loop. `epochs` is not used."""
    import torch

    torch.set_num_threads(threads)
    torch.manual_seed(SEED)
    net, loss_function = case.net(), case.loss()
    features, target = case.data()
    optimizer = torch.optim.SGD(net.parameters(), lr=LEARNING_RATE)

    def run(epochs: int) -> float:
        mean = 0.0
        for _ in range(epochs):
            summed = 0.0
            for batch in torch.split(torch.randperm(case.rows), case.batch_size):
                optimizer.zero_grad()
                loss = loss_function(net(features[batch]), target[batch])
                loss.backward()  # type: ignore[no-untyped-call]
                optimizer.step()
                summed += loss.item() * len(batch)
            mean = summed / case.rows
        return mean

    return run
