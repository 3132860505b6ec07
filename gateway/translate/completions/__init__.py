"""Legacy completions: prompts to conversations of one question, and their answers to bare texts."""
