namespace Hadal.Cli.Reports;

/// <summary>The look of the reports: system fonts, two colour schemes, one column on a telephone and two on a desk, quiet on paper.</summary>
internal static class PageStyle
{
    /// <summary>CSS colour of the main curve.</summary>
    public const string Main = "var(--main)";

    /// <summary>CSS colour of validation.</summary>
    public const string Validation = "var(--validation)";

    /// <summary>CSS colour of the baseline.</summary>
    public const string Baseline = "var(--baseline)";

    /// <summary>CSS colour of the curves of MTP modules, the first module first.</summary>
    /// <param name="module">Module from 0.</param>
    /// <returns>A colour.</returns>
    public static string Mtp(int module) => $"oklch(var(--line) 0.17 {300 + module * 20 % 60})";

    /// <summary>CSS colour of one of several curves in order, from blue over green to red.</summary>
    /// <param name="index">Place of the curve.</param>
    /// <param name="count">Number of curves.</param>
    /// <returns>A colour of the same lightness as the others.</returns>
    public static string Ordered(int index, int count) =>
        string.Create(System.Globalization.CultureInfo.InvariantCulture, $"oklch(var(--line) 0.14 {262 - (count > 1 ? 235.0 * index / (count - 1) : 0):0})");

    /// <summary>CSS colour of one of several things without an order, easy to tell from its neighbours.</summary>
    /// <param name="index">Place of the thing.</param>
    /// <returns>A colour of the same lightness as the others.</returns>
    public static string Category(int index)
    {
        int[] hues = [255, 48, 150, 330, 100, 200, 20, 290];
        return string.Create(System.Globalization.CultureInfo.InvariantCulture, $"oklch(var(--line) {(index < hues.Length ? 0.155 : 0.08)} {hues[index % hues.Length]})");
    }

