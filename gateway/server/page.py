"""The page for people: one file, which asks for ``/state`` and needs nothing from anywhere else."""

import base64
import hashlib
import re
from pathlib import Path
from typing import Final

PAGE: Final = Path(__file__).with_name("page.html").read_bytes()


def _hash_of(tag: str) -> str:
    (content,) = re.findall(rf"<{tag}>(.*?)</{tag}>".encode(), PAGE, re.DOTALL)
    return base64.b64encode(hashlib.sha256(content).digest()).decode()


HEADERS: Final = (
    (
        b"content-security-policy",
        (
            "default-src 'none'; connect-src 'self'; img-src data:; base-uri 'none'; frame-ancestors 'none'; "
            f"script-src 'sha256-{_hash_of('script')}'; style-src 'sha256-{_hash_of('style')}'"
        ).encode(),
    ),
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"no-referrer"),
    (b"cache-control", b"no-store"),
)
"""Nothing runs but what is in the file, whatever a tenant or a model is called."""
