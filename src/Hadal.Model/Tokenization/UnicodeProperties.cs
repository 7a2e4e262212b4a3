using System.Globalization;

namespace Hadal.Model.Tokenization;

/// <summary>The named character sets that patterns of tokenizer files may use.</summary>
internal static class UnicodeProperties
{
    private static readonly Dictionary<string, UnicodeCategory[]> _categories = BuildCategories();

    /// <summary>Unicode white space: what <c>\s</c> matches.</summary>
    internal static CodePointSet WhiteSpace { get; } = CodePointSet.Range(9, 13).Union(CodePointSet.Of(0x85)).Union(OfCategories(
        UnicodeCategory.SpaceSeparator, UnicodeCategory.LineSeparator, UnicodeCategory.ParagraphSeparator));

    /// <summary>Letters, marks, decimal digits, letter numbers, connectors and enclosed letters: what <c>[\w]</c> matches.</summary>
    internal static CodePointSet Word { get; } = OfCategories(
        UnicodeCategory.UppercaseLetter, UnicodeCategory.LowercaseLetter, UnicodeCategory.TitlecaseLetter, UnicodeCategory.ModifierLetter,
        UnicodeCategory.OtherLetter, UnicodeCategory.NonSpacingMark, UnicodeCategory.SpacingCombiningMark, UnicodeCategory.EnclosingMark,
        UnicodeCategory.DecimalDigitNumber, UnicodeCategory.LetterNumber, UnicodeCategory.ConnectorPunctuation)
        .Union(CodePointSet.Range(0x24B6, 0x24E9)).Union(CodePointSet.Range(0x1F130, 0x1F149)).Union(CodePointSet.Range(0x1F150, 0x1F169))
        .Union(CodePointSet.Range(0x1F170, 0x1F189));

    /// <summary>What <c>\w</c> outside a class matches: the reference's engine then counts ² ³ ¹ ¼ ½ ¾ as well.</summary>
    internal static CodePointSet WordOutsideClass { get; } = Word.Union(CodePointSet.Range(0xB2, 0xB3)).Union(CodePointSet.Of(0xB9))
        .Union(CodePointSet.Range(0xBC, 0xBE));

    /// <summary>What counts as part of a word beside an added token: the joiners too.</summary>
    internal static CodePointSet WordBesideToken { get; } = Word.Union(CodePointSet.Range(0x200C, 0x200D));

    internal static CodePointSet Digit { get; } = OfCategories(UnicodeCategory.DecimalDigitNumber);

    internal static CodePointSet Number { get; } = Find("n")!;

    internal static CodePointSet Punctuation { get; } = Find("p")!;

    internal static CodePointSet AsciiPunctuation { get; } = CodePointSet.Range('!', '/').Union(CodePointSet.Range(':', '@'))
        .Union(CodePointSet.Range('[', '`')).Union(CodePointSet.Range('{', '~'));

    internal static CodePointSet HexDigit { get; } = CodePointSet.Range('0', '9').Union(CodePointSet.Range('A', 'F')).Union(CodePointSet.Range('a', 'f'));

    /// <summary>The set a property name stands for (general categories in short and long form and a few common classes), or null.</summary>
    internal static CodePointSet? Find(string name)
    {
        string key = name.Replace("_", "", StringComparison.Ordinal).Replace(" ", "", StringComparison.Ordinal)
            .Replace("-", "", StringComparison.Ordinal).ToLowerInvariant();
        if (_categories.TryGetValue(key, out UnicodeCategory[]? categories)) return OfCategories(categories);
        return key switch
        {
            "any" => CodePointSet.All,
            "assigned" => OfCategories(UnicodeCategory.OtherNotAssigned).Complement(),
            "ascii" => CodePointSet.Range(0, 0x7F),
            "space" or "whitespace" => WhiteSpace,
            "xdigit" or "hexdigit" => HexDigit,
            "blank" => OfCategories(UnicodeCategory.SpaceSeparator).Union(CodePointSet.Of('\t')),
            _ => null,
        };
    }

    private static CodePointSet OfCategories(params ReadOnlySpan<UnicodeCategory> categories)
    {
        CodePointSet set = CodePointSet.Empty;
        foreach (UnicodeCategory category in categories) set = set.Union(CodePointSet.Of(category));
        return set;
    }

    private static Dictionary<string, UnicodeCategory[]> BuildCategories()
    {
        // One line a category: short name, long name.
        (string Short, string Long, UnicodeCategory Category)[] single =
        [
            ("lu", "uppercaseletter", UnicodeCategory.UppercaseLetter),
            ("ll", "lowercaseletter", UnicodeCategory.LowercaseLetter),
            ("lt", "titlecaseletter", UnicodeCategory.TitlecaseLetter),
            ("lm", "modifierletter", UnicodeCategory.ModifierLetter),
            ("lo", "otherletter", UnicodeCategory.OtherLetter),
            ("mn", "nonspacingmark", UnicodeCategory.NonSpacingMark),
            ("mc", "spacingmark", UnicodeCategory.SpacingCombiningMark),
            ("me", "enclosingmark", UnicodeCategory.EnclosingMark),
            ("nd", "decimalnumber", UnicodeCategory.DecimalDigitNumber),
            ("nl", "letternumber", UnicodeCategory.LetterNumber),
            ("no", "othernumber", UnicodeCategory.OtherNumber),
            ("pc", "connectorpunctuation", UnicodeCategory.ConnectorPunctuation),
            ("pd", "dashpunctuation", UnicodeCategory.DashPunctuation),
            ("ps", "openpunctuation", UnicodeCategory.OpenPunctuation),
            ("pe", "closepunctuation", UnicodeCategory.ClosePunctuation),
            ("pi", "initialpunctuation", UnicodeCategory.InitialQuotePunctuation),
            ("pf", "finalpunctuation", UnicodeCategory.FinalQuotePunctuation),
            ("po", "otherpunctuation", UnicodeCategory.OtherPunctuation),
            ("sm", "mathsymbol", UnicodeCategory.MathSymbol),
            ("sc", "currencysymbol", UnicodeCategory.CurrencySymbol),
            ("sk", "modifiersymbol", UnicodeCategory.ModifierSymbol),
            ("so", "othersymbol", UnicodeCategory.OtherSymbol),
            ("zs", "spaceseparator", UnicodeCategory.SpaceSeparator),
            ("zl", "lineseparator", UnicodeCategory.LineSeparator),
            ("zp", "paragraphseparator", UnicodeCategory.ParagraphSeparator),
            ("cc", "control", UnicodeCategory.Control),
            ("cf", "format", UnicodeCategory.Format),
            ("cs", "surrogate", UnicodeCategory.Surrogate),
            ("co", "privateuse", UnicodeCategory.PrivateUse),
            ("cn", "unassigned", UnicodeCategory.OtherNotAssigned),
        ];
        Dictionary<string, UnicodeCategory[]> map = new(StringComparer.Ordinal);
        foreach ((string shortName, string longName, UnicodeCategory category) in single) map[shortName] = map[longName] = [category];
        foreach ((string major, string longName) in (ReadOnlySpan<(string, string)>)[("l", "letter"), ("m", "mark"), ("n", "number"), ("p", "punctuation"),
            ("s", "symbol"), ("z", "separator"), ("c", "other")])
            map[major] = map[longName] = [.. single.Where(s => s.Short[0] == major[0]).Select(s => s.Category)];
        map["lc"] = map["casedletter"] = [UnicodeCategory.UppercaseLetter, UnicodeCategory.LowercaseLetter, UnicodeCategory.TitlecaseLetter];
        return map;
    }
}
