"""What glm-4-voice makes of the sound in a conversation: words, and its own earlier answers by their ids."""

from msgspec.structs import replace

from gateway.simulator.audio.transcriptions import UNREADABLE_SOUND
from gateway.simulator.chat.conversation import Conversation, Turn
from gateway.simulator.chat.media import decoded, sound_kind
from gateway.simulator.platform import Ask
from gateway.simulator.refusals import Refusal
from gateway.simulator.speech import Unplayable, decode, listen, seconds_of
from gateway.simulator.speech.listening import LISTENING_HZ

LONGEST_SECONDS = 600.0
"""The longest sound that a message may hold."""

_LISTENS_SECONDS = 60
"""What comes later is not listened to, so that a request takes seconds and not minutes."""


def heard(conversation: Conversation, ask: Ask) -> Conversation:
    """
    Return the conversation with the words of its sounds after the text of each turn. Takes its time.

    Raises Refusal for a sound that cannot be read or is too long (1210), and for the id of an answer that nobody
    gave this account, or whose time is over (1214).
    """
    turns = [_heard(turn, index, ask) for index, turn in enumerate(conversation.turns)]
    return replace(conversation, turns=turns)


def _heard(turn: Turn, index: int, ask: Ask) -> Turn:
    words = [_words(sound) for sound in turn.sounds]
    if turn.audio_id is not None:
        platform = ask.platform
        said = platform.spoken.recall(turn.audio_id, account=ask.account.name, now=platform.clock())
        if said is None:
            raise Refusal("1214", f"messages[{index}].audio.id")
        words.append(said)
    return replace(turn, text="\n".join(filter(None, [turn.text, *words])))


def _words(sound: str) -> str:
    content = decoded(sound) or b""
    kind = sound_kind(content) or "wav"  # what it is was checked before
    try:
        pcm = decode(content, kind=kind, rate_hz=LISTENING_HZ, longest_seconds=LONGEST_SECONDS)
    except Unplayable as error:
        raise Refusal("1210", wording=UNREADABLE_SOUND) from error
    if seconds_of(pcm, rate_hz=LISTENING_HZ) > LONGEST_SECONDS:
        raise Refusal("1210", f"input_audio: at most {LONGEST_SECONDS:g} seconds")
    return listen(pcm[: _LISTENS_SECONDS * LISTENING_HZ * 2], LISTENING_HZ)
