"""Speed of the training loop, beside a plain PyTorch loop and Lightning."""
