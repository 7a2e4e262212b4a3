namespace Hadal.Cli.Drawing;

/// <summary>A curve as text: braille dots, two across and four down a character, or asterisks where there is no Unicode.</summary>
internal static class TextPlot
{
    // Dots of a braille character by column and row, as Unicode numbers them from U+2800 on.
    private static ReadOnlySpan<byte> Dots => [0x01, 0x02, 0x04, 0x40, 0x08, 0x10, 0x20, 0x80];

    /// <summary>Draws values, the first at the left edge and the last at the right one.</summary>
    /// <param name="count">Number of values.</param>
    /// <param name="value">A value by its index; finite.</param>
    /// <param name="width">Characters across.</param>
    /// <param name="height">Lines.</param>
    /// <param name="unicode">Whether braille may be used.</param>
    /// <returns>The lines, top first, and the values of the top and bottom edges.</returns>
    public static (string[] Lines, double Top, double Bottom) Draw(int count, Func<int, double> value, int width, int height, bool unicode)
    {
        int across = unicode ? width * 2 : width;
        int down = unicode ? height * 4 : height;
        double top = double.NegativeInfinity;
        double bottom = double.PositiveInfinity;
        for (int i = 0; i < count; i++)
        {
            top = Math.Max(top, value(i));
            bottom = Math.Min(bottom, value(i));
        }

        var cells = new byte[height, width];
        int? before = null;
        for (int x = 0; x < across && count > 0; x++)
        {
            double at = across == 1 ? count - 1 : (double)x * (count - 1) / (across - 1);
            int left = (int)at;
            int right = Math.Min(left + 1, count - 1);
            double v = value(left) + (value(right) - value(left)) * (at - left);
            int y = top > bottom ? (int)Math.Round((top - v) / (top - bottom) * (down - 1)) : down / 2;
            y = Math.Clamp(y, 0, down - 1);
            // A steep piece is joined to the dot before it, half of the way in each of the two columns.
            int from = y;
            if (before is { } b && Math.Abs(b - y) > 1) from = b + Math.Sign(y - b);
            for (int dot = Math.Min(from, y); dot <= Math.Max(from, y); dot++)
            {
                if (unicode) cells[dot / 4, x / 2] |= Dots[x % 2 * 4 + dot % 4];
                else cells[dot, x] = 1;
            }

            before = y;
        }

        var lines = new string[height];
        var line = new char[width];
        for (int row = 0; row < height; row++)
        {
            for (int column = 0; column < width; column++)
            {
                byte cell = cells[row, column];
                line[column] = cell == 0 ? ' ' : unicode ? (char)(0x2800 + cell) : '*';
            }

            lines[row] = new string(line);
        }

        return (lines, top, bottom);
    }
}
