"""GLM Gateway: software written for OpenAI, running on Zhipu's GLM models."""

__version__ = "0.1.0"
