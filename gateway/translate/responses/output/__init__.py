"""What the model makes, item by item: deltas of chat to the items and events of a response."""

from gateway.translate.responses.output.output import Making, Output

__all__ = ["Making", "Output"]
