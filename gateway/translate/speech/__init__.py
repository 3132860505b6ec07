"""OpenAI's text-to-speech on GLM's."""
