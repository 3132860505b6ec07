"""
OpenAI's vocabularies, as files: read when a client first sends token ids, and kept from then on.

tiktoken would download them at run time. Here they are packaged, unchanged but compressed, with its licence.
"""

import gzip
from functools import cache
from importlib.resources import files

from gateway.translate.embeddings.tokens import SPECIAL_TOKENS, Vocabulary, VocabularyName


@cache
def read_vocabulary(name: VocabularyName) -> Vocabulary:
    """Return a vocabulary; the first time takes 30 to 70 ms of the process, and 9 or 22 MB for good."""
    packed = files(__name__).joinpath(f"{name}.tiktoken.gz").read_bytes()
    return Vocabulary(gzip.decompress(packed), special=SPECIAL_TOKENS[name])
