"""One realtime session: two sockets, and the translator between them."""

from gateway.session.desk import CallPolicy, SessionDesk
from gateway.session.ends import ClientGoneError, ClientSocket
from gateway.session.session import Session

__all__ = ["CallPolicy", "ClientGoneError", "ClientSocket", "Session", "SessionDesk"]
