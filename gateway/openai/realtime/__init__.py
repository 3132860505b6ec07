"""OpenAI's realtime events, of today's shape (GA) and the one before it (beta): Structs only."""
