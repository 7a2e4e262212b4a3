using System.Collections.Concurrent;
using System.Globalization;

namespace Hadal.Inference.Constraints.Patterns;

/// <summary>A set of characters as ranges, ascending and apart.</summary>
internal sealed class CharacterRanges
{
    internal const int Last = 0x10FFFF;

    private static readonly ConcurrentDictionary<string, CharacterRanges> _categories = new(StringComparer.Ordinal);

    private CharacterRanges(List<(int Low, int High)> ranges)
    {
        ranges.Sort();
        List<(int Low, int High)> apart = [];
        foreach (var (low, high) in ranges)
        {
            if (apart.Count > 0 && low <= apart[^1].High + 1) apart[^1] = (apart[^1].Low, Math.Max(high, apart[^1].High));
            else apart.Add((low, high));
        }

        Ranges = apart;
    }

    internal IReadOnlyList<(int Low, int High)> Ranges { get; }

    internal static CharacterRanges Any { get; } = Of((0, Last));

    internal static CharacterRanges Digits { get; } = Of(('0', '9'));

    internal static CharacterRanges Word { get; } = Of(('0', '9'), ('A', 'Z'), ('_', '_'), ('a', 'z'));

    /// <summary>White space of ECMAScript.</summary>
    internal static CharacterRanges Space { get; } = Of((9, 13), (32, 32), (0xA0, 0xA0), (0x1680, 0x1680), (0x2000, 0x200A), (0x2028, 0x2029), (0x202F, 0x202F), (0x205F, 0x205F), (0x3000, 0x3000), (0xFEFF, 0xFEFF));

    /// <summary>What a full stop stands for: all but line ends.</summary>
    internal static CharacterRanges Dot { get; } = Of(('\n', '\n'), ('\r', '\r'), (0x2028, 0x2029)).Complement();

    internal static CharacterRanges Of(params List<(int Low, int High)> ranges) => new(ranges);

    internal static CharacterRanges Union(IEnumerable<CharacterRanges> sets) => new([.. sets.SelectMany(static s => s.Ranges)]);

    internal CharacterRanges Complement()
    {
        List<(int, int)> ranges = [];
        int from = 0;
        foreach (var (low, high) in Ranges)
        {
            if (low > from) ranges.Add((from, low - 1));
            from = high + 1;
        }

        if (from <= Last) ranges.Add((from, Last));
        return new CharacterRanges(ranges);
    }

    /// <summary>The characters of a general category such as Lu, or a group of them such as L; null for other names.</summary>
    internal static CharacterRanges? Category(string name)
    {
        if (name.Length is 0 or > 2 || "LMNPSZC".IndexOf(name[0], StringComparison.Ordinal) < 0) return null;
        if (_categories.TryGetValue(name, out var known)) return known;
        List<(int Low, int High)> ranges = [];
        for (int c = 0; c <= Last; c++)
        {
            if (!Short(CharUnicodeInfo.GetUnicodeCategory(c)).StartsWith(name, StringComparison.Ordinal)) continue;
            if (ranges.Count > 0 && ranges[^1].High == c - 1) ranges[^1] = (ranges[^1].Low, c);
            else ranges.Add((c, c));
        }

        return ranges.Count == 0 ? null : _categories.GetOrAdd(name, new CharacterRanges(ranges));
    }

    private static string Short(UnicodeCategory category)
        => category switch
        {
            UnicodeCategory.UppercaseLetter => "Lu",
            UnicodeCategory.LowercaseLetter => "Ll",
            UnicodeCategory.TitlecaseLetter => "Lt",
            UnicodeCategory.ModifierLetter => "Lm",
            UnicodeCategory.OtherLetter => "Lo",
            UnicodeCategory.NonSpacingMark => "Mn",
            UnicodeCategory.SpacingCombiningMark => "Mc",
            UnicodeCategory.EnclosingMark => "Me",
            UnicodeCategory.DecimalDigitNumber => "Nd",
            UnicodeCategory.LetterNumber => "Nl",
            UnicodeCategory.OtherNumber => "No",
            UnicodeCategory.ConnectorPunctuation => "Pc",
            UnicodeCategory.DashPunctuation => "Pd",
            UnicodeCategory.OpenPunctuation => "Ps",
            UnicodeCategory.ClosePunctuation => "Pe",
            UnicodeCategory.InitialQuotePunctuation => "Pi",
            UnicodeCategory.FinalQuotePunctuation => "Pf",
            UnicodeCategory.OtherPunctuation => "Po",
            UnicodeCategory.MathSymbol => "Sm",
            UnicodeCategory.CurrencySymbol => "Sc",
            UnicodeCategory.ModifierSymbol => "Sk",
            UnicodeCategory.OtherSymbol => "So",
            UnicodeCategory.SpaceSeparator => "Zs",
            UnicodeCategory.LineSeparator => "Zl",
            UnicodeCategory.ParagraphSeparator => "Zp",
            UnicodeCategory.Control => "Cc",
            UnicodeCategory.Format => "Cf",
            UnicodeCategory.Surrogate => "Cs",
            UnicodeCategory.PrivateUse => "Co",
            _ => "Cn",
        };
}