    /// <summary>The style sheet.</summary>
    public const string Sheet = """

        :root {
          color-scheme: light dark;
          --page: #f4f6f9; --card: #ffffff; --ink: #16202c; --soft: #46566a; --muted: #66768a; --edge: #dfe5ec; --grid: #e8ecf1; --axis: #b4bfcc;
          --main: #1c6dd0; --validation: #d4570a; --baseline: #3f7d57; --line: 0.56; --good: #19734a; --bad: #b3261e; --wash: #eef4fc; --code: #f1f4f8;
          --low: 37 99 235; --high: 234 88 12;
        }
        @media (prefers-color-scheme: dark) {
          :root {
            --page: #0f141b; --card: #171e28; --ink: #e8edf4; --soft: #b4c0cf; --muted: #8e9cae; --edge: #2a3442; --grid: #252e3a; --axis: #4a586a;
            --main: #6aacff; --validation: #ff9d57; --baseline: #78c79a; --line: 0.76; --good: #6fd3a0; --bad: #ff8a80; --wash: #1a2738; --code: #10161e;
          }
        }
        * { box-sizing: border-box; }
        html { -webkit-text-size-adjust: 100%; text-size-adjust: 100%; }
        body {
          margin: 0; background: var(--page); color: var(--ink);
          font: 16px/1.55 -apple-system, BlinkMacSystemFont, "Segoe UI", Roboto, "Helvetica Neue", "Noto Sans", "Liberation Sans", Arial, sans-serif;
          font-variant-numeric: tabular-nums;
        }
        main { max-width: 1120px; margin: 0 auto; padding: 40px 24px 56px; }
        header { margin-bottom: 28px; }
        .kind { margin: 0; color: var(--muted); font-size: 13px; font-weight: 600; letter-spacing: 0.06em; text-transform: uppercase; }
        h1 { margin: 4px 0 10px; font-size: clamp(26px, 4vw, 36px); line-height: 1.15; letter-spacing: -0.015em; overflow-wrap: anywhere; }
        .lead { margin: 0; max-width: 78ch; color: var(--soft); font-size: 18px; line-height: 1.5; overflow-wrap: anywhere; }
        h2 { margin: 44px 0 4px; font-size: 22px; line-height: 1.25; letter-spacing: -0.01em; }
        h3 { margin: 0; font-size: 15px; font-weight: 600; line-height: 1.35; }
        .explain { margin: 0 0 16px; max-width: 82ch; color: var(--soft); }
        h2 + .card { margin-top: 12px; }
        .card + .explain, .pair + .explain { margin-top: 28px; }
        .unit { color: var(--muted); font-weight: 400; }
        .tiles { display: grid; grid-template-columns: repeat(auto-fill, minmax(196px, 1fr)); gap: 12px; }
        .tile { display: flex; flex-direction: column; padding: 14px 16px 13px; background: var(--card); border: 1px solid var(--edge); border-radius: 12px; }
        .tile .name { color: var(--muted); font-size: 13px; line-height: 1.3; }
        .tile .value { margin: 3px 0 2px; font-size: 27px; font-weight: 650; line-height: 1.2; letter-spacing: -0.02em; white-space: nowrap; }
        .tile .note { color: var(--soft); font-size: 13px; line-height: 1.4; }
        .good { color: var(--good); }
        .bad { color: var(--bad); }
        .pair { display: grid; grid-template-columns: repeat(2, minmax(0, 1fr)); gap: 16px; align-items: start; }
        .card { min-width: 0; margin: 0; padding: 16px 18px; background: var(--card); border: 1px solid var(--edge); border-radius: 12px; }
        .card + .card, .pair + .card, .card + .pair, .pair + .pair { margin-top: 16px; }
        .pair .card { margin-top: 0; }
        .card svg { display: block; width: 100%; height: auto; margin-top: 8px; overflow: visible; }
        .card svg text { font-family: inherit; font-variant-numeric: tabular-nums; paint-order: stroke; stroke: var(--card); stroke-width: 3px; stroke-linejoin: round; }
        .card svg image { image-rendering: pixelated; }
        .card svg.narrow { display: none; }
        figcaption { display: flex; flex-wrap: wrap; justify-content: space-between; align-items: baseline; gap: 4px 20px; }
        .legend { display: flex; flex-wrap: wrap; gap: 2px 16px; margin: 0; padding: 0; list-style: none; color: var(--soft); font-size: 13px; }
        .legend li { display: flex; align-items: center; gap: 6px; white-space: nowrap; }
        .legend i { flex: none; width: 18px; height: 0; border-top: 3px solid; border-radius: 2px; }
        .legend i.dash { border-top-style: dashed; border-radius: 0; }
        .legend i.dot { width: 9px; height: 9px; border: 0; border-radius: 50%; background: currentColor; }
        .scale { display: grid; justify-content: start; grid-template-columns: auto 300px auto; gap: 2px 10px; align-items: center; max-width: 560px; margin: 0 0 16px; color: var(--soft); font-size: 13px; line-height: 1.3; }
        .scale .bar {
          height: 14px; border: 1px solid var(--axis); border-radius: 3px; background-color: var(--card);
          background-image: linear-gradient(to right, rgb(var(--low) / 0.95), rgb(var(--low) / 0) 50%, rgb(var(--high) / 0) 50%, rgb(var(--high) / 0.95));
        }
        .scale .marks { grid-column: 2; display: grid; grid-template-columns: 1fr 1fr 1fr; color: var(--muted); font-size: 12px; }
        .scale .marks :nth-child(2) { text-align: center; }
        .scale .marks :nth-child(3) { text-align: right; }
        .tables { display: grid; grid-template-columns: repeat(2, minmax(0, 1fr)); gap: 0 16px; align-items: start; }
        .tables h2 { margin-bottom: 12px; }
        table { width: 100%; border-collapse: collapse; font-size: 14px; line-height: 1.45; }
        th, td { padding: 7px 0; border-top: 1px solid var(--grid); text-align: left; vertical-align: top; font-weight: 400; }
        tr:first-child th, tr:first-child td { border-top: 0; }
        th { width: 44%; padding-right: 16px; color: var(--soft); }
        td { overflow-wrap: anywhere; font-weight: 550; }
        .wide-table { overflow-x: auto; }
        .wide-table th, .wide-table td { width: auto; padding: 7px 14px 7px 0; text-align: right; white-space: nowrap; }
        .wide-table th:first-child { text-align: left; }
        .wide-table thead th { color: var(--muted); font-size: 13px; vertical-align: bottom; white-space: normal; }
        .wide-table tbody th { color: var(--ink); font-weight: 600; }
        .wide-table td:last-child, .wide-table thead th:last-child { padding-right: 0; }
        .wide-table tbody tr:first-child th, .wide-table tbody tr:first-child td { border-top: 1px solid var(--grid); }
        th i.key { display: inline-block; width: 10px; height: 10px; margin-right: 8px; border-radius: 50%; background: currentColor; }
        td .note { display: block; color: var(--muted); font-size: 13px; font-weight: 400; }
        pre { margin: 0; white-space: pre-wrap; overflow-wrap: anywhere; font: 13.5px/1.6 ui-monospace, "Cascadia Code", "SF Mono", Menlo, Consolas, "DejaVu Sans Mono", "Liberation Mono", monospace; }
        .text { unicode-bidi: isolate; }
        .prompt { padding: 1px 3px; margin-left: -3px; background: var(--wash); color: var(--main); border-radius: 4px; font-weight: 600; -webkit-box-decoration-break: clone; box-decoration-break: clone; }
        .facts { display: flex; flex-wrap: wrap; gap: 4px 20px; margin: 12px 0 0; padding: 10px 0 0; border-top: 1px solid var(--grid); list-style: none; color: var(--soft); font-size: 13px; }
        .other { margin: 12px 0 4px; color: var(--muted); font-size: 13px; }
        .command { padding: 14px 16px; background: var(--code); border: 1px solid var(--edge); border-radius: 10px; }
        footer { margin-top: 40px; color: var(--muted); font-size: 13px; }
        @media screen and (max-width: 760px) {
          main { padding: 24px 14px 40px; }
          .lead { font-size: 16.5px; }
          .tiles { grid-template-columns: repeat(auto-fill, minmax(150px, 1fr)); gap: 10px; }
          .tile { padding: 12px 13px; }
          .tile .value { font-size: 23px; }
          .card { padding: 14px; }
          .pair, .tables { grid-template-columns: minmax(0, 1fr); }
          .card svg.wide { display: none; }
          .card svg.narrow { display: block; }
          .scale { grid-template-columns: 1fr 1fr; max-width: none; }
          .scale .bar, .scale .marks { grid-column: 1 / -1; }
          .scale .bar { order: 2; }
          .scale .marks { order: 3; }
          .scale .to { text-align: right; }
        }
        @media print {
          :root { --page: #ffffff; }
          body { font-size: 11pt; }
          main { max-width: none; padding: 0; }
          .pair, .tables { gap: 10px; }
          .tiles { grid-template-columns: repeat(5, 1fr); gap: 8px; }
          .tile { padding: 8px 10px; }
          .tile .value { font-size: 19px; }
          .card { padding: 10px 12px; }
          .card, .tile, .command, .explain, tr { break-inside: avoid; }
          h2 { margin-top: 26px; break-after: avoid; }
          .scale .bar, .legend i, .prompt { print-color-adjust: exact; -webkit-print-color-adjust: exact; }
        }

        """;
}
