"""The public edge: HTTP shapes. No translation, no policy, no HTTP client."""
