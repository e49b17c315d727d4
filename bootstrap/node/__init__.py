"""The local Kubernetes node that set-up starts if the machine has no cluster. configuration.py describes it."""
