/**
 * The pictures' colours, light and dark, each told from its neighbours by lightness too. They are in every SVG, so that one
 * that is opened by itself looks as it does on the page.
 */
export const COLOURS = `
.drill { --paper: #ffffff; --ink: #1d2733; --faint: #5d6b7a; --line: #d5dce3; --ok: #23805f; --bad: #c8324a; --shade: #c8324a14;
  --lane-0: #2f6fd0; --lane-1: #c06a08; --lane-2: #8450c4; --box: #f3f6f9; }
@media (prefers-color-scheme: dark) {
  .drill { --paper: #12171d; --ink: #e8edf2; --faint: #9dabb9; --line: #36424e; --ok: #45c498; --bad: #ff6b81; --shade: #ff6b811f;
    --lane-0: #6ba4ff; --lane-1: #f3ab54; --lane-2: #b98cf0; --box: #1c242d; }
}
.drill { background: var(--paper); color: var(--ink); }
.drill text { fill: var(--ink); font: 13px system-ui, sans-serif; }
.drill text.faint { fill: var(--faint); } .drill text.small { font-size: 12px; } .drill text.strong { font-weight: 600; }
.drill text.mono { font-family: ui-monospace, monospace; } .drill text.bad { fill: var(--bad); } .drill text.ok { fill: var(--ok); }
.drill text.inverse { fill: var(--paper); font-weight: 600; }
.drill .grid { stroke: var(--line); fill: none; } .drill .ok { fill: var(--ok); } .drill .bad { fill: var(--bad); }
.drill .shade { fill: var(--shade); } .drill .mark { stroke: var(--bad); stroke-width: 1.5; } .drill .healed { stroke: var(--ok); stroke-width: 1.5; }
.drill .lane-0 { fill: var(--lane-0); } .drill .lane-1 { fill: var(--lane-1); } .drill .lane-2 { fill: var(--lane-2); }
.drill .silent { fill: var(--line); } .drill .box { fill: var(--box); stroke: var(--line); } .drill .hit { stroke: var(--bad); stroke-width: 2; stroke-dasharray: 5 3; }
.drill .frame { fill: none; stroke: var(--line); }
`;

/** Colours are given out in turn. */
export function laneClass(index: number): string {
  return `lane-${index % 3}`;
}
