namespace Hadal.Cli.Drawing;

/// <summary>The load of a layer's experts as a row of small bars.</summary>
internal static class LoadBars
{
    private const string Blocks = " ▁▂▃▄▅▆▇█";
    private const string Plain = " .:-=+*#@";

    /// <summary>One bar: its character, how often it is repeated, and the load behind it relative to an even share.</summary>
    /// <param name="Text">Characters of the bar, the gap after it included.</param>
    /// <param name="Load">Load of the busiest expert behind the bar; 1 is an even share.</param>
    public readonly record struct Bar(string Text, double Load);

    /// <summary>Draws a layer; where there are more experts than characters, a bar stands for the busiest of several neighbours.</summary>
    /// <param name="load">Tokens of each expert.</param>
    /// <param name="width">Characters there are.</param>
    /// <param name="unicode">Whether block characters may be used.</param>
    /// <returns>The bars, no wider than <paramref name="width"/> together; a full one is twice an even share or more.</returns>
    public static Bar[] Draw(ReadOnlySpan<long> load, int width, bool unicode)
    {
        if (load.IsEmpty || width < 1) return [];
        long total = 0;
        foreach (long tokens in load) total += tokens;
        double even = (double)total / load.Length;

        int bars = Math.Min(load.Length, width);
        int wide = Math.Clamp(width / bars, 1, 4);
        string shapes = unicode ? Blocks : Plain;
        var drawn = new Bar[bars];
        for (int i = 0; i < bars; i++)
        {
            int first = (int)((long)i * load.Length / bars);
            int end = (int)((long)(i + 1) * load.Length / bars);
            long busiest = 0;
            for (int e = first; e < end; e++) busiest = Math.Max(busiest, load[e]);
            double relative = even > 0 ? busiest / even : 0;
            int level = Math.Clamp((int)Math.Round(relative / 2 * (shapes.Length - 1)), busiest > 0 ? 1 : 0, shapes.Length - 1);
            string text = new(shapes[level], Math.Max(1, wide - 1));
            drawn[i] = new Bar(wide == 1 ? text : text + " ", relative);
        }

        return drawn;
    }
}
