"""OpenAI's Responses: what ``POST /v1/responses`` and its companions take, answer and stream."""
