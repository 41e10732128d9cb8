"""The ratios of a benchmark as SVG: bars from a line at 1, by load and peer."""

from html import escape

ROW, LABEL, WIDTH, RIGHT = 22, 150, 520, 70
COLOURS = {"floor": "#6b7280", "mbsync": "#2563eb", "dsync": "#b45309", "imapsync": "#7c3aed"}


def ratios(loads):
    """`loads`: (name, medians by mover). A bar is mailferry's wall time divided by the peer's."""
    rows = []
    for name, medians in loads:
        own = medians.get("mailferry")
        for peer, figures in medians.items():
            if own and peer != "mailferry":
                rows.append((f"{name}  {peer}", peer, own["wall_s"] / figures["wall_s"]))
    largest = max([ratio for _, _, ratio in rows] + [1.25])
    height = ROW * (len(rows) + 3)
    parts = [f'<svg xmlns="http://www.w3.org/2000/svg" role="img" font-family="sans-serif" '
             f'font-size="13" width="{LABEL + WIDTH + RIGHT}" height="{height}" '
             f'viewBox="0 0 {LABEL + WIDTH + RIGHT} {height}">',
             "<title>mailferry's wall time as a multiple of its peers'</title>",
             f'<rect width="100%" height="100%" fill="#ffffff"/>',
             f'<text x="8" y="{ROW}" font-weight="bold">Wall time of mailferry / of the peer; '
             "less than 1 is faster</text>"]
    for number, (label, peer, ratio) in enumerate(rows):
        y = ROW * (number + 2)
        width = WIDTH * ratio / largest
        parts.append(f'<text x="8" y="{y + 15}">{escape(label)}</text>'
                     f'<rect x="{LABEL}" y="{y + 3}" width="{width:.1f}" height="{ROW - 6}" '
                     f'fill="{COLOURS.get(peer, "#374151")}"/>'
                     f'<text x="{LABEL + width + 6:.1f}" y="{y + 15}">{ratio:.2f}x</text>')
    x = LABEL + WIDTH / largest
    parts.append(f'<line x1="{x:.1f}" x2="{x:.1f}" y1="{ROW * 1.6:.1f}" y2="{height - ROW}" '
                 'stroke="#111827" stroke-dasharray="4 3"/></svg>\n')
    return "\n".join(parts)
