"""What pydantic finds wrong in a file, in words for the person who wrote it."""

from typing import Any

from pydantic import BaseModel


def explained(error: Any, model: type[BaseModel]) -> str:
    """One of `ValidationError.errors()` of `model`: the key, what is wrong with it, and what is allowed."""
    key = ".".join(str(part) for part in error["loc"]) or "the file"
    if error["type"] == "extra_forbidden":
        section = _section_of(error["loc"][:-1], model)
        allowed = ", ".join(section.model_fields) if section else "none"
        return f"{key}: unknown key (allowed: {allowed})"
    if error["type"] == "missing":
        return f"{key}: missing; add it"
    if error["type"] == "value_error":
        return f"{key}: {error['ctx']['error']}"
    return f"{key}: {error['msg']}, not {error['input']!r}"


def _section_of(location: tuple[int | str, ...], model: type[BaseModel]) -> type[BaseModel] | None:
    section: Any = model
    for part in location:
        field = section.model_fields.get(part)
        section = field.annotation if field else None
        if not (isinstance(section, type) and issubclass(section, BaseModel)):
            return None
    return section if isinstance(section, type) else None
