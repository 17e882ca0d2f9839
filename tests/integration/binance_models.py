"""How a value of JSON differs from the models of Binance's own library.

The models take it if fields are missing, or there are others besides. Here that is a fault, except
where :data:`MISSING` and :data:`MORE` say why.
"""

import functools
import inspect
from collections.abc import Iterator, Sequence
from types import UnionType
from typing import Any, Union, get_args, get_origin

from pydantic import BaseModel, TypeAdapter, ValidationError

#: Fields that are not there, by model.
MISSING = {
    ("ExchangeInfoResponse", "sors"): "optional: there are no orders to route",
    ("PriceFilter", "priceExponent"): "only in the binary format, SBE",
    ("LotSizeFilter", "qtyExponent"): "only in the binary format, SBE",
}
#: Fields that are there besides, by model.
MORE = {
    ("TradeResponse", "a"): "the id of an order: two older clients need it",
    ("TradeResponse", "b"): "the id of an order: two older clients need it",
    ("KlineResponse", "revision"): "of two states of a candle it tells the newer: see docs/api.md",
    ("KlineOffsetResponse", "revision"): "the same",
}


def faults(model: Any, content: Any, path: str = "") -> list[str]:
    """Return how a value of JSON differs from a type, which may be a model, or hold some."""
    origin, arguments = get_origin(model), get_args(model)
    if origin in {Union, UnionType}:
        return _fewest_faults(arguments, content, path)
    if inspect.isclass(model) and issubclass(model, BaseModel):
        alternatives = _alternatives(model)
        if alternatives:
            return _fewest_faults(alternatives, content, path)
        is_array = getattr(model, "is_array", bool)()
        check = _array_faults if is_array else _object_faults
        return list(check(model, content, path))
    if origin is list and isinstance(content, list):
        return [
            fault
            for index, item in enumerate(content)
            for fault in faults(arguments[0], item, f"{path}[{index}]")
        ]
    try:
        _adapter(model).validate_python(content, strict=True)
    except ValidationError as error:
        return [f"{path}: {error.errors()[0]['msg']}, not {content!r}"]
    return []


@functools.cache
def _adapter(model: Any) -> TypeAdapter[Any]:
    return TypeAdapter(model)


def _fewest_faults(models: Sequence[Any], content: Any, path: str) -> list[str]:
    return min((faults(it, content, path) for it in models), key=len)


def _alternatives(model: type[BaseModel]) -> list[Any]:
    """Return the types of which one is to fit, where the library has such a model."""
    return [
        _required(it.annotation)
        for name, it in model.model_fields.items()
        if name.startswith("oneof_schema_")
    ]


def _array_faults(model: type[BaseModel], content: Any, path: str) -> Iterator[str]:
    if not isinstance(content, list):
        yield f"{path} is not an array"
        return
    for index, item in enumerate(content):
        yield from _object_faults(model, item, f"{path}[{index}]")


def _object_faults(model: type[BaseModel], content: Any, path: str) -> Iterator[str]:
    if not isinstance(content, dict):
        yield f"{path} is not an object"
        return
    types = {
        it.alias or name: _required(it.annotation)
        for name, it in model.model_fields.items()
        if name != "additional_properties"
    }
    for name in types.keys() | content.keys():
        if name not in content:
            if (model.__name__, name) not in MISSING:
                yield f"{path}.{name} is missing"
        elif name in types:
            yield from faults(types[name], content[name], f"{path}.{name}")
        elif (model.__name__, name) not in MORE:
            yield f"{path}.{name} is not a field of {model.__name__}"


def _required(annotation: Any) -> Any:
    """Return a type without None, which the library allows for every field."""
    types = [it for it in get_args(annotation) if it is not type(None)]
    return types[0] if get_origin(annotation) in {Union, UnionType} else annotation
