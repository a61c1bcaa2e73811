"""How what a test needs is imported: into what is there, sorted as it is, under names that mean nothing else."""

from __future__ import annotations

from dataclasses import replace
from textwrap import dedent

import pytest

from testlens.domain.expressions import mark
from testlens.scaffold.style import FixtureFacts, Style
from unit.scaffold.drafts import PLAIN, RECORD, case, text_of

DECIMAL = mark("decimal", "Decimal")
USE = "\n\nprint(it)\n"


def imports_of(*references: str, into: str | None = None, style: Style = PLAIN, **rest: object) -> str:
    """The imports of a file after a test was written into it that uses these references."""
    code = tuple(f"assert {reference}" for reference in references)
    text = text_of(case(*code, **rest), into=into, style=style)
    return text.partition("\n\n\n")[0].partition("\n\nprint(")[0] + "\n"


def use_of(reference: str, into: str | None = None, style: Style = PLAIN, **rest: object) -> str:
    """How a test that is written into a file writes a reference."""
    text = text_of(case(f"assert {reference}", **rest), into=into, style=style)
    return text.rstrip().rpartition("assert ")[2]


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("import pytest\n", "from decimal import Decimal\n\nimport pytest\n\nfrom shop.models import Record\n"),
        (
            "import os\nimport sys\n\nimport pytest\n\nimport shop\n",
            "import os\nimport sys\nfrom decimal import Decimal\n\nimport pytest\n\nimport shop\n[R]",
        ),
        (
            "from decimal import Context\nfrom shop.models import Order\n",
            "from decimal import Context, Decimal\nfrom shop.models import Order, Record\n",
        ),
        (
            "from decimal import (\n    Context,\n    localcontext,\n)\n\nfrom shop.models import Shop  # a shop\n",
            "from decimal import Context, Decimal, localcontext\n\n[R]from shop.models import Shop  # a shop\n",
        ),
        (
            "from shop.a import a\nfrom shop.z import z\nimport zlib\n",
            "from shop.a import a\n[R]from shop.z import z\nimport zlib\nfrom decimal import Decimal\n",
        ),
        (
            "from csv import reader\nimport enum\nfrom os import path\nimport pytest\n\nfrom .base import B\n",
            "from csv import reader\n[D]import enum\nfrom os import path\nimport pytest\n\n[R]\nfrom .base import B\n",
        ),
        (
            "from __future__ import annotations\n",
            "from __future__ import annotations\n\n[D]\n[R]",
        ),
        (
            "import sys\n\nsys.path.insert(0, 'src')\n",
            "import sys\n[D]\nsys.path.insert(0, 'src')\n\n[R]",
        ),
    ],
)
def test_imports_go_where_such_imports_are(before: str, after: str) -> None:
    after = after.replace("[R]", "from shop.models import Record\n").replace("[D]", "from decimal import Decimal\n")
    assert imports_of(DECIMAL, RECORD, into=before + USE) == after


def test_what_is_imported_already_is_used_as_it_is() -> None:
    before = "import decimal as d\n\nfrom shop import models\n\nprint(d, models)\n"
    assert imports_of(DECIMAL, RECORD, into=before) == "import decimal as d\n\nfrom shop import models\n"
    assert use_of(DECIMAL, into=before) == "d.Decimal"
    assert use_of(RECORD, into=before) == "models.Record"
    assert use_of(RECORD, into="from shop.models import Record as R\n") == "R"
    assert use_of(RECORD, into="import shop.models\n") == "shop.models.Record"


@pytest.mark.parametrize(
    "before",
    [
        "from typing import TYPE_CHECKING\n\nif TYPE_CHECKING:\n    from shop.models import Record\n",
        "try:\n    from shop.models import Record\nexcept ImportError:\n    Record = None\n",
        "from shop.models import Record\n\nRecord = fake(Record)\n",
        "from other import Record\n",
        "class Record:\n    pass\n",
        "from other import *\n\nprint(Record)\n",
        "def prepare():\n    global Record\n",
    ],
)
def test_a_name_that_may_mean_something_else_is_not_used(before: str) -> None:
    assert use_of(RECORD, into=before) == "models_Record"


@pytest.mark.parametrize(
    ("reference", "use"),
    [
        (mark("shop.models", "TestResult"), "models_TestResult"),
        (mark("shop.models", "test_all"), "models_test_all"),
        (mark("shop.testing", "testapp"), "_testing_testapp"),
        (mark("shop.models", "setup_module"), "models_setup_module"),
        (mark("shop.models", "open"), "models_open"),
        (mark("shop.models", "__secret"), "models_secret"),
        (mark("shop.models", "Outer.Inner"), "Outer.Inner"),
        (mark("shop.models", "_Outer.__secret"), "_Outer._Outer__secret"),
        (mark("shop.models", "Outer.__name__"), "Outer.__name__"),
        (mark("shop", "models"), "models"),
        (mark("shop.models", ""), "models"),
        (mark("os.path", ""), "os.path"),
        (mark("json", "loads"), "json.loads"),
    ],
)
def test_a_name_with_a_meaning_of_its_own_gets_another(reference: str, use: str) -> None:
    assert use_of(reference) == use


