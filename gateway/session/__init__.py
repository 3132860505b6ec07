"""One realtime session: two sockets, and the translator between them."""

from gateway.session.desk import CallPolicy, SessionDesk
from gateway.session.session import ClientGoneError, ClientSocket, Session

__all__ = ["CallPolicy", "ClientGoneError", "ClientSocket", "Session", "SessionDesk"]
