"""Embeddings: OpenAI's request to as many of GLM's as it takes, their vectors to OpenAI's answer."""
