"""The published schemas are those that events are made by, and their examples fit them."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
from jsonschema import Draft202012Validator

from infra import event_schemas
from till.domain.events import EventName

if TYPE_CHECKING:
    from pathlib import Path

FILES = {f"{name}.v1.json" for name in EventName}


def test_the_committed_schemas_have_not_drifted() -> None:
    committed = {
        path.name: path.read_text(encoding="utf-8") for path in event_schemas.FOLDER.glob("*.json")
    }
    assert committed.keys() == FILES
    assert committed == event_schemas.generate(), "run `make event-schemas` and commit the result"


@pytest.mark.parametrize("name", EventName)
def test_a_schema_is_sound_and_its_example_fits_it(name: EventName) -> None:
    path = event_schemas.FOLDER / event_schemas.schema_file(name)
    schema = json.loads(path.read_text(encoding="utf-8"))
    Draft202012Validator.check_schema(schema)
    assert (schema["title"], schema["$id"]) == (name, f"urn:till:events:{name}.v1")
    checker = Draft202012Validator(schema, format_checker=Draft202012Validator.FORMAT_CHECKER)
    (example,) = schema["examples"]
    checker.validate(example)
    # What is added later must not break who reads it today.
    checker.validate({**example, "added_later": 1})
    for field in schema["required"]:
        assert not checker.is_valid({k: v for k, v in example.items() if k != field})


@pytest.mark.parametrize("name", EventName)
def test_the_page_tells_of_every_event(name: EventName) -> None:
    page = (event_schemas.FOLDER / "README.md").read_text(encoding="utf-8")
    assert f"[{name}]({name}.v1.json)" in page


def test_what_is_written_is_what_is_generated(tmp_path: Path) -> None:
    event_schemas.write(tmp_path)
    assert {path.name for path in tmp_path.iterdir()} == FILES