def test_variables_fixtures_and_imports_do_not_shadow_each_other() -> None:
    assert use_of(mark("shop", "record"), given=("record = 1", "print(record)")) == "shop_record"
    assert use_of(mark("shop", "client"), fixtures=("client",)) == "shop_client"
    style = replace(PLAIN, fixtures={"client": FixtureFacts("client", "tests/conftest.py")})
    assert use_of(mark("shop", "client"), style=style) == "shop_client"
    assert use_of(mark("json", "loads"), given=("json = 1", "print(json)")) == "json_module.loads"


def test_what_the_file_defines_itself_is_not_imported() -> None:
    before = "class Record:\n    pass\n"
    assert use_of(mark("tests.test_shop", "Record"), into=before) == "Record"
    assert use_of(mark("test_shop", "Record.name"), into=before) == "Record.name"


def test_two_things_of_one_name_are_told_apart() -> None:
    text = text_of(case(f"assert {mark('shop.a', 'run')} != {mark('shop.b', 'run')}"))
    assert "from shop.a import run\nfrom shop.b import run as b_run\n" in text
    assert "assert run != b_run" in text


def test_modules_are_imported_whole_where_the_projects_tests_do_so() -> None:
    assert imports_of(DECIMAL, style=replace(PLAIN, whole=frozenset({"decimal"}))) == "import decimal\n"
    assert use_of(RECORD, style=replace(PLAIN, whole=frozenset({"shop.models"}))) == "models.Record"


def test_one_name_a_line_stays_one_name_a_line() -> None:
    before = "from shop.models import Order\nfrom shop.models import Shop\n" + USE
    assert imports_of(RECORD, into=before) == (
        "from shop.models import Order\nfrom shop.models import Record\nfrom shop.models import Shop\n"
    )


def test_a_project_with_one_name_a_line_gets_no_two_that_linters_would_merge() -> None:
    style = replace(PLAIN, single_imports=True)
    order = mark("shop.models", "Order")
    assert imports_of(RECORD, order, style=style) == "import shop.models\nfrom shop.models import Record\n"


def test_imports_that_are_long_are_broken() -> None:
    names = [mark("shop.models", f"Long{'e' * 20}st{number}") for number in range(4)]
    lines = imports_of(*names).splitlines()
    assert lines[0] == "from shop.models import ("
    assert lines[1:-1] == [f"    Long{'e' * 20}st{number}," for number in range(4)]


def test_a_long_import_is_broken_unless_the_file_has_it_on_one_line() -> None:
    names = [f"Long{'e' * 20}st{number}" for number in range(4)]
    style = replace(PLAIN, line_length=120)
    references = [mark("shop.models", name) for name in names]
    assert imports_of(*references, style=style).startswith("from shop.models import (\n")
    before = f"from shop.models import {', '.join(names[:3])}\n" + USE
    after = f"from shop.models import {', '.join(names[:3])}, Record\n"
    assert len(after) > 100
    assert imports_of(RECORD, into=before, style=style) == after


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (
            "#!/usr/bin/env python\n# The shop's tests.\n\nX = 1\n",
            "#!/usr/bin/env python\n# The shop's tests.\n\nIMPORTS\nX = 1\n",
        ),
        ('"""Tests."""\nX = 1\n', '"""Tests."""\n\nIMPORTS\nX = 1\n'),
        ("# About X.\nX = 1\n", "IMPORTS\n# About X.\nX = 1\n"),
        ("def test_a():\n    pass\n", "IMPORTS\n\ndef test_a():\n    pass\n"),
    ],
)
def test_the_first_imports_come_after_what_heads_the_file(before: str, after: str) -> None:
    text = text_of(case(f"assert {DECIMAL}"), into=before)
    assert text.startswith(after.replace("IMPORTS", "from decimal import Decimal\n").replace("\n\n\ndef", "\n\n\ndef"))


def test_the_time_zone_has_its_short_name_where_python_knows_it() -> None:
    reference = f"{mark('datetime', 'timezone')}.utc"
    assert use_of(reference, style=replace(PLAIN, python=(3, 11))) == "UTC"
    assert use_of(reference, style=replace(PLAIN, python=(3, 10))) == "timezone.utc"


def test_a_file_without_room_for_imports_is_left_as_it_is() -> None:
    before = dedent("""\
        import os; x = 1
        """)
    assert text_of(case(f"assert {DECIMAL}"), into=before).startswith("from decimal import Decimal\nimport os; x = 1\n")
