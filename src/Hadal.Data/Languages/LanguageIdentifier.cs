namespace Hadal.Data.Languages;

/// <summary>
/// Names the language of a text: English, Chinese, Japanese, Spanish, code by programming language, or other. Scripts are told by their letters, Latin languages by
/// frequent words, accents and endings, code by the path if there is one and by the shape of lines. Of a long text evenly spread stretches are looked at.
/// Pure and thread-safe; the time does not depend on the length of a long text.
/// </summary>
public static class LanguageIdentifier
{
    /// <summary>What texts without a recognised language are called.</summary>
    public const string Other = "other";

    // A Chinese or Japanese character says about as much as this many Latin letters.
    private const int LettersPerIdeograph = 3;

    // Japanese prose is at least a third kana, Chinese has next to none.
    private const double LeastKana = 0.05;

    // Prose has about one mark in two hundred characters, code one in twenty.
    private const double LeastMarks = 0.008;

    /// <summary>Names the language of a text.</summary>
    /// <param name="text">Any text.</param>
    /// <param name="path">The file it came from, if that is known: its ending decides between programming languages. Endings of prose and of containers say nothing.</param>
    public static LanguageGuess Identify(string text, string? path = null)
    {
        ArgumentNullException.ThrowIfNull(text);
        ReadOnlySpan<char> sample = TextSample.Of(text);
        if (path is not null && CodeEndings.Find(path, sample) is { } ending) return new LanguageGuess(ending, 1);
        ScriptCounts counts = ScriptCounts.Of(sample);
        int ideographs = counts.Han + counts.Kana;
        bool eastAsian = ideographs * LettersPerIdeograph > counts.Latin + counts.Others;
        // Code with comments in Chinese is more Latin than Chinese nearly always; prose need not be searched for code.
        if (!eastAsian && counts.Marks >= LeastMarks * sample.Length && CodeShape.Find(sample) is { } code) return code;
        double all = counts.Latin + counts.Others + ideographs * LettersPerIdeograph;
        if (all == 0) return new LanguageGuess(Other, 0);
        if (eastAsian)
        {
            double share = ideographs * LettersPerIdeograph / all;
            if (counts.Kana > LeastKana * ideographs) return new LanguageGuess("ja", share);
            return counts.LooksChinese ? new LanguageGuess("zh", share) : new LanguageGuess(Other, share);
        }

        if (counts.Others > counts.Latin) return new LanguageGuess(Other, counts.Others / all);
        LanguageGuess guess = LatinLanguages.Identify(sample);
        return guess with { Share = guess.Share * counts.Latin / all };
    }
}
