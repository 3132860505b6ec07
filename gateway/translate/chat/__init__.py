"""Chat completions: OpenAI's request to GLM's, GLM's answers and streams to OpenAI's."""
