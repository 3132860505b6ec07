"""One realtime session: two sockets, and the translator between them."""

from gateway.session.desk import SessionDesk, SessionPolicy
from gateway.session.ends import ClientGoneError, ClientSocket, Take
from gateway.session.session import Session

__all__ = ["ClientGoneError", "ClientSocket", "Session", "SessionDesk", "SessionPolicy", "Take"]
