"""GLM-Realtime of the stand-in: one room for the calls at ``/realtime``, over a WebSocket."""
