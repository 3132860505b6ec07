"""One HTTP exchange: admit, translate, send, translate back, record. Knows no operation by name."""

from gateway.exchange.desk import Desk, Policy
from gateway.exchange.exchange import Exchange
from gateway.exchange.overview import overview
from gateway.exchange.streamed import StreamedAnswer
from gateway.exchange.terms import AccountTier, Terms

__all__ = ["AccountTier", "Desk", "Exchange", "Policy", "StreamedAnswer", "Terms", "overview"]
