"""Chat completions of the stand-in: what is refused, what is answered, and how it looks on the wire."""
