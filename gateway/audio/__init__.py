"""
Audio as bytes: what a recording is, its samples, cutting it where nobody speaks, and samples as a file.

Built on PyAV, whose wheels carry FFmpeg. It is imported where it is first needed: most gateways hear nothing, and
it is a fifth of an idle process. Holds no clock, task or thread, and opens no file: it reads the open ones it is
given. All of it blocks, so whoever has an event loop calls it in a thread. Samples are *pcm16* throughout: signed
16 bit, little-endian, one channel, at a rate that is said beside them in Hz.

What it offers:

``probe(file, bounds)``                              what a recording is, and for how many seconds
``decode(file, bounds, sample_rate=...)``            its samples, about a second at a time, whatever its kind
``read_sound(data, bounds=..., sample_rate=...)``    the same for bytes, whole
``cut(samples, Cut(...), sample_rate=...)``          pieces of at most so many seconds, with their times
``Resampler(from_rate=..., to_rate=...)``            another rate, piece by piece: ``feed``, then ``finish``
``sound_of(data, headerless_rate=..., bounds=...)``  what GLM spoke, a wav file or samples alone, as a ``Sound``
``plain_sound(data)``                                the same for a wav file of pcm16 that comes piece by piece
``convert(sound, kind, sample_rate=...)``            a ``Sound`` as a whole file
``Converter(kind, from_rate=..., sample_rate=...)``  the same piece by piece: ``feed``, then ``finish``
``encoder(kind, ...)``, ``encode(pcm, kind, ...)``   samples as a file, without another rate
``wav(pcm, sample_rate=...)``                        samples as a wav file, without FFmpeg
``mu_law()``, ``a_law()``                            G.711 both ways: ``decode`` to pcm16, ``encode`` from it

Kinds are "wav", "mp3", "flac", "opus" (in Ogg), "aac" (ADTS) and "pcm16". Whatever of a caller's cannot be read
raises ``InvalidRequest`` with the param that ``Bounds`` names; ``Bounds`` limits its length, size and time.
"""

from gateway.audio.bounds import TOO_LONG, Bounds
from gateway.audio.containers import Container, sniff
from gateway.audio.cutting import Cut, Piece, cut
from gateway.audio.encode import MEDIA_TYPES, AudioFormat, Encoder, encode, encoder
from gateway.audio.g711 import a_law, mu_law
from gateway.audio.pcm import Sound, plain_sound, wav
from gateway.audio.probing import Probe, probe
from gateway.audio.reading import decode
from gateway.audio.resample import Resampler
from gateway.audio.sound import SPEECH_RATE, Converter, convert, read_sound, sound_of

__all__ = [
    "MEDIA_TYPES",
    "SPEECH_RATE",
    "TOO_LONG",
    "AudioFormat",
    "Bounds",
    "Container",
    "Converter",
    "Cut",
    "Encoder",
    "Piece",
    "Probe",
    "Resampler",
    "Sound",
    "a_law",
    "convert",
    "cut",
    "decode",
    "encode",
    "encoder",
    "mu_law",
    "plain_sound",
    "probe",
    "read_sound",
    "sniff",
    "sound_of",
    "wav",
]
