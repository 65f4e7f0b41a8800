"""Values on their way in and out: JSON on the wire, Python's types here."""

import base64
import dataclasses
import datetime
import decimal
import enum
import math
import pathlib
import typing
import uuid

import dspy
import pydantic


class Unfit(Exception):
    """A value has no form on the other side."""


adapters = {}


def taken(annotation, v, what):
    """A value from the host as a parameter or field with an annotation takes it."""
    if annotation in (str, int, float, bool, typing.Any, None) and not isinstance(v, dict):
        return v
    v = media(v)
    if isinstance(v, dspy.adapters.types.base_type.Type):
        return v
    try:
        adapter = adapters[annotation]
    except (KeyError, TypeError):
        try:
            adapter = pydantic.TypeAdapter(annotation)
        except Exception:
            return v  # the annotation is for people
        try:
            if len(adapters) < 1000:
                adapters[annotation] = adapter
        except TypeError:
            pass
    try:
        return adapter.validate_python(v)
    except pydantic.ValidationError as e:
        raise Unfit(f"the value for `{what}` does not fit its annotation in Python: {e}") from None


def media(v):
    """Pictures, sounds and files, which come marked, as DSPy's own."""
    if isinstance(v, list):
        return [media(x) for x in v]
    if not isinstance(v, dict):
        return v
    kind = v.get("$media")
    if kind is None:
        return {k: media(x) for k, x in v.items()}
    data, of = v.get("data"), v.get("media_type") or "application/octet-stream"
    if kind == "image":
        return dspy.Image(url=f"data:{of};base64,{data}" if data else v.get("url"))
    if kind == "audio":
        return dspy.Audio(data=data, audio_format=of.rpartition("/")[2]) if data else dspy.Audio.from_url(v.get("url"))
    return dspy.File(file_data=f"data:{of};base64,{data}" if data else v.get("url"), filename=v.get("name"))


def given(v, what="the result"):
    """A value of Python's as JSON."""
    if v is None or isinstance(v, (bool, int)) and not isinstance(v, enum.Enum):
        return v
    if isinstance(v, enum.Enum):
        return given(v.value, what)
    if isinstance(v, str):
        return v
    if isinstance(v, float):
        if not math.isfinite(v):
            raise Unfit(f"`{what}` is {v}, which is no number that dspi has")
        return v
    if isinstance(v, dict):
        return {str(given(k, what)): given(x, f"{what}.{k}") for k, x in v.items()}
    if isinstance(v, (list, tuple)):
        return [given(x, f"{what}[{i}]") for i, x in enumerate(v)]
    if isinstance(v, (set, frozenset)):
        return [given(x, what) for x in sorted(v, key=repr)]
    if isinstance(v, dspy.Image):
        return v.url
    if isinstance(v, dspy.Code):
        return v.code
    if isinstance(v, dspy.Audio):
        return f"data:audio/{v.audio_format};base64,{v.data}"
    if isinstance(v, dspy.Example):
        return {k: given(x, f"{what}.{k}") for k, x in v.items()}
    if isinstance(v, pydantic.BaseModel):
        return {k: given(getattr(v, k), f"{what}.{k}") for k in type(v).model_fields}
    if dataclasses.is_dataclass(v) and not isinstance(v, type):
        return {f.name: given(getattr(v, f.name), f"{what}.{f.name}") for f in dataclasses.fields(v)}
    if isinstance(v, (datetime.datetime, datetime.date, datetime.time)):
        return v.isoformat()
    if isinstance(v, datetime.timedelta):
        return f"{v // datetime.timedelta(microseconds=1)}us"
    if isinstance(v, decimal.Decimal):
        return given(float(v), what)
    if isinstance(v, (uuid.UUID, pathlib.PurePath)):
        return str(v)
    if isinstance(v, (bytes, bytearray)):
        return base64.b64encode(v).decode()
    for name in ("tolist", "item"):  # numpy and its kin
        if callable(getattr(v, name, None)):
            return given(getattr(v, name)(), what)
    raise Unfit(f"`{what}` is a {type(v).__module__}.{type(v).__qualname__}, which has no form in JSON")
