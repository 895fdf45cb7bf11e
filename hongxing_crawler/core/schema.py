"""The JSON Schema of a row, made from the dataclasses."""

from __future__ import annotations

from typing import Any

import msgspec

from hongxing_crawler.core.row import SCHEMA_VERSION, Article

# Fields of classes that live with the cleaning rules: what they mean in a row.
_BORROWED: dict[str, dict[str, str]] = {
    "Edit": {
        "start": "first code point of the text that the step received",
        "end": "code point after the last",
        "removed": "text that stood there",
        "inserted": "text put in its place",
        "rule": "reason, group.detail",
    },
    "RemovedBlock": {
        "rule": "reason, group.detail",
        "path": "CSS-like path from the body",
        "text": "its visible text",
        "links": "its absolute addresses",
        "evidence": "signs that spoke against it, name=value",
    },
    "GlossEntry": {
        "char": "character that carries a gloss",
        "reading": "reading as inserted",
        "count": "how often it was met",
    },
    "DamagedPlace": {
        "field": "field of the row, as in cleaning.steps",
        "start": "first code point in the repaired field",
        "end": "code point after the last",
        "received": "text as received",
        "repaired": "text as repaired",
        "verdict": "proved | guessed | lossy",
        "alternatives": "other repairs that fit",
    },
}


def json_schema() -> dict[str, Any]:
    """Make the JSON Schema that every exported line fulfils.

    >>> json_schema()["properties"]["headline"]["minLength"]
    1

    Source:
        JSON Schema draft 2020-12. All keys are required, others are not allowed.
    """
    (reference,), definitions = msgspec.json.schema_components(
        [Article], ref_template="#/$defs/{name}"
    )
    assert reference == {"$ref": "#/$defs/Article"}
    for name, definition in definitions.items():
        _close(name, definition)
    article = definitions.pop("Article")
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": f"urn:schema:{SCHEMA_VERSION.replace('/', ':')}",
        **article,
        "title": SCHEMA_VERSION,
        "$defs": dict(sorted(definitions.items())),
    }


def _close(name: str, definition: dict[str, Any]) -> None:
    """Require every key, allow no other, and explain the fields of borrowed classes."""
    properties = definition["properties"]
    for key, value in properties.items():
        value.pop("default", None)
        if "enum" in value:  # all our choices are words
            value["type"] = "string"
        if name in _BORROWED:
            value["description"] = _BORROWED[name][key]
    definition["required"] = list(properties)
    definition["additionalProperties"] = False


def field_tables() -> str:
    """Write the fields of a row as Markdown tables, for ``docs/data-format.md``."""
    schema = json_schema()
    shapes = {"Article": schema, **schema["$defs"]}
    return "\n".join(_table(name, shape) for name, shape in shapes.items())


def _table(name: str, shape: dict[str, Any]) -> str:
    rows = (
        f"| `{key}` | {_type_name(value)} | {value['description'].replace('|', '/')} |"
        for key, value in shape["properties"].items()
    )
    return "\n".join(
        (f"### {name}\n\n| field | type | meaning |", "| --- | --- | --- |", *rows, "")
    )


def _type_name(value: dict[str, Any]) -> str:
    if "anyOf" in value:
        return " or ".join(map(_type_name, value["anyOf"]))
    if "$ref" in value:
        return str(value["$ref"]).rpartition("/")[2]
    if value["type"] == "array":
        return f"list of {_type_name(value['items'])}"
    return str(value["type"])
