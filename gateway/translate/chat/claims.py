"""
Whose a spoken answer is.

GLM knows spoken answers by ids that hold for a whole account, which tenants may share. So callers are told GLM's
id with a tag that follows from it and from their tenant, and GLM is given none that another tenant was told.
"""

import hmac
import re
from collections.abc import Mapping, Sequence

import msgspec

from gateway.openai.chat import messages as openai
from gateway.translate.chat.audio_ids import key_of, unknown

TAG_BYTES = 16
TAGGED = re.compile(rf"(.+)\.([0-9a-f]{{{2 * TAG_BYTES}}})", re.DOTALL)


class Tagger:
    """Tags GLM's ids of spoken answers for a tenant; replicas that have the same ``secret`` make the same tags."""

    def __init__(self, secret: bytes) -> None:
        self._secret = secret

    def tagged(self, glm_id: str, *, tenant: str) -> str:
        """Return what a tenant is told of an id of GLM's."""
        return f"{glm_id}.{self._tag(glm_id, tenant)}"

    def is_tagged(self, audio_id: str, *, tenant: str) -> bool:
        """Tell whether this tenant was told this id."""
        found = TAGGED.fullmatch(audio_id)
        return found is not None and hmac.compare_digest(found[2], self._tag(found[1], tenant))

    def _tag(self, glm_id: str, tenant: str) -> str:
        meant = msgspec.json.encode((tenant, glm_id))
        return hmac.digest(self._secret, meant, "sha256")[:TAG_BYTES].hex()


def untagged(audio_id: str) -> str:
    """Return GLM's id in an id that callers are told, right or wrong; all of it where there is no tag."""
    found = TAGGED.fullmatch(audio_id)
    return audio_id if found is None else found[1]


def claimed(
    messages: Sequence[openai.Message], *, tagger: Tagger, tenant: str, recalled: Mapping[str, str]
) -> Sequence[openai.Message]:
    """
    Return a conversation that names its tenant's spoken answers by GLM's ids; others are told by their text.

    Returns the same if it names none. Raises InvalidRequest for an answer that is another's and has no text.
    """
    claims: dict[int, openai.Message] = {}
    for index, message in enumerate(messages):
        if message.role == "assistant" and (audio := message.audio) is not None:
            claims[index] = claim(
                message, audio, tagger=tagger, tenant=tenant, recalled=recalled, param=f"messages[{index}]"
            )
    return [claims.get(index, message) for index, message in enumerate(messages)] if claims else messages


def claim(
    message: openai.AssistantMessage,
    audio: openai.AudioReference,
    *,
    tagger: Tagger,
    tenant: str,
    recalled: Mapping[str, str],
    param: str,
) -> openai.AssistantMessage:
    glm_id = untagged(audio.id)
    if key_of(glm_id) in recalled or tagger.is_tagged(audio.id, tenant=tenant):
        named = msgspec.structs.replace(audio, id=glm_id)
        return msgspec.structs.replace(message, audio=named)
    text = message.content or audio.transcript
    if not (text or message.refusal or message.tool_calls or message.function_call):
        raise unknown(f"{param}.audio.id")
    return msgspec.structs.replace(message, audio=None, content=text)
