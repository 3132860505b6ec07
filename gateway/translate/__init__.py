"""OpenAI to GLM and back, pure: no I/O, clock, randomness, logging or metrics."""
