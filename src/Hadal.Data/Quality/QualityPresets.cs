namespace Hadal.Data.Quality;

/// <summary>Rules with names. Each is a filled record: print it to see its thresholds, change it with <c>with</c>.</summary>
public static class QualityPresets
{
    private static readonly Dictionary<int, double> _topGrams = new() { [2] = 0.20, [3] = 0.18, [4] = 0.16 };
    private static readonly Dictionary<int, double> _duplicateGrams = new() { [5] = 0.15, [6] = 0.14, [7] = 0.13, [8] = 0.12, [9] = 0.11, [10] = 0.10 };

    /// <summary>
    /// What all presets ask of code: no damage, lines of a hundred characters on average and a thousand at most, a quarter of letters and digits (as StarCoder's data does), and
    /// loose bounds on repetition, since good code repeats itself. A mark that a program wrote it is allowed: many libraries put it on hand-written files to still analyzers.
    /// </summary>
    public static QualityRules Code { get; } = new()
    {
        MinWords = 8,
        MinAlphanumeric = 0.25,
        MaxMeanLineLength = 100,
        MaxLineLength = 1000,
        MaxDigits = 0.6,
        MaxDamage = 0.005,
        MaxBulletLines = 0.9,
        MaxEllipsisLines = 0.5,
        MaxDuplicateLineCharacters = 0.6,
        MaxTopGrams = new Dictionary<int, double> { [4] = 0.4 },
        MaxDuplicateGrams = new Dictionary<int, double> { [10] = 0.7 },
        RemoveBoilerplate = true,
    };

    /// <summary>The quality rules of Gopher (Rae et al. 2021, appendix A.1.1): length, words, symbols, bullets, stop words.</summary>
    public static QualityRules Gopher { get; } = Forms(
        new QualityRules
        {
            MinWords = 50,
            MaxWords = 100_000,
            MinMeanWordLength = 3,
            MaxMeanWordLength = 10,
            MaxSymbolRatio = 0.1,
            MaxBulletLines = 0.9,
            MaxEllipsisLines = 0.3,
            MinLetterWords = 0.8,
            MinStopWords = 2,
        },
        r => r with { MinWords = 80, MaxWords = 170_000 },
        r => r with { MinLetterWords = 0.4, MinMeanWordLength = 2 });

    /// <summary>The repetition rules of Gopher (table A1).</summary>
    public static QualityRules GopherRepetition { get; } = Forms(
        new QualityRules
        {
            MaxDuplicateLines = 0.30,
            MaxDuplicateParagraphs = 0.30,
            MaxDuplicateLineCharacters = 0.20,
            MaxDuplicateParagraphCharacters = 0.20,
            MaxTopGrams = _topGrams,
            MaxDuplicateGrams = _duplicateGrams,
        },
        r => r,
        r => r);

    /// <summary>The rules of C4 (Raffel et al. 2020) with the numbers of its published code: lines of 3 words and pages of 5 sentences (the paper says 5 and 3).</summary>
    public static QualityRules C4 { get; } = Forms(
        new QualityRules
        {
            RemoveUnendedLines = true,
            MinLineWords = 3,
            MaxLineWordLength = 1000,
            RemoveScriptLines = true,
            RemovePolicyLines = true,
            DropLoremIpsum = true,
            DropCurlyBrackets = true,
            MinSentences = 5,
        },
        r => r with { MinLineWords = 5 },
        r => r with { DropCurlyBrackets = false });

    /// <summary>
    /// The rules that FineWeb adds (Penedo et al. 2024): ended lines, repeated lines, short lines, and lists (its code's bound). The share of characters in repeated lines is the
    /// paper's 0.1; the published code's default is 0.01.
    /// </summary>
    public static QualityRules FineWeb { get; } = Forms(
        new QualityRules
        {
            MinEndedLines = 0.12,
            MaxShortLines = 0.67,
            ShortLineLength = 30,
            MaxDuplicateLineCharacters = 0.1,
            MaxLineBreaksPerWord = 0.3,
        },
        r => r with { ShortLineLength = 12, MaxLineBreaksPerWord = 0.2 },
        r => r);

    /// <summary>
    /// For a mixture of languages, mathematics and code: the rules above where they hold for all of these, looser where they would drop poems, plays, dialogues and worked problems,
    /// with rules on damage, markup, digits and capitals, and without the lines that web pages put around their text.
    /// </summary>
    public static QualityRules V3 { get; } = Forms(
        new QualityRules
        {
            MinWords = 8,
            MinMeanWordLength = 1.5,
            MaxMeanWordLength = 12,
            MaxSymbolRatio = 0.5,
            MaxBulletLines = 0.9,
            MaxEllipsisLines = 0.5,
            MinLetterWords = 0.4,
            MinStopWords = 2,
            LanguageRulesFromWords = 100,
            MaxDuplicateLines = 0.45,
            MaxDuplicateParagraphs = 0.30,
            MaxDuplicateLineCharacters = 0.20,
            MaxDuplicateParagraphCharacters = 0.20,
            MaxTopGrams = new Dictionary<int, double> { [2] = 0.40, [3] = 0.38, [4] = 0.36 },
            MaxDuplicateGrams = new Dictionary<int, double> { [5] = 0.45, [6] = 0.43, [7] = 0.41, [8] = 0.39, [9] = 0.37, [10] = 0.35 },
            GramRulesFromWords = 60,
            RemoveBoilerplate = true,
            DropLoremIpsum = true,
            MinAlphanumeric = 0.25,
            MaxDigits = 0.4,
            MaxCapitals = 0.8,
            MaxDamage = 0.005,
            MaxMarkup = 0.05,
        },
        r => r with { MinWords = 16, LanguageRulesFromWords = 200, MinStopWords = 1, MinFrequentCharacters = 0.02 },
        r => r with { MaxDigits = 0.7, MinLetterWords = 0.2, MinStopWords = null, MaxMarkup = null });

    /// <summary>The names under which recipes may ask for them.</summary>
    public static IReadOnlyList<string> Names { get; } = ["gopher", "gopher-repetition", "c4", "fineweb", "v3"];

    /// <summary>The rules of a name.</summary>
    /// <param name="name">One of <see cref="Names"/>.</param>
    /// <returns>The rules; null if the name is none.</returns>
    public static QualityRules? Find(string name) => name switch
    {
        "gopher" => Gopher,
        "gopher-repetition" => GopherRepetition,
        "c4" => C4,
        "fineweb" => FineWeb,
        "v3" => V3,
        _ => null,
    };

    private static QualityRules Forms(QualityRules text, Func<QualityRules, QualityRules> unspaced, Func<QualityRules, QualityRules> math) =>
        text with { Unspaced = unspaced(text), Math = math(text), Code = Code };
}
