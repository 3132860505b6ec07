"""Pictures that a client shows: which GLM can look at as they are, and which have to be made so before."""

from base64 import b64decode, b64encode
from binascii import Error as Base64Error

from gateway.errors import InvalidRequest
from gateway.glm.realtime import client as glm
from gateway.openai.realtime.items import Content
from gateway.translate.realtime.effects import Brought, Ended, Picture, Scaling
from gateway.translate.realtime.setup import Setup
from gateway.translate.realtime.talk import Talk

MAX_SIDE_PIXELS = 1280
MAX_FRAME_BYTES = 512 * 1024
DATA = "data:image/"
BASE64 = ";base64,"
JPEG_START = b"\xff\xd8\xff"
FRAME_HEADS = {*range(0xC0, 0xD0)} - {0xC4, 0xC8, 0xCC}
"""The markers of a JPEG that tell its size."""


class Pictures:
    """
    Shows GLM pictures; from the first one on, the session is one with pictures.

    One that is no JPEG, or a large one, is made to fit beside the call; responses wait for it.
    """

    def __init__(self, talk: Talk, *, setup: Setup) -> None:
        self._talk = talk
        self._setup = setup
        self._waiting = 0

    @property
    def busy(self) -> bool:
        """Whether there are pictures that GLM has not been shown yet."""
        return self._waiting > 0

    def check(self, *, param: str) -> None:
        """Raise InvalidRequest where GLM sees no pictures."""
        if self._talk.config.tools:
            raise InvalidRequest(
                "GLM-Realtime sees no pictures while the session has tools. Send either.",
                param=param,
                code="unsupported_value",
            )

    def show(self, data: bytes) -> None:
        """Show GLM a picture of any kind."""
        if not self._setup.video:
            self._setup.video = True
            self._setup.refresh()
        if fits(data):
            self._show_frame(data)
            return
        self._waiting += 1
        self._talk.send_out(Scaling(data=data, max_side_pixels=MAX_SIDE_PIXELS), then=self._take)

    def _take(self, brought: Brought) -> None:
        match brought:
            case Picture(jpeg):
                self._show_frame(jpeg)
            case Ended(error):
                self._waiting -= 1
                if error is not None:
                    self._talk.refuse(error)
            case _:
                pass

    def _show_frame(self, jpeg: bytes) -> None:
        self._talk.ask(glm.VideoFrameAppend(video_frame=b64encode(jpeg).decode("ascii")))


def picture_of(part: Content, *, at: str) -> bytes:
    """Return the picture in a part; raise InvalidRequest for one that is not in a data URI."""
    url = part.image_url or ""
    _, base64, data = url.partition(BASE64)
    if not url.startswith(DATA) or not base64 or not (picture := decoded_picture(data)):
        raise InvalidRequest(
            f"'{at}.image_url' has to be a picture as a data URI: {DATA}jpeg{BASE64}…",
            param=f"{at}.image_url",
            code="invalid_value",
        )
    return picture


def decoded_picture(data: str) -> bytes:
    """Return what base64 stands for, nothing where it is none."""
    try:
        return b64decode(data, validate=True)
    except (Base64Error, ValueError):
        return b""


def fits(data: bytes) -> bool:
    """Tell whether a picture is a JPEG that GLM can look at as it is."""
    if not data.startswith(JPEG_START) or len(data) > MAX_FRAME_BYTES:
        return False
    sides = sides_of(data)
    return sides is not None and max(sides) <= MAX_SIDE_PIXELS


def sides_of(jpeg: bytes) -> tuple[int, int] | None:
    """Return width and height of a JPEG, None when it does not tell."""
    place = 2
    while place + 9 <= len(jpeg) and jpeg[place] == 0xFF:
        marker, length = jpeg[place + 1], int.from_bytes(jpeg[place + 2 : place + 4], "big")
        if marker in FRAME_HEADS:
            height, width = (int.from_bytes(jpeg[place + at : place + at + 2], "big") for at in (5, 7))
            return (width, height) if width and height else None
        place += 2 + length
    return None
