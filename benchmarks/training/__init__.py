"""How fast a descent is, beside a plain PyTorch loop and Lightning."""
