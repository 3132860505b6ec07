"""A response as it is wanted, before there is one."""

from msgspec import Struct

from gateway.openai.realtime.items import Metadata
from gateway.translate.realtime.answer import Answer
from gateway.translate.realtime.config import Config


class Plan(Struct, kw_only=True):
    """
    A response that is wanted.

    ``config`` None is the session's. ``answer`` is one that the client sees already, and GLM tries again.
    ``hurried``: it waits for no outputs any more.
    """

    config: Config | None = None
    metadata: Metadata | None = None
    event_id: str | None = None
    told: bool = False
    hurried: bool = False
    answer: Answer | None = None
