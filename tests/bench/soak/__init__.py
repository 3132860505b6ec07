"""Whether the gateway stays as large as it is under minutes of mixed load, and lets go of all it held."""
