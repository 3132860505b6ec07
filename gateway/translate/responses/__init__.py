"""Responses: OpenAI's items and events, by way of the translation of chat, to GLM's chat and back."""
