"""Recordings to text: OpenAI's transcriptions and translations on GLM's speech recognition."""
