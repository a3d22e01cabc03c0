"""Rows of the result, and RESULTS.md."""

import os
import re
from dataclasses import dataclass
from statistics import median

NOTES = "## Notes"


@dataclass
class Row:
    what: str
    measured: str
    reference: str = ""
    ratio: str = ""
    budget: str = ""
    met: object = None  # True, False, or None where there is no budget

    def cells(self):
        met = {True: "yes", False: "**no**", None: ""}[self.met]
        return [self.what, self.measured, self.reference, self.ratio, self.budget, met]


HEAD = ["what", "measured", "floor or reference", "ratio", "budget", "met?"]


def with_budget(what, measured, reference, ratios, most):
    """A row whose budget is a greatest ratio; of the rounds' ratios the median counts."""
    mid, low, high = median(ratios), min(ratios), max(ratios)
    text = f"{mid:.2f} ({low:.2f}-{high:.2f})" if len(ratios) > 1 else f"{mid:.2f}"
    return Row(what, measured, reference, text, f"{most:g}", mid <= most)


def markdown(head, rows):
    lines = ["| " + " | ".join(head) + " |", "|" + "---|" * len(head)]
    return "\n".join(lines + ["| " + " | ".join(cells) + " |" for cells in rows])


def plain(head, rows):
    """The same for a terminal: columns padded, no marks."""
    cells = [[re.sub(r"\*\*|`", "", cell) for cell in row] for row in [head, *rows]]
    widths = [max(len(row[i]) for row in cells) for i in range(len(head))]
    lines = ["  ".join(cell.ljust(width) for cell, width in zip(row, widths)).rstrip()
             for row in cells]
    return "\n".join([lines[0], "-" * len(lines[0]), *lines[1:]])


def kept_notes(path):
    """What people wrote under the tables stays."""
    if not os.path.exists(path):
        return f"{NOTES}\n\nNone yet.\n"
    with open(path, encoding="utf-8") as file:
        text = file.read()
    at = text.find(NOTES)
    return text[at:] if at >= 0 else f"{NOTES}\n\nNone yet.\n"


def write_results(path, rows, further, machine, repeat):
    """`further` are (title, head, rows) of tables without budgets."""
    parts = ["# Results", "Made by `test/bench/run --write`, beside the budgets that the project has set itself. "
             "Figures are medians, with the least and the greatest ratio of a round behind; CPU is "
             "user and system time, nginx + responder.",
             markdown(HEAD, [row.cells() for row in rows])]
    for title, head, cells in further:
        parts += [f"## {title}", markdown(head, cells)]
    parts += ["## The machine", machine, "## How to repeat", repeat, kept_notes(path).rstrip()]
    with open(path, "w", encoding="utf-8") as file:
        file.write("\n\n".join(parts) + "\n")
