"""Tables of what bench/compare.py measured."""


def _time(seconds):
    for unit, scale in (("ns", 1e9), ("µs", 1e6), ("ms", 1e3)):
        if seconds * scale < 1000:
            return f"{seconds * scale:.3g} {unit}"
    return f"{seconds:.3g} s"


def line(row):
    """One measurement as it comes in."""
    other = f"  numexpr/engine {row['numexpr'] / row['engine']:6.2f}" if "numexpr" in row else ""
    ratio = row["numpy"] / row["engine"]
    return f"{row['case']:14}{row['size']:>10}  {_time(row['engine']):>9}  NumPy/engine {ratio:6.2f}{other}"


def table(rows):
    """Markdown: one row per case and size, ratios above 1 are in the engine's favour."""
    text = ["| case | n | engine | NumPy / engine | numexpr / engine |", "|---|---|---|---|---|"]
    for row in rows:
        numexpr = f"{row['numexpr'] / row['engine']:.2f}" if "numexpr" in row else "–"
        text.append(f"| {row['case']} | {row['size']:.0e} | {_time(row['engine'])} | {row['numpy'] / row['engine']:.2f} | {numexpr} |")
    return "\n".join(text)
