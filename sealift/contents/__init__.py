"""What training seals and serving reads, known to both sides once. Standard library only."""
