namespace Hadal.Inference.Constraints.Automata;

/// <summary>
/// How a JSON string is spelled: well-formed UTF-8 between quotes, control characters only as escapes, surrogates only as pairs of escapes. A place is one number:
/// what is expected in the low four bits, what was read of an unfinished character above.
/// </summary>
internal static class StringSyntax
{
    /// <summary>Before the opening quote.</summary>
    internal const int Start = 0;

    /// <summary>Between two characters.</summary>
    internal const int Content = 1;

    /// <summary>Behind the closing quote.</summary>
    internal const int Closed = 2;

    /// <summary>Returned for a byte that cannot follow.</summary>
    internal const int Dead = -1;

    private const int Escape = 3, Tail1 = 4, Tail2 = 5, Tail3 = 6, Hex0 = 7, Hex3 = 10, LowEscape = 11, LowU = 12, Low0 = 13, LowMore = 14;
    private const int HighFirst = 0xD800, LowFirst = 0xDC00, LowLast = 0xDFFF, Supplementary = 0x10000;

    /// <summary>Takes a byte.</summary>
    /// <param name="place">A place other than <see cref="Closed"/>.</param>
    /// <param name="value">The byte.</param>
    /// <param name="character">The code point that it completes, else -1.</param>
    /// <returns>The next place, or <see cref="Dead"/>.</returns>
    internal static int Step(int place, byte value, out int character)
    {
        character = -1;
        int read = place >> 4;
        switch (place & 15)
        {
            case Start:
                return value == '"' ? Content : Dead;
            case Content:
                return StepContent(value, out character);
            case Escape:
                character = value switch
                {
                    (byte)'"' => '"',
                    (byte)'\\' => '\\',
                    (byte)'/' => '/',
                    (byte)'b' => '\b',
                    (byte)'f' => '\f',
                    (byte)'n' => '\n',
                    (byte)'r' => '\r',
                    (byte)'t' => '\t',
                    _ => -1,
                };
                return character >= 0 ? Content : value == 'u' ? Hex0 : Dead;
            case Tail1:
                if ((value & 0xC0) != 0x80) return Dead;
                character = read << 6 | (value & 0x3F);
                return Content;
            case Tail2:
                if ((value & 0xC0) != 0x80) return Dead;
                read = read << 6 | (value & 0x3F);
                // Three bytes spell nothing below U+0800 and no surrogates; longer forms have larger numbers here.
                return read < 0x20 || read is >= HighFirst >> 6 and <= LowLast >> 6 ? Dead : read << 4 | Tail1;
            case Tail3:
                if ((value & 0xC0) != 0x80) return Dead;
                read = read << 6 | (value & 0x3F);
                return read is < 0x10 or > 0x10F ? Dead : read << 4 | Tail2;
            case >= Hex0 and <= Hex3:
                return StepHex(place & 15, read, value, out character);
            case LowEscape:
                return value == '\\' ? read << 4 | LowU : Dead;
            case LowU:
                return value == 'u' ? read << 4 | Low0 : Dead;
            case Low0:
                // The ten bits of the high surrogate, then how many digits of the low one were read, then these.
                return value is (byte)'d' or (byte)'D' ? (read << 14 | 1 << 12 | 0xD) << 4 | LowMore : Dead;
            case LowMore:
                return StepLow(read, value, out character);
            default:
                return Dead;
        }
    }

    /// <summary>The code points that an unfinished character can still become: one or two ranges, the second of which is empty if its end is below its start.</summary>
    internal static (int Low, int High, int Low2, int High2) Possible(int place)
    {
        int read = place >> 4;
        switch (place & 15)
        {
            case Tail1:
                return (read << 6, read << 6 | 0x3F, 0, -1);
            case Tail2:
                return (Math.Max(read << 12, 0x800), read << 12 | 0xFFF, 0, -1);
            case Tail3:
                return (Math.Max(read << 18, Supplementary), Math.Min(read << 18 | 0x3FFFF, 0x10FFFF), 0, -1);
            case >= Hex0 and <= Hex3:
                int open = 4 * (4 - ((place & 15) - Hex0)), low = read << open, high = low | (1 << open) - 1;
                int firstPair = Math.Max(low, HighFirst), lastPair = Math.Min(high, LowFirst - 1);
                return (low, high, Supplementary + ((firstPair - HighFirst) << 10), firstPair <= lastPair ? Supplementary + ((lastPair - HighFirst) << 10 | 0x3FF) : -1);
            case LowEscape or LowU or Low0:
                return (Supplementary + (read << 10), Supplementary + (read << 10 | 0x3FF), 0, -1);
            case LowMore:
                int missing = 4 * (4 - (read >> 12 & 3)), digits = (read & 0xFFF) << missing;
                int from = Math.Max(digits, LowFirst) - LowFirst, to = Math.Min(digits | (1 << missing) - 1, LowLast) - LowFirst;
                return (Supplementary + ((read >> 14) << 10 | from), Supplementary + ((read >> 14) << 10 | to), 0, -1);
            default:
                return (0, 0x10FFFF, 0, -1);
        }
    }

    /// <summary>Whether an unfinished character can still become a code point.</summary>
    internal static bool CanBecome(int place, int character)
    {
        var (low, high, low2, high2) = Possible(place);
        return (character >= low && character <= high) || (character >= low2 && character <= high2);
    }

    private static int StepContent(byte value, out int character)
    {
        character = -1;
        switch (value)
        {
            case (byte)'"':
                return Closed;
            case (byte)'\\':
                return Escape;
            case < 0x20:
                return Dead;
            case < 0x80:
                character = value;
                return Content;
            case >= 0xC2 and < 0xE0:
                return (value & 0x1F) << 4 | Tail1;
            case >= 0xE0 and < 0xF0:
                return (value & 0x0F) << 4 | Tail2;
            case >= 0xF0 and < 0xF5:
                return (value & 0x07) << 4 | Tail3;
            default:
                return Dead;
        }
    }

    private static int StepHex(int kind, int read, byte value, out int character)
    {
        character = -1;
        int digit = Digit(value);
        if (digit < 0) return Dead;
        read = read << 4 | digit;
        if (kind < Hex3)
        {
            // A low surrogate never comes first; DC to DF show it at the second digit.
            return kind == Hex0 + 1 && read is >= 0xDC and <= 0xDF ? Dead : read << 4 | kind + 1;
        }

        if (read is >= HighFirst and < LowFirst) return (read - HighFirst) << 4 | LowEscape;
        character = read;
        return Content;
    }

    private static int StepLow(int read, byte value, out int character)
    {
        character = -1;
        int digit = Digit(value), count = read >> 12 & 3, digits = (read & 0xFFF) << 4 | digit;
        if (digit < 0 || (count == 1 && digit < 0xC)) return Dead;
        if (count < 3) return (read >> 14 << 14 | count + 1 << 12 | digits) << 4 | LowMore;
        character = Supplementary + ((read >> 14) << 10 | digits - LowFirst);
        return Content;
    }

    private static int Digit(byte value)
        => value switch
        {
            >= (byte)'0' and <= (byte)'9' => value - '0',
            >= (byte)'a' and <= (byte)'f' => value - 'a' + 10,
            >= (byte)'A' and <= (byte)'F' => value - 'A' + 10,
            _ => -1,
        };
}
