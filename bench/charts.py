"""Charts as SVG for the docs, by matplotlib (extra ``bench``). The same figures make the same file."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click

from .ratios import Row

_COLOURS = {"auto": "#1f6f8b", "h11": "#99a8b2"}


def _pyplot() -> Any:
    try:
        import matplotlib as mpl
    except ImportError:
        raise click.ClickException("Charts need matplotlib: pip install 'smswire[bench]'") from None
    mpl.use("svg")
    from matplotlib import pyplot as plt

    plt.rcParams.update({"svg.hashsalt": "smswire", "svg.fonttype": "none", "font.size": 9})
    return plt


def save(figure: Any, path: Path) -> None:
    figure.savefig(path, format="svg", metadata={"Date": None}, bbox_inches="tight")


def ratios(rows: Sequence[Row], path: Path) -> None:
    """A panel a mode: a bar for each peer, answer and lane, with p10 to p90, and a mark where the goal is."""
    plt = _pyplot()
    peers = list(dict.fromkeys(row.peer for row in rows))
    measured = sorted(
        (row for row in rows if row.ratio is not None),
        key=lambda row: (peers.index(row.peer), row.answer != "length", row.lane),
    )
    modes = list(dict.fromkeys(row.mode for row in rows if row.ratio is not None))
    if not modes:
        raise click.ClickException("There is no result to draw.")
    counts = [sum(row.mode == mode for row in measured) for mode in modes]
    figure, panels = plt.subplots(
        len(modes), 1, figsize=(8, 1.5 + 0.24 * sum(counts)), height_ratios=counts, squeeze=False, layout="constrained"
    )
    for mode, panel in zip(modes, panels[:, 0], strict=True):
        _panel(panel, mode, [row for row in measured if row.mode == mode])
    save(figure, path)
    plt.close(figure)


def _panel(panel: Any, mode: str, rows: Sequence[Row]) -> None:
    for place, row in enumerate(rows):
        assert row.ratio is not None
        assert row.p10 is not None
        assert row.p90 is not None
        spread = [[max(0.0, row.ratio - row.p10)], [max(0.0, row.p90 - row.ratio)]]
        panel.barh(place, row.ratio, color=_COLOURS.get(row.lane, "#555555"), height=0.7, xerr=spread, ecolor="#333333")
        if row.goal is not None:
            panel.plot([row.goal] * 2, [place - 0.45, place + 0.45], color="#c0392b", linewidth=2)
    panel.axvline(1.0, color="#333333", linewidth=0.8)
    panel.set_yticks(range(len(rows)), [f"{row.peer}, {row.answer}, lane {row.lane}" for row in rows])
    panel.invert_yaxis()
    panel.set_title(f"{mode}: our CPU per request / the peer's (red: goal)", loc="left")
