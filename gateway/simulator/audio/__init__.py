"""Speech over HTTP, of the stand-in: recordings to text, and text to speech."""
