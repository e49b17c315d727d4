"""The page's only style sheet: light and dark, phone and paper. It loads nothing, so it looks the same everywhere.

It replaces the figures' fixed colours (svg.py) by those of a dark page.
"""

from typing import Final

from training.report import svg

DARK_FIGURES: Final = {svg.INK: "#e6edf3", svg.GRID: "#30363d", svg.BLUE: "#56b4e9", svg.ORANGE: "#ff9e4a"}
"""Okabe and Ito's sky blue, and an orange of the same brightness. Grey is the same on both pages."""


def _exchange(colour: str, other: str) -> str:
    return "".join(f'svg [{part}="{colour}"]{{{part}:{other}}}' for part in ("fill", "stroke"))


SHEET: Final = (
    """
:root{color-scheme:light dark;--ink:#24292f;--paper:#fff;--quiet:#57606a;--line:#d8dee4;--raised:#f6f8fa;
--good:#116329;--bad:#a40e26;--link:#0550ae}
*{box-sizing:border-box}
html{-webkit-text-size-adjust:100%;text-size-adjust:100%}
body{margin:0 auto;max-width:72rem;padding:1.5rem 1rem 4rem;background:var(--paper);color:var(--ink);
font:1rem/1.5 system-ui,-apple-system,"Segoe UI",Roboto,"DejaVu Sans",sans-serif;overflow-wrap:break-word}
h1{font-size:1.75rem;line-height:1.2;margin:0 0 .25rem}
h2{font-size:1.25rem;margin:2.5rem 0 .75rem;padding-bottom:.25rem;border-bottom:1px solid var(--line)}
h3{font-size:1rem;margin:1.5rem 0 .5rem}
p{margin:.5rem 0;max-width:46rem}
a{color:var(--link)}
nav{margin:1rem 0 0;font-size:.9rem}nav a{display:inline-block;margin:0 .9rem .25rem 0;white-space:nowrap}
.lead,.note,.caption{color:var(--quiet)}.note,.caption{font-size:.875rem}
.tiles{display:grid;grid-template-columns:repeat(auto-fit,minmax(9rem,1fr));gap:.75rem;margin:1.25rem 0 0;padding:0}
.tiles div{background:var(--raised);border:1px solid var(--line);border-radius:.5rem;padding:.6rem .8rem;min-width:0}
.tiles dt{color:var(--quiet);font-size:.8rem}
.tiles dd{margin:0;font-size:1.3rem;font-weight:600;font-variant-numeric:tabular-nums}
.tiles small{display:block;font-size:.75rem;font-weight:400;line-height:1.35;color:var(--quiet)}
.good{color:var(--good)}.bad{color:var(--bad)}
.unstated{color:var(--quiet);font-style:italic}
.table{display:inline-block;vertical-align:top;max-width:100%;margin:.25rem 0 .75rem}
@media(min-width:48rem){.table{margin-right:3rem;max-width:calc(100% - 3rem)}}
.caption{margin:.25rem 0}
.scroll{overflow-x:auto}
table{border-collapse:collapse;font-size:.9rem;font-variant-numeric:tabular-nums}
th,td{text-align:left;vertical-align:top;padding:.3rem .9rem .3rem 0;border-bottom:1px solid var(--line)}
thead th{white-space:nowrap;color:var(--quiet);font-weight:600}
tbody th{font-weight:500;max-width:20rem}
td{max-width:34rem}.number{text-align:right;white-space:nowrap}
.pairs td{overflow-wrap:anywhere}
.figures{display:grid;grid-template-columns:repeat(auto-fill,minmax(min(100%,23rem),1fr));gap:1rem;align-items:start}
figure{margin:0;min-width:0}
svg{display:block;width:100%;max-width:36rem;height:auto;font-family:inherit}
svg *{stroke-linejoin:round;stroke-linecap:butt}
dl.card{margin:0;display:grid;grid-template-columns:minmax(9rem,14rem) 1fr;gap:.4rem 1rem}
dl.card dt{font-weight:500}dl.card dd{margin:0;max-width:46rem;white-space:pre-line}
@media(max-width:36rem){dl.card{grid-template-columns:1fr;gap:0}dl.card dd{margin-bottom:.75rem}}
@media screen and (prefers-color-scheme:dark){
:root{--ink:#e6edf3;--paper:#0d1117;--quiet:#9198a1;--line:#30363d;--raised:#161b22;--good:#56d364;--bad:#ff7b72;
--link:#79c0ff}
"""
    + "".join(_exchange(colour, other) for colour, other in DARK_FIGURES.items())
    + """}
@media print{
body{max-width:none;padding:0;font-size:10pt}nav{display:none}a{color:inherit}
.scroll{overflow:visible}td,tbody th{max-width:none;overflow-wrap:anywhere}
h2,h3,.caption{break-after:avoid}.table{margin-right:1.5rem}
figure,tr,.tiles div{break-inside:avoid}.figures{grid-template-columns:1fr 1fr}}
"""
)
