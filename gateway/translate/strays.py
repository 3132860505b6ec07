"""
Fields inside a request that nobody knows: found without a cost to requests that have none.

A Struct that passes over what it does not know cannot say so, and one that refuses it cannot be lenient. So a kind
of request has a twin that refuses, and only what the twin refuses is looked through.
"""

import functools
import operator
import re
import types
from collections.abc import Iterator
from typing import Annotated, Any, Union, get_args, get_origin, get_type_hints

import msgspec
from msgspec import Struct, inspect

MAX_STRAYS = 100
"""How many are named; a caller that has more has not made a typing error."""

INDEX = re.compile(r"\[\d+\]")


def twin_of(kind: type[Struct]) -> type[Struct]:
    """
    Return a subclass of ``kind`` whose fields refuse what is unknown inside them; ``kind`` if it has no inside.

    At the top it is as lenient as ``kind`` is, since the fields there have a table of their own; so is a kind that
    stands inside itself.
    """
    return twin(kind, forbid=False)


@functools.cache
def twin(kind: type[Struct], *, forbid: bool, around: frozenset[type[Struct]] = frozenset()) -> type[Struct]:
    hints = get_type_hints(kind, include_extras=True)
    inside = {
        name: strict(hint, around | {kind}) for name, hint in hints.items() if name in kind.__struct_fields__
    }
    if not forbid and all(inside[name] is hints[name] for name in inside):
        return kind
    config = kind.__struct_config__
    return msgspec.defstruct(
        kind.__name__,
        [definition(field, inside[field.name]) for field in msgspec.structs.fields(kind)],
        bases=(kind,),
        module=kind.__module__,
        frozen=config.frozen,
        kw_only=True,
        forbid_unknown_fields=forbid,
        tag_field=config.tag_field,
        tag=config.tag,
    )


def definition(field: msgspec.structs.FieldInfo, hint: Any) -> tuple[str, Any] | tuple[str, Any, Any]:
    if field.default_factory is not msgspec.NODEFAULT:
        return field.name, hint, msgspec.field(default_factory=field.default_factory, name=field.encode_name)
    if field.default is not msgspec.NODEFAULT:
        return field.name, hint, msgspec.field(default=field.default, name=field.encode_name)
    return field.name, hint, msgspec.field(name=field.encode_name)


def strict(hint: Any, around: frozenset[type[Struct]]) -> Any:
    """Return a type with twins in place of its Structs, but for those ``around`` it; itself when it has none."""
    if isinstance(hint, type) and issubclass(hint, Struct):
        return hint if hint in around else twin(hint, forbid=True, around=around)
    origin, arguments = get_origin(hint), get_args(hint)
    if origin not in (list, Annotated, Union, types.UnionType):
        return hint
    replaced = tuple(strict(argument, around) for argument in arguments)
    if all(one is other for one, other in zip(replaced, arguments, strict=True)):
        return hint
    if origin is list:
        return list[replaced[0]]  # type: ignore[valid-type]
    return Annotated[replaced] if origin is Annotated else functools.reduce(operator.or_, replaced)


def strays(value: Any, kind: type[Struct]) -> list[str]:
    """Return the paths of what is inside the fields of a request and not known there; null counts as absent."""
    found: dict[str, str] = {}
    for path in within(value, kind):
        if len(found) == MAX_STRAYS:
            break
        found.setdefault(anywhere(path), path)
    return [*found.values()]


def within(value: Any, kind: type[Struct]) -> Iterator[str]:
    for name, info in fields_of(kind).items():
        if isinstance(value, dict) and name in value:
            yield from inside(value[name], info, name)


@functools.cache
def fields_of(kind: type[Struct]) -> dict[str, inspect.Type]:
    info = inspect.type_info(kind)
    assert isinstance(info, inspect.StructType)  # noqa: S101 - a Struct is one
    return {field.encode_name: field.type for field in info.fields}


def anywhere(path: str) -> str:
    """Return a path without the places in lists: ``messages[].name``."""
    return INDEX.sub("[]", path)


def inside(value: Any, info: inspect.Type, path: str) -> Iterator[str]:
    match info:
        case inspect.Metadata(type=bare):
            yield from inside(value, bare, path)
        case inspect.UnionType(types=members):
            for member in members:
                if fits(value, member):
                    yield from inside(value, member, path)
        case inspect.ListType(item_type=item) if isinstance(value, list):
            for index, one in enumerate(value):
                yield from inside(one, item, f"{path}[{index}]")
        case inspect.StructType() if isinstance(value, dict):
            yield from inside_struct(value, info, path)


def inside_struct(value: dict[str, Any], info: inspect.StructType, path: str) -> Iterator[str]:
    known = {field.encode_name: field.type for field in info.fields}
    for name, one in value.items():
        if name in known:
            yield from inside(one, known[name], f"{path}.{name}")
        elif name != info.tag_field and one is not None:
            yield f"{path}.{name}"


def fits(value: Any, info: inspect.Type) -> bool:
    """Tell whether a value is of this member of a union, as far as it matters here."""
    if isinstance(info, inspect.StructType) and info.tag_field is not None:
        return isinstance(value, dict) and value.get(info.tag_field) == info.tag
    return True
