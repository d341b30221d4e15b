"""JSON values → the values of rag/types.py, every field checked: what lies on a disk may be
damaged, or of another version.
"""

from __future__ import annotations

import dataclasses
import functools
import types
import typing
from collections.abc import Mapping
from typing import Any, TypeVar

from rag.errors import InputError

T = TypeVar("T")
_hints = functools.cache(typing.get_type_hints)


def read(kind: type[T], value: object) -> T:
    """Return what ``json.loads`` gave as a dataclass. Raises InputError naming the field."""
    made: T = _read(kind, value, kind.__name__)
    return made


def _read(kind: Any, value: object, name: str) -> Any:
    if dataclasses.is_dataclass(kind) and isinstance(kind, type) and isinstance(value, Mapping):
        hints = _hints(kind)
        return kind(
            **{
                field.name: _read(hints[field.name], value[field.name], f"{name}.{field.name}")
                for field in dataclasses.fields(kind)
                if field.name in value or not _has_default(field, name)
            }
        )
    origin, inner = typing.get_origin(kind), typing.get_args(kind)
    if origin is tuple and isinstance(value, list):
        return tuple(_read(inner[0], item, name) for item in value)
    if origin is dict and isinstance(value, dict):
        return {str(key): _read(inner[1], item, name) for key, item in value.items()}
    if origin is typing.Literal and value in inner:
        return value
    if origin is types.UnionType or origin is typing.Union:
        if value is None and type(None) in inner:
            return None
        return _read(next(part for part in inner if part is not type(None)), value, name)
    if kind is float and type(value) in {int, float}:
        return float(typing.cast("float", value))
    if kind in {str, int, bool} and type(value) is kind:
        return value
    raise InputError(f"{name} is not what it should be")


def _has_default(field: dataclasses.Field[Any], name: str) -> bool:
    missing = dataclasses.MISSING
    if field.default is missing and field.default_factory is missing:
        raise InputError(f"{name} has no {field.name}")
    return True
