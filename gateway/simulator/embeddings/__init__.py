"""Text embeddings of the stand-in."""
