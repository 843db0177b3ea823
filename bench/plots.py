"""A plot as SVG: the same figures give the same bytes, text stays text, and a dark page gets a dark picture.

An SVG in a page of GitHub is an image of its own, which knows the reader's colour scheme and nothing of the page. It
therefore brings its background along, and a style for each scheme; a program that knows no styles shows the light one.
"""

from __future__ import annotations

import io
from collections.abc import Sequence
from itertools import cycle

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.axis import Axis
from matplotlib.figure import Figure
from matplotlib.ticker import FixedLocator, FuncFormatter, Locator, LogLocator, NullLocator

from bench.report import Plot

INCHES = (7.6, 3.7)
MOST_MARKERS = 30
# So many places of measurement are each named on an axis whose steps are powers of ten.
MOST_STEPS = 8
# Each colour on a light page, and what takes its place on a dark one.
PAPER, INK, QUIET, GRID, LIMIT = "#fdfdfe", "#1b2430", "#5a6675", "#e1e5eb", "#c0262d"
SERIES = ("#1d5fc4", "#b4530a", "#0f766f", "#7a3ed1", "#8a6a00", "#b0246e")
DARK = {
    PAPER: "#12171e",
    INK: "#e8edf3",
    QUIET: "#9aa7b6",
    GRID: "#29323e",
    LIMIT: "#ff8080",
    **dict(zip(SERIES, ("#7ab2ff", "#ffa463", "#4fd3c4", "#bb9bff", "#e3c252", "#ff90c3"), strict=True)),
}
DASHES = ("solid", (0, (6, 2)), (0, (2, 1.5)), (0, (6, 2, 1.5, 2)))
MARKERS = "osD^v"


def draw(plot: Plot) -> str:
    """The SVG of a plot. Raises ValueError for one that has no points."""
    if not any(plot.series.values()):
        raise ValueError(f"The plot {plot.name} has no points.")
    with mpl.rc_context(
        {
            "svg.fonttype": "none",
            "svg.hashsalt": plot.name,
            "font.family": "sans-serif",
            "font.size": 9.5,
            "path.simplify_threshold": 0.5,
        }
    ):
        figure = Figure(figsize=INCHES, facecolor=PAPER)
        figure.set_layout_engine("constrained", w_pad=0.14, h_pad=0.1)
        _fill(figure.add_subplot(facecolor=PAPER), plot)
        written = io.StringIO()
        figure.savefig(written, format="svg", metadata={"Date": None, "Creator": None, "Title": plot.title})
    return _with_dark_style(written.getvalue())


def in_words(plot: Plot) -> str:
    """What the plot shows, for who does not see it: each series from its first to its last point, and the limit."""
    parts = [
        f"{label}: from {_number(points[0][1])} at {_number(points[0][0])} "
        f"to {_number(points[-1][1])} at {_number(points[-1][0])}"
        for label, points in plot.series.items()
        if points
    ]
    if plot.limit is not None:
        parts.append(f"limit: {_number(plot.limit)}")
    return f"{plot.title}. {plot.y_label} by {plot.x_label}. {'; '.join(parts)}."


def _fill(axes: Axes, plot: Plot) -> None:
    _set_axes(axes, plot)
    for (label, points), colour, dash, marker in zip(plot.series.items(), cycle(SERIES), cycle(DASHES), cycle(MARKERS)):
        shown = marker if len(points) <= MOST_MARKERS else None
        axes.plot(
            [x for x, _ in points],
            [y for _, y in points],
            color=colour,
            linestyle=dash,
            linewidth=1.8,
            marker=shown,
            markersize=4.5,
            label=label,
        )
    if plot.limit is not None:
        _draw_limit(axes, plot.limit)
    _set_scales(axes, plot)
    if len(plot.series) > 1:
        axes.legend(loc="best", labelcolor=INK, facecolor=PAPER, edgecolor=GRID, framealpha=1, fontsize=9)


def _set_axes(axes: Axes, plot: Plot) -> None:
    axes.set_title(plot.title, loc="left", color=INK, fontsize=11, fontweight="bold", pad=10)
    axes.set_xlabel(_begun(plot.x_label), color=QUIET)
    axes.set_ylabel(_begun(plot.y_label), color=QUIET)
    axes.grid(axis="y", color=GRID, linewidth=0.8)
    axes.set_axisbelow(True)
    axes.tick_params(colors=QUIET, length=0, pad=6)
    for side, spine in axes.spines.items():
        spine.set_visible(side == "bottom")
        spine.set_color(QUIET)


def _set_scales(axes: Axes, plot: Plot) -> None:
    """Steps and numbers of both axes, once everything is drawn."""
    if plot.log_x:
        axes.set_xscale("log")
    if plot.log_y:
        axes.set_yscale("log")
        low, high = axes.get_ylim()
        axes.set_ylim(top=high * (high / low) ** 0.15)  # room for the legend
    else:
        axes.set_ylim(bottom=0, top=_top(plot))
    steps = sorted({x for points in plot.series.values() for x, _ in points})
    for axis, is_log in ((axes.xaxis, plot.log_x), (axes.yaxis, plot.log_y)):
        if is_log:
            axis.set_major_locator(_locator(axis, steps if axis is axes.xaxis else ()))
            axis.set_minor_locator(NullLocator())
        axis.set_major_formatter(FuncFormatter(lambda value, _: _number(value)))


def _locator(axis: Axis, steps: Sequence[float]) -> Locator:
    """Where an axis of powers of ten has its numbers: where something was measured, if that is in a few places."""
    if 0 < len(steps) <= MOST_STEPS:
        return FixedLocator(steps)
    low, high = axis.get_view_interval()
    return LogLocator(base=10, subs=(1,) if high > low * 1000 else (1, 2, 5))


def _top(plot: Plot) -> float:
    highest = max(y for points in plot.series.values() for _, y in points)
    return max(highest, plot.limit or 0) * 1.12 or 1


def _draw_limit(axes: Axes, limit: float) -> None:
    axes.axhline(limit, color=LIMIT, linewidth=1.2, linestyle=(0, (4, 3)))
    axes.annotate(
        f"limit {_number(limit)}",
        (1, limit),
        xycoords=("axes fraction", "data"),
        xytext=(0, 4),
        textcoords="offset points",
        ha="right",
        color=LIMIT,
        fontsize=9,
    )


def _begun(label: str) -> str:
    return label[:1].upper() + label[1:]


def _number(value: float) -> str:
    """A number as people read it: 1,000,000, 250, 12.5, 0.004."""
    return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.4g}"


def _with_dark_style(svg: str) -> str:
    rules = "".join(
        f'[style*="{what}: {light}"] {{ {what}: {dark} !important }}\n'
        for light, dark in DARK.items()
        for what in ("fill", "stroke")
    )
    start = svg.index("<defs>")
    return f"{svg[:start]}<style>\n@media (prefers-color-scheme: dark) {{\n{rules}}}\n</style>\n {svg[start:]}"
