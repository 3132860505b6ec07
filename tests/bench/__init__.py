"""What the gateway costs, as ratios to nginx on the same machine in the same run: ``python -m tests.bench``."""
