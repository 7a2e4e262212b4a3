using System.Collections.Frozen;

namespace Hadal.Data.Privacy;

/// <summary>International bank account numbers (ISO 13616): country, two check digits, a number of the country's length; the whole modulo 97 is 1.</summary>
internal static class AccountNumber
{
    private static readonly FrozenDictionary<string, int>.AlternateLookup<ReadOnlySpan<char>> _lengths =
        ("AD24 AE23 AL28 AT20 AZ28 BA20 BE16 BG22 BH22 BR29 CH21 CR22 CY28 CZ24 DE22 DK18 DO28 EE20 EG29 ES24 FI18 FO18 FR27 GB22 GE22 GI23 GL18 GR27 GT28 HR21 HU28 IE22 IL23 IQ23 IS26 IT27 JO30 KW30 KZ20 LB28 LC32 "
        + "LI21 LT20 LU20 LV21 MC27 MD24 ME22 MK19 MR27 MT31 MU30 NL18 NO15 PK24 PL28 PS29 PT25 QA29 RO24 RS22 SA24 SC31 SE24 SI19 SK24 SM27 ST25 SV28 TL23 TN24 TR26 UA29 VA22 VG24 XK20")
        .Split(' ').ToFrozenDictionary(static entry => entry[..2], static entry => int.Parse(entry.AsSpan(2), System.Globalization.CultureInfo.InvariantCulture), StringComparer.Ordinal)
        .GetAlternateLookup<ReadOnlySpan<char>>();

    /// <summary>The end of the number that starts here, or -1.</summary>
    internal static int End(ReadOnlySpan<char> text, int start)
    {
        if (start < 0 || (start > 0 && (char.IsAsciiLetterOrDigit(text[start - 1]) || text[start - 1] is '_' or '-')) || !_lengths.TryGetValue(text.Slice(start, 2), out int length)) return -1;
        Span<char> number = stackalloc char[length];
        int count = 0, position = start;
        while (position < text.Length && count < length)
        {
            char c = text[position];
            if (c is (>= '0' and <= '9') or (>= 'A' and <= 'Z')) number[count++] = c;
            // In print, groups of four.
            else if (c is not (' ' or '\u00A0') || count % 4 != 0 || text[position - 1] == c) return -1;
            position++;
        }

        if (count < length || (position < text.Length && (char.IsAsciiLetterOrDigit(text[position]) || text[position] == '_'))) return -1;
        int remainder = 0;
        for (int i = 0; i < length; i++)
        {
            char c = number[(i + 4) % length];
            remainder = char.IsAsciiDigit(c) ? (remainder * 10 + c - '0') % 97 : (remainder * 100 + c - 'A' + 10) % 97;
        }

        return remainder == 1 ? position : -1;
    }
}
