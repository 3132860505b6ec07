"""
Token ids back to text: clients cut texts with OpenAI's tokenizer and send the ids, and GLM takes only text.

Decodes and never encodes. Reads no file; whoever has one makes a ``Vocabulary`` of it.
"""

from binascii import a2b_base64
from collections.abc import Callable, Mapping, Sequence
from typing import Literal

VocabularyName = Literal["cl100k_base", "o200k_base"]

SPECIAL_TOKENS: Mapping[VocabularyName, Mapping[str, int]] = {
    "cl100k_base": {
        "<|endoftext|>": 100257,
        "<|fim_prefix|>": 100258,
        "<|fim_middle|>": 100259,
        "<|fim_suffix|>": 100260,
        "<|endofprompt|>": 100276,
    },
    "o200k_base": {"<|endoftext|>": 199999, "<|endofprompt|>": 200018},
}
"""What the files leave out. Source: ``tiktoken_ext.openai_public`` of PyPI ``tiktoken`` 0.14.0."""

O200K_NAMES = (
    "o1",
    "o3",
    "o4-mini",
    "gpt-4o",
    "chatgpt-4o",
    "gpt-4.1",
    "gpt-4.5",
    "gpt-5",
    "gpt-oss",
    "ft:gpt-4o",
)


class UnknownTokenError(ValueError):
    """Raised for an id that a vocabulary does not have; ``position`` is its place among the ids."""

    def __init__(self, position: int) -> None:
        super().__init__(position)
        self.position = position


class Vocabulary:
    """
    The text behind each id.

    ``ranks`` is a file of OpenAI's: a line for every token in the order of the ids, base64 and id.
    """

    def __init__(self, ranks: bytes, *, special: Mapping[str, int]) -> None:
        tokens: list[bytes | None] = [a2b_base64(line.partition(b" ")[0]) for line in ranks.splitlines()]
        tokens += [None] * (max(special.values()) + 1 - len(tokens))
        for text, token_id in special.items():
            tokens[token_id] = text.encode()
        self._tokens = tokens

    def decode(self, ids: Sequence[int]) -> str:
        """
        Return the text; a character of which the ids hold only a part becomes U+FFFD, as tiktoken has it.

        Raises UnknownTokenError for the first id that is not there.
        """
        try:
            if not ids or min(ids) >= 0:
                # A gap in the table is None, which cannot be joined.
                return b"".join(map(self._tokens.__getitem__, ids)).decode(errors="replace")  # type: ignore[arg-type]
        except (IndexError, TypeError):
            pass
        raise UnknownTokenError(next(at for at, token_id in enumerate(ids) if not self._knows(token_id)))

    def _knows(self, token_id: int) -> bool:
        return 0 <= token_id < len(self._tokens) and self._tokens[token_id] is not None


FindVocabulary = Callable[[VocabularyName], Vocabulary]
"""How the files are reached from a room that reads none."""


def vocabulary_for(model: str) -> VocabularyName:
    """
    Return the vocabulary with which clients cut texts for a model of this name.

    Names that tiktoken does not know, such as GLM's, are cut with cl100k_base by LangChain, as are those of
    OpenAI's embedding models.
    """
    return "o200k_base" if model.lower().startswith(O200K_NAMES) else "cl100k_base"
