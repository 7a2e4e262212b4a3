namespace Hadal.Data.Sources.Records;

/// <summary>Repairs JSON whose strings escape halves of surrogate pairs.</summary>
internal static class SurrogateEscapes
{
    /// <summary>A copy in which an escaped half without its other half is the escape of U+FFFD.</summary>
    public static byte[] Replace(ReadOnlySpan<byte> json)
    {
        byte[] copy = json.ToArray();
        for (int i = 0; i + 1 < copy.Length;)
        {
            if (copy[i] != '\\')
            {
                i++;
                continue;
            }

            int unit = Unit(copy, i);
            if (unit < 0)
            {
                i += 2;
                continue;
            }

            bool pair = char.IsHighSurrogate((char)unit) && Unit(copy, i + 6) is var next and >= 0 && char.IsLowSurrogate((char)next);
            if (!pair && char.IsSurrogate((char)unit)) "FFFD"u8.CopyTo(copy.AsSpan(i + 2));
            i += pair ? 12 : 6;
        }

        return copy;
    }

    // The code unit that is escaped at this place as \uXXXX; -1 if none is.
    private static int Unit(byte[] json, int at)
    {
        if (at + 6 > json.Length || json[at] != '\\' || json[at + 1] != 'u') return -1;
        return System.Buffers.Text.Utf8Parser.TryParse(json.AsSpan(at + 2, 4), out ushort unit, out int consumed, 'X') && consumed == 4 ? unit : -1;
    }
}
