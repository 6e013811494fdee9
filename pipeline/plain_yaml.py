"""YAML as DVC reads it: by version 1.2, where PyYAML follows 1.1 and takes 1e-3 for text and `no` for false."""

import re
from typing import Any, Final

import yaml

_PLAIN: Final = {
    "null": r"~|null|Null|NULL|",
    "bool": r"true|True|TRUE|false|False|FALSE",
    "int": r"[-+]?(0|[1-9][0-9_]*)",
    "float": r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?|[-+]?\.(inf|Inf|INF)|\.(nan|NaN|NAN)",
    "merge": r"<<",
}
"""What is not text though it has no quotes, the first that fits; dates are text."""


class _Loader(yaml.SafeLoader):
    yaml_implicit_resolvers: dict[str, Any] = {}  # noqa: RUF012  PyYAML fills it below.


for _kind, _pattern in _PLAIN.items():
    _Loader.add_implicit_resolver(f"tag:yaml.org,2002:{_kind}", re.compile(f"^(?:{_pattern})$"), None)


def parse_yaml(text: str) -> Any:
    """The content of a YAML file.

    Raises yaml.YAMLError, often with a `problem_mark`, when it is none.
    """
    try:
        return yaml.load(text, Loader=_Loader)
    except ValueError as error:  # A tag such as `!!int` before what is no integer.
        raise yaml.YAMLError(str(error)) from error
