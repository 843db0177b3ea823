"""docs/performance.md from made-up results."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from types import ModuleType
from xml.etree import ElementTree

import pytest

from bench import kept, machine, plots, write_up
from bench.kept import Measurement
from bench.report import Plot, Result, at_least, at_most

FACTS = {"Day": "1 March 2026", "Commit": "abcdef0123", "PostgreSQL": "18.4"}
PLOT = Plot(
    "pages",
    "Time of pages",
    "certificates",
    "milliseconds",
    {"Inventory": [(10_000, 22.5), (1_000_000, 44)], "Credentials": [(10_000, 18), (1_000_000, 19)]},
    limit=100,
    log_x=True,
)
ISSUING = Measurement(
    "load.issuing",
    "People issue.",
    FACTS,
    (at_most("time of an issue", 0.25, 1, "s"), Result("issued", "41/s")),
    (),
)
SIZES = Measurement("load.sizes", "Pages at two sizes.", FACTS, (at_least("ratio of two sizes", 0.4, 0.5),), (PLOT,))


@pytest.fixture
def document(tmp_path: Path) -> Path:
    path = tmp_path / "performance.md"
    path.write_text(
        f"# Performance\n\n{write_up.BEGIN}\n\n| old |\n\n{write_up.END}\n\n## What remains\n\nBy hand.\n",
        encoding="utf-8",
    )
    return path


def _everything_in(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_figures_and_their_limits_are_in_the_table(document: Path) -> None:
    write_up.write([ISSUING], document)
    text = document.read_text(encoding="utf-8")
    assert "| time of an issue | 0.25 s | at most 1 s | ok |" in text
    assert "| issued | 41/s |  |  |" in text
    assert "`load.issuing`. People issue." in text
    assert "1 of 1 limits are kept." in text
    slower = replace(ISSUING, results=(at_most("time of an issue", 0.75, 1, "s"),))
    write_up.write([slower], document)
    assert "| time of an issue | 0.75 s | at most 1 s | ok |" in document.read_text(encoding="utf-8")


def test_a_missed_limit_says_so_in_its_row_and_at_the_top(document: Path) -> None:
    write_up.write([ISSUING, SIZES], document)
    text = document.read_text(encoding="utf-8")
    assert "| ratio of two sizes | 0.40 | at least 0.5 | **missed** |" in text
    assert "1 of 2 limits are kept. Missed: ratio of two sizes (0.40)." in text


def test_what_was_not_measured_is_named(document: Path) -> None:
    write_up.write([ISSUING], document)
    text = document.read_text(encoding="utf-8")
    assert "Not measured: load.edge, load.lists, load.sizes, issuance" in text
    assert write_up.absent([ISSUING]) == [name for name in write_up.ORDER if name != "load.issuing"]


def test_the_text_around_the_marks_stays(document: Path) -> None:
    write_up.write([ISSUING], document)
    text = document.read_text(encoding="utf-8")
    assert text.startswith("# Performance\n")
    assert text.endswith("\n## What remains\n\nBy hand.\n")
    assert "| old |" not in text


def test_the_same_figures_give_the_same_bytes(document: Path) -> None:
    write_up.write([ISSUING, SIZES], document)
    first = _everything_in(document.parent)
    assert set(first) == {"performance.md", "images/performance-pages.svg"}
    write_up.write([SIZES, ISSUING], document)
    assert _everything_in(document.parent) == first


def test_each_plot_has_a_picture_and_pictures_of_old_plots_go(document: Path) -> None:
    others = replace(SIZES, plots=(replace(PLOT, name="first"), replace(PLOT, name="second")))
    write_up.write([SIZES], document)
    kept_by_hand = document.parent / "images" / "sign-in.svg"
    kept_by_hand.write_text("<svg/>", encoding="utf-8")
    write_up.write([others], document)
    text = document.read_text(encoding="utf-8")
    assert set(_everything_in(document.parent)) == {
        "performance.md",
        "images/performance-first.svg",
        "images/performance-second.svg",
        "images/sign-in.svg",
    }
    assert "](images/performance-first.svg)" in text
    assert "](images/performance-second.svg)" in text


def test_two_plots_with_one_name_are_refused_and_nothing_is_written(document: Path) -> None:
    before = _everything_in(document.parent)
    with pytest.raises(ValueError, match=r"Two plots would be performance-pages\.svg"):
        write_up.write([SIZES, replace(SIZES, name="load.edge")], document)
    assert _everything_in(document.parent) == before


def test_who_does_not_see_the_picture_is_told_its_figures(document: Path) -> None:
    write_up.write([SIZES], document)
    text = document.read_text(encoding="utf-8")
    assert "Inventory: from 22.5 at 10,000 to 44 at 1,000,000" in text
    assert "limit: 100." in text


def test_where_measurements_were_made_on_different_commits_it_says_which(document: Path) -> None:
    write_up.write([ISSUING, replace(SIZES, facts={**FACTS, "Commit": "9999999999"})], document)
    text = document.read_text(encoding="utf-8")
    assert "| Commit | abcdef0123 (load.issuing); 9999999999 (load.sizes) |" in text
    assert "| PostgreSQL | 18.4 |" in text


def test_no_text_ends_its_cell_or_its_line(document: Path) -> None:
    write_up.write([replace(ISSUING, results=(Result("a | b\nc", "1"),))], document)
    assert "| a \\| b c | 1 |  |  |" in document.read_text(encoding="utf-8")


def test_a_document_without_a_place_stays_as_it_is(tmp_path: Path) -> None:
    document = tmp_path / "performance.md"
    document.write_text("No place\n", encoding="utf-8")
    with pytest.raises(ValueError, match="has no place for the measurements"):
        write_up.write([SIZES], document)
    assert _everything_in(tmp_path) == {"performance.md": b"No place\n"}


def test_the_site_s_own_document_has_a_place_for_them_and_the_pictures_that_it_shows() -> None:
    text = write_up.DOCUMENT.read_text(encoding="utf-8")
    assert text.index(write_up.BEGIN) < text.index(write_up.END) < text.index("## What remains")
    pictures = {path.name for path in (write_up.DOCUMENT.parent / "images").glob("performance-*.svg")}
    assert {name for name in pictures if f"](images/{name})" in text} == pictures


def test_what_a_measurement_finds_is_kept_as_it_is(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    module = ModuleType("bench.load.made_up")
    module.__doc__ = "It measures\nnothing at all.\n\nMore about it."

    def found() -> Iterator[Result | Plot]:
        yield from ISSUING.results
        yield PLOT

    assert kept.carry_out(module, found(), tmp_path)
    assert "0.25 s" in capsys.readouterr().out
    (read,) = kept.read_all(tmp_path)
    assert (read.name, read.about) == ("load.made_up", "It measures nothing at all.")
    assert read.results == ISSUING.results
    assert read.plots == (PLOT,)
    assert read.facts == machine.facts()


def test_a_missed_limit_is_told_to_who_carries_it_out(tmp_path: Path) -> None:
    assert not kept.carry_out(ModuleType("bench.made_up"), SIZES.results, tmp_path)
    assert [result.name for result in kept.read_all(tmp_path)[0].missed] == ["ratio of two sizes"]


def test_one_measurement_takes_the_place_of_its_last_one_alone(tmp_path: Path) -> None:
    kept.keep(ISSUING, tmp_path)
    kept.keep(SIZES, tmp_path)
    kept.keep(replace(ISSUING, about="Anew."), tmp_path)
    assert {one.name: one.about for one in kept.read_all(tmp_path)} == {
        "load.issuing": "Anew.",
        "load.sizes": "Pages at two sizes.",
    }
    kept.forget_all(tmp_path)
    assert kept.read_all(tmp_path) == []


def test_a_measurement_that_breaks_off_leaves_what_was_kept(tmp_path: Path) -> None:
    kept.keep(SIZES, tmp_path)
    module = ModuleType("bench.load.sizes")

    def found() -> Iterator[Result | Plot]:
        yield Result("half", "1")
        raise RuntimeError("away")

    with pytest.raises(RuntimeError, match="away"):
        kept.carry_out(module, found(), tmp_path)
    assert kept.read_all(tmp_path) == [SIZES]


def test_the_machine_is_described_by_what_measurements_run_on() -> None:
    facts = machine.facts()
    assert list(facts)[:4] == ["Day", "Commit", "Processor", "Memory"]
    for program in ("Python", "PostgreSQL", "Redis", "OpenSSL"):
        assert facts[program][0].isdigit(), (program, facts[program])


def _texts(svg: str) -> list[str]:
    return [element.text or "" for element in ElementTree.fromstring(svg).iter("{http://www.w3.org/2000/svg}text")]


def test_text_in_a_picture_is_text() -> None:
    texts = _texts(plots.draw(PLOT))
    for text in ("Time of pages", "Certificates", "Milliseconds", "Inventory", "Credentials", "limit 100", "1,000,000"):
        assert text in texts


def test_a_few_places_of_measurement_are_named_on_the_axis() -> None:
    few = replace(PLOT, series={"web form": [(1, 5.1), (8, 11.2), (32, 11.8)]})
    assert {"1", "8", "32"} <= set(_texts(plots.draw(few)))
    many = replace(PLOT, series={"web form": [(x, 5.0) for x in range(1, 100)]})
    assert "7" not in _texts(plots.draw(many))


def test_a_picture_changes_with_its_figures() -> None:
    other = replace(PLOT, series={**PLOT.series, "Inventory": [(10_000, 22.5), (1_000_000, 95)]})
    assert plots.draw(other) != plots.draw(PLOT)


def test_a_picture_of_many_points_stays_small() -> None:
    many = replace(PLOT, series={"Inventory": [(x, 50 + x % 17) for x in range(1, 5000)]}, log_x=False)
    assert len(plots.draw(many)) < 60_000


def test_every_colour_of_a_picture_has_one_for_dark_pages() -> None:
    svg = plots.draw(PLOT)
    assert "prefers-color-scheme: dark" in svg
    for light in (plots.PAPER, plots.INK, plots.LIMIT, *plots.SERIES[:2]):
        assert f": {light}" in svg.partition("</style>")[2], light
        assert f'[style*="fill: {light}"]' in svg


def test_a_plot_without_points_is_refused() -> None:
    with pytest.raises(ValueError, match="The plot pages has no points"):
        plots.draw(replace(PLOT, series={"Inventory": []}))
