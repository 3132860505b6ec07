"""
The five fates of a request parameter, and the one loop that applies them.

A table has one row for every field of a public request; it decides what happens and generates the README's table.
A row is converted ``by`` something, or else it is applied.
"""

from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any, ClassVar

from msgspec import Struct, field

from gateway.errors import InvalidRequest
from gateway.translate.strays import anywhere

MAX_NAME_CHARACTERS = 64


class Draft(Struct):
    """What is to be sent to GLM, and the names of what was accepted without effect."""

    fields: dict[str, Any] = field(default_factory=dict)
    ignored: list[str] = field(default_factory=list)


Convert = Callable[[Any, Any, Draft], None]


class Same(Struct, frozen=True):
    """The field goes to GLM as it came."""

    by: ClassVar[None] = None
    note: str = ""

    def apply(self, name: str, value: Any, draft: Draft) -> None:
        """Put it into the draft."""
        draft.fields[name] = value


class Renamed(Struct, frozen=True):
    """
    The field goes to GLM under another name.

    ``by`` brings it within GLM's bounds on the way, as in Converted; None: it goes as it came.
    """

    to: str
    by: Convert | None = None
    note: str = ""

    def apply(self, name: str, value: Any, draft: Draft) -> None:
        """Put it into the draft under its other name."""
        del name
        draft.fields[self.to] = value


class Converted(Struct, frozen=True):
    """
    The field becomes something else, or is acted upon here.

    ``by`` gets the request, its context and the draft to write into; rows that share a ``by`` call it once.
    None means that a later stage reads the field from the request. ``to`` and ``note`` say it in the README.
    """

    to: str
    by: Convert | None = None
    note: str = ""

    def apply(self, name: str, value: Any, draft: Draft) -> None:
        """Do nothing."""


class Ignored(Struct, frozen=True):
    """The field is accepted without effect and named in ``x-gateway-ignored``, unless its value is neutral."""

    by: ClassVar[None] = None
    note: str
    neutral: tuple[Any, ...] = ()

    def apply(self, name: str, value: Any, draft: Draft) -> None:
        """Tell of it in the draft, where it would have an effect."""
        if value not in self.neutral:
            draft.ignored.append(name)


class Refused(Struct, frozen=True):
    """The field is a 400 that names it and says ``note``, unless its value is neutral."""

    by: ClassVar[None] = None
    note: str
    neutral: tuple[Any, ...] = ()

    def apply(self, name: str, value: Any, draft: Draft) -> None:
        """Raise InvalidRequest, where it would have an effect."""
        del draft
        if value not in self.neutral:
            raise InvalidRequest(self.note, param=name, code="unsupported_parameter")


Rule = Same | Renamed | Converted | Ignored | Refused
Table = Mapping[str, Rule]

MODEL = Converted("model", note="aliases are resolved; upper and lower case are the same")
"""The row for the model in the table of nearly every operation."""

WITHOUT_EFFECT = frozenset({"messages[].content[].prompt_cache_breakpoint"})
"""What OpenAI documents inside fields, and nothing here reads: no typing errors of a strict tenant's."""

NOT_IN_GLM = "GLM has no such setting."
"""Why a field is ignored where there is nothing else to say of it."""


def map_params(
    request: Any,
    *,
    present: Collection[str],
    table: Table,
    context: Any,
    strict: bool,
    always: Sequence[Convert] = (),
) -> Draft:
    """
    Apply ``table`` to the fields of ``request`` that are ``present``, which null ones are not.

    ``always`` are conversions that run whatever came, because they have defaults of their own. ``strict``
    refuses what the table does not know instead of ignoring it. Raises InvalidRequest with ``param`` for what is
    refused: the caller's fault.
    """
    draft = Draft()
    conversions = dict.fromkeys(always)  # Each is called once, in the order in which they were first named.
    for name in present:
        rule = table.get(name)
        if rule is None:
            place = anywhere(name)
            if place not in WITHOUT_EFFECT:
                refuse_unknown(name, strict=strict)
            draft.ignored.append(place)
        elif rule.by is not None:
            conversions[rule.by] = None
        else:
            rule.apply(name, getattr(request, name), draft)
    for convert in conversions:
        convert(request, context, draft)
    return draft


def refuse_unknown(name: str, *, strict: bool) -> None:
    """Raise InvalidRequest for a field nobody knows when the caller's tenant is strict."""
    if not strict:
        return
    shown = name[:MAX_NAME_CHARACTERS]
    raise InvalidRequest(
        f"Unknown parameter: '{shown}'. Remove it, or have 'strict' switched off for this tenant.",
        param=shown,
        code="unknown_parameter",
    )
