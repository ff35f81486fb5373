"""Standards that every block of the project keeps, checked offline."""

from __future__ import annotations

import re
from typing import get_args

import pytest
from prefect.blocks.core import Block
from pydantic import SecretStr

from connectors import blocks

BLOCKS: list[type[Block]] = [getattr(blocks, name) for name in blocks.__all__]
SECRET_NAMES = re.compile(r"key|token|password|secret|client_id|^url$")


@pytest.mark.parametrize("block", BLOCKS)
def test_every_field_has_a_title_and_a_sentence(block: type[Block]) -> None:
    for name, field in block.model_fields.items():
        assert field.title, name
        assert (field.description or "").endswith("."), name


@pytest.mark.parametrize("block", BLOCKS)
def test_secrets_are_held_as_secrets(block: type[Block]) -> None:
    for name, field in block.model_fields.items():
        if SECRET_NAMES.search(name):
            assert SecretStr in (field.annotation, *get_args(field.annotation)), name


@pytest.mark.parametrize("block", BLOCKS)
def test_every_block_has_a_name_a_slug_and_a_description(block: type[Block]) -> None:
    assert block.get_block_type_name()
    assert re.fullmatch(r"[a-z][a-z-]+", block.get_block_type_slug())
    assert (block.get_description() or "").endswith(".")


@pytest.mark.parametrize("block", BLOCKS)
def test_every_example_can_be_read_and_loads_the_block(block: type[Block]) -> None:
    example = block.get_code_example()
    assert example is not None
    code = example.split("```python")[1].split("```")[0]
    inside = "\n".join(f"    {line}" for line in code.splitlines())
    compile(f"async def example():\n{inside}", "example", "exec")
    assert re.search(rf'{block.__name__}\.a?load\("BLOCK_NAME"\)', code)


def test_names_and_slugs_are_unique() -> None:
    assert len({block.get_block_type_slug() for block in BLOCKS}) == len(BLOCKS)
    assert len({block.get_block_type_name() for block in BLOCKS}) == len(BLOCKS)


def test_every_block_class_of_the_connectors_is_named() -> None:
    ours = {one.__name__ for one in Block.__subclasses__() if one.__module__.startswith("connectors.")}
    assert ours == set(blocks.__all__)
