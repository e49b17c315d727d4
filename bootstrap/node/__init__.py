"""The local Kubernetes node that set-up makes where the machine has no cluster: configuration.py says what runs."""
