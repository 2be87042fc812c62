"""The scripts behind `make docs`: they see what is wrong, and nothing else."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from threadwell.app import BASE_URL_VARIABLE, SPOOL_VARIABLE
from threadwell.cli.command import PROJECT_VARIABLE, STORE_VARIABLE
from threadwell.stores.sealing import SECRETS_FILE_VARIABLE, SECRETS_VARIABLE
from threadwell.stores.urls import store_path
from threadwell.users.settings import HASHING_VARIABLE, PROXIES_VARIABLE
from threadwell.zones.sources import ZONE_DATA_VARIABLE

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "scripts"))

import check_docs  # noqa: E402
import make_docs  # noqa: E402


@pytest.fixture
def page(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A page beside ``other.md``, in a project of its own."""
    (tmp_path / "Makefile").write_text("run: ## Run it\n\ttrue\n")
    (tmp_path / "src").mkdir()
    (tmp_path / "src" / "there.py").touch()
    (tmp_path / "other.md").write_text("# A title, with `code`\n\n## Twice\n\n## Twice\n")
    monkeypatch.setattr(check_docs, "ROOT", tmp_path)
    check_docs._targets.cache_clear()
    yield tmp_path / "page.md"
    check_docs._targets.cache_clear()


@pytest.mark.parametrize(
    "text",
    [
        "[there](other.md)",
        "[there](other.md#a-title-with-code)",
        "[again](other.md#twice-1)",
        "# Here\n\n[here](#here)",
        "[away](https://example.org/gone.md) [mail](mailto:a@example.org)",
        "`[code](is/no/link.md)`",
        "```\n[nor](is/this.md)\n```",
        "<!-- [a comment](is/none.md) -->",
        "`src/there.py` and `src/<name>.py`",
        "`make run`",
        "```sh\nthreadwell sessions --format json | head -3  # don't stop here\n```",
        '```sh\nthreadwell post Patient \'{\n  "resourceType": "Patient"\n}\' > patient.json\n```',
        '```sh\nid=$(threadwell get "Patient/$id" \\\n  --store a.db 2> errors)\n```',
        "```sh\nNAME=x threadwellish --no-such\n```",
        "1. Step\n\n   ```sh\n   threadwell sessions\n   ```\n",
        "```\nthreadwell no-such-command\n```",
    ],
)
def test_nothing_to_say(page: Path, text: str) -> None:
    page.write_text(text)
    assert [*check_docs.check(page)] == []


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("[gone](gone.md)", "gone.md leads nowhere"),
        ("![picture](images/gone.png)", "images/gone.png leads nowhere"),
        ("[a [b] c](gone.md 'title')", "gone.md leads nowhere"),
        ("[gone](other.md#thrice)", "other.md#thrice leads to no heading"),
        ("[gone](#nowhere)", "#nowhere leads to no heading"),
        ("`src/gone.py`", "there is no src/gone.py"),
        ("[adr/0002](other.md)", "the decision other.md is called 0002"),
        ("`make nothing`", "there is no `make nothing`"),
        ("```sh\nthreadwell sesions\n```", "invalid choice: 'sesions'"),
        ("```sh\ncd x && threadwell serve --prot 1\n```", "unrecognized arguments: --prot"),
        ("1. Step\n\n   ```sh\n   threadwell sesions\n   ```\n", "invalid choice"),
        ("```sh\nthreadwell import \\\n  --zone UTC\n```", "required: PATH"),
    ],
)
def test_problems(page: Path, text: str, problem: str) -> None:
    page.write_text(text)
    (found,) = check_docs.check(page)
    assert problem in str(found)
    assert str(found).startswith("page.md: ")


def test_the_documentation_is_as_it_should_be() -> None:
    wrong = [
        *check_docs.stale(),
        *check_docs.decisions(),
        *(p for page in check_docs.pages() for p in check_docs.check(page)),
    ]
    assert [str(problem) for problem in wrong] == []


def test_each_decision_has_a_number_and_a_place_in_the_list(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(check_docs, "ROOT", tmp_path)
    folder = tmp_path / "docs" / "adr"
    folder.mkdir(parents=True)
    for name in ("0001-a.md", "0001-b.md", "0002-c.md", "0003-d.md"):
        (folder / name).touch()
    rows = [f"[{name[:4]}]({name})" for name in ("0001-a.md", "0001-b.md", "0002-c.md")]
    (folder / "README.md").write_text("\n".join([*rows, rows[-1]]))
    assert [problem.text for problem in check_docs.decisions()] == [
        "has the number of 0001-a.md",
        "has 0002-c.md 2 times",
        "has 0003-d.md 0 times",
    ]


def test_a_stale_page_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(make_docs, "REFERENCE", tmp_path)
    monkeypatch.setattr(check_docs, "ROOT", tmp_path)
    assert len([*check_docs.stale()]) == len(make_docs.pages())
    make_docs.main()
    assert [*check_docs.stale()] == []
    (tmp_path / "cli.md").write_text("# Commands\n")
    assert [str(problem) for problem in check_docs.stale()] == [
        "cli.md: is out of date: run scripts/make_docs.py"
    ]


def test_every_environment_variable_is_described() -> None:
    read = {
        name
        for path in (ROOT / "src").rglob("*.py")
        for name in re.findall(r"environ(?:\.get\(|\[)\"?(\w+)", path.read_text("utf-8"))
    }
    constants = {
        "STORE_VARIABLE": STORE_VARIABLE,
        "PROJECT_VARIABLE": PROJECT_VARIABLE,
        "BASE_URL_VARIABLE": BASE_URL_VARIABLE,
        "ZONE_DATA_VARIABLE": ZONE_DATA_VARIABLE,
        "HASHING_VARIABLE": HASHING_VARIABLE,
        "PROXIES_VARIABLE": PROXIES_VARIABLE,
        "SPOOL_VARIABLE": SPOOL_VARIABLE,
        "SECRETS_VARIABLE": SECRETS_VARIABLE,
        "SECRETS_FILE_VARIABLE": SECRETS_FILE_VARIABLE,
    }
    named = {constants.get(name, name) for name in read}
    assert named == set(make_docs.ENVIRONMENT)


def test_every_command_and_type_has_its_place() -> None:
    pages = make_docs.pages()
    commands = re.findall(r"^## threadwell (\S+)$", pages["cli.md"], re.MULTILINE)
    assert commands == [command.name for command in make_docs.commands()]
    assert len(re.findall(r"^## [A-Z]", pages["search-parameters.md"], re.MULTILINE)) == 147
    assert "| `part-of` | reference | `partOf` → any type |" in pages["search-parameters.md"]
    assert "| `--unknown quarantine\\|patient` | `unknown` | `quarantine` |" in pages["settings.md"]


def test_every_store_that_is_described_is_known() -> None:
    for urls in make_docs.STORES:
        for url in urls.split("`, `"):
            store_path(url)  # raises StoreError for a kind that is not known
    assert STORE_VARIABLE in make_docs.ENVIRONMENT
