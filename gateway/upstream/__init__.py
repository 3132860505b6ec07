"""GLM over the network: bytes and status codes, no vocabulary of OpenAI's."""
