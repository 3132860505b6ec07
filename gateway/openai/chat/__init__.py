"""OpenAI's chat completions: what ``POST /v1/chat/completions`` takes, answers and streams."""
