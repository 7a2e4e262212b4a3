using System.Text.Json.Serialization;
using static System.FormattableString;

namespace Hadal.Data.Quality;

/// <summary>
/// The rules a text has to keep, as thresholds. A threshold of null, and a switch of false, is a rule that is off. <see cref="QualityPresets"/> holds filled ones with names.
/// A recipe may carry it: what it leaves out is off.
/// </summary>
/// <remarks>
/// A word is what stands between blanks and holds a letter or digit. In text without blanks (Chinese, Japanese, Thai and the like, told by the characters of the text) a
/// character counts as a word and n-grams are windows of 2n characters. Shares are from 0 to 1.
/// </remarks>
public sealed record QualityRules
{
    /// <summary>Fewest words.</summary>
    [JsonPropertyName("min_words")]
    public int? MinWords { get; init; }

    /// <summary>Most words.</summary>
    [JsonPropertyName("max_words")]
    public int? MaxWords { get; init; }

    /// <summary>Least mean length of a word in letters and digits. Not measured where there are no blanks.</summary>
    [JsonPropertyName("min_mean_word_length")]
    public double? MinMeanWordLength { get; init; }

    /// <summary>Greatest mean length of a word in letters and digits. Not measured where there are no blanks.</summary>
    [JsonPropertyName("max_mean_word_length")]
    public double? MaxMeanWordLength { get; init; }

    /// <summary>Most hash signs per word, and most ellipses per word.</summary>
    [JsonPropertyName("max_symbol_ratio")]
    public double? MaxSymbolRatio { get; init; }

    /// <summary>Greatest share of the lines that begin with a bullet, in texts of several lines.</summary>
    [JsonPropertyName("max_bullet_lines")]
    public double? MaxBulletLines { get; init; }

    /// <summary>Greatest share of the lines that end in an ellipsis, in texts of several lines.</summary>
    [JsonPropertyName("max_ellipsis_lines")]
    public double? MaxEllipsisLines { get; init; }

    /// <summary>Least share of what stands between blanks that holds a letter.</summary>
    [JsonPropertyName("min_letter_words")]
    public double? MinLetterWords { get; init; }

    /// <summary>Fewest different stop words of the language (the best of all languages known, if the text's is not); stop characters such as 的 and の where there are no blanks.</summary>
    [JsonPropertyName("min_stop_words")]
    public int? MinStopWords { get; init; }

    /// <summary>Least share of the frequent characters of Chinese and Japanese among all such characters: wrongly decoded text has next to none. Only where there are no blanks.</summary>
    [JsonPropertyName("min_frequent_characters")]
    public double? MinFrequentCharacters { get; init; }

    /// <summary>Rules on stop words, frequent characters and capitals count from so many words on: a short poem needs none.</summary>
    [JsonPropertyName("language_rules_from_words")]
    public int LanguageRulesFromWords { get; init; }

    /// <summary>Greatest share of lines that repeat an earlier one; empty lines do not count.</summary>
    [JsonPropertyName("max_duplicate_lines")]
    public double? MaxDuplicateLines { get; init; }

    /// <summary>Greatest share of paragraphs (between empty lines) that repeat an earlier one.</summary>
    [JsonPropertyName("max_duplicate_paragraphs")]
    public double? MaxDuplicateParagraphs { get; init; }

    /// <summary>Greatest share of the characters that stand in lines which repeat an earlier one.</summary>
    [JsonPropertyName("max_duplicate_line_characters")]
    public double? MaxDuplicateLineCharacters { get; init; }

    /// <summary>Greatest share of the characters that stand in paragraphs which repeat an earlier one.</summary>
    [JsonPropertyName("max_duplicate_paragraph_characters")]
    public double? MaxDuplicateParagraphCharacters { get; init; }

    /// <summary>For n of 1 to 16, the greatest share of the characters that the most frequent n-gram may take, if it occurs more than once.</summary>
    [JsonPropertyName("max_top_grams")]
    public IReadOnlyDictionary<int, double>? MaxTopGrams { get; init; }

    /// <summary>For n of 1 to 16, the greatest share of the characters in n-grams which repeat an earlier one, each character counted once.</summary>
    [JsonPropertyName("max_duplicate_grams")]
    public IReadOnlyDictionary<int, double>? MaxDuplicateGrams { get; init; }

    /// <summary>The rules on n-grams count from so many words on.</summary>
    [JsonPropertyName("gram_rules_from_words")]
    public int GramRulesFromWords { get; init; }

    /// <summary>Removes lines that do not end in a mark that ends a sentence, or that end in an ellipsis.</summary>
    [JsonPropertyName("remove_unended_lines")]
    public bool RemoveUnendedLines { get; init; }

    /// <summary>Removes lines of fewer words.</summary>
    [JsonPropertyName("min_line_words")]
    public int? MinLineWords { get; init; }

    /// <summary>Removes lines with a longer word. Not where there are no blanks.</summary>
    [JsonPropertyName("max_line_word_length")]
    public int? MaxLineWordLength { get; init; }

    /// <summary>Removes lines that name JavaScript.</summary>
    [JsonPropertyName("remove_script_lines")]
    public bool RemoveScriptLines { get; init; }

    /// <summary>Removes lines on cookies, terms of use and privacy.</summary>
    [JsonPropertyName("remove_policy_lines")]
    public bool RemovePolicyLines { get; init; }

    /// <summary>Removes what web pages put around their text: cookie notices, menus, share buttons, calls to subscribe or log in, notices of rights.</summary>
    [JsonPropertyName("remove_boilerplate")]
    public bool RemoveBoilerplate { get; init; }

    /// <summary>Drops texts with the filler text "lorem ipsum".</summary>
    [JsonPropertyName("drop_lorem_ipsum")]
    public bool DropLoremIpsum { get; init; }

    /// <summary>Drops texts with a curly bracket.</summary>
    [JsonPropertyName("drop_curly_brackets")]
    public bool DropCurlyBrackets { get; init; }

    /// <summary>Drops texts whose first lines say that a program wrote them.</summary>
    [JsonPropertyName("drop_generated")]
    public bool DropGenerated { get; init; }

    /// <summary>Fewest sentences, counted by the marks that end them.</summary>
    [JsonPropertyName("min_sentences")]
    public int? MinSentences { get; init; }

    /// <summary>Least share of the lines that end in a mark that ends a sentence.</summary>
    [JsonPropertyName("min_ended_lines")]
    public double? MinEndedLines { get; init; }

    /// <summary>Greatest share of short lines.</summary>
    [JsonPropertyName("max_short_lines")]
    public double? MaxShortLines { get; init; }

    /// <summary>A line of so many characters or fewer is short.</summary>
    [JsonPropertyName("short_line_length")]
    public int ShortLineLength { get; init; } = 30;

    /// <summary>Most line breaks per word.</summary>
    [JsonPropertyName("max_line_breaks_per_word")]
    public double? MaxLineBreaksPerWord { get; init; }

    /// <summary>Greatest mean length of a line in characters.</summary>
    [JsonPropertyName("max_mean_line_length")]
    public double? MaxMeanLineLength { get; init; }

    /// <summary>Greatest length of a line in characters.</summary>
    [JsonPropertyName("max_line_length")]
    public int? MaxLineLength { get; init; }

    /// <summary>Least share of letters and digits among all characters but blanks.</summary>
    [JsonPropertyName("min_alphanumeric")]
    public double? MinAlphanumeric { get; init; }

    /// <summary>Greatest share of digits among letters and digits.</summary>
    [JsonPropertyName("max_digits")]
    public double? MaxDigits { get; init; }

    /// <summary>Greatest share of capitals among the letters.</summary>
    [JsonPropertyName("max_capitals")]
    public double? MaxCapitals { get; init; }

    /// <summary>Greatest share of characters that only damage brings: controls, replacement characters, private use, noncharacters, invisible marks, and signs of a wrong decoding.</summary>
    [JsonPropertyName("max_damage")]
    public double? MaxDamage { get; init; }

    /// <summary>Greatest share of the characters that stand in HTML tags and entities.</summary>
    [JsonPropertyName("max_markup")]
    public double? MaxMarkup { get; init; }

    /// <summary>Other rules, all of them, for text without blanks; null for the same.</summary>
    [JsonPropertyName("unspaced")]
    public QualityRules? Unspaced { get; init; }

    /// <summary>Other rules, all of them, for code (the language begins with "code" or is a programming language's name); null for the same.</summary>
    [JsonPropertyName("code")]
    public QualityRules? Code { get; init; }

    /// <summary>Other rules, all of them, for mathematics (the language is "math"); null for the same.</summary>
    [JsonPropertyName("math")]
    public QualityRules? Math { get; init; }

    /// <summary>What is wrong with it and what would be right, in one clause; null if nothing.</summary>
    public string? Problem()
    {
        foreach (var (name, share) in (ReadOnlySpan<(string, double?)>)
        [
            ("max_bullet_lines", MaxBulletLines), ("max_ellipsis_lines", MaxEllipsisLines), ("min_letter_words", MinLetterWords),
            ("min_frequent_characters", MinFrequentCharacters), ("max_duplicate_lines", MaxDuplicateLines), ("max_duplicate_paragraphs", MaxDuplicateParagraphs),
            ("max_duplicate_line_characters", MaxDuplicateLineCharacters), ("max_duplicate_paragraph_characters", MaxDuplicateParagraphCharacters),
            ("min_ended_lines", MinEndedLines), ("max_short_lines", MaxShortLines), ("min_alphanumeric", MinAlphanumeric), ("max_digits", MaxDigits),
            ("max_capitals", MaxCapitals), ("max_damage", MaxDamage), ("max_markup", MaxMarkup),
        ])
        {
            if (share is not (null or (>= 0 and <= 1))) return Invariant($"\"{name}\" is {share}, but a share is from 0 to 1");
        }

        foreach (var (name, number) in (ReadOnlySpan<(string, double?)>)
        [
            ("min_words", MinWords), ("max_words", MaxWords), ("min_mean_word_length", MinMeanWordLength), ("max_mean_word_length", MaxMeanWordLength),
            ("max_symbol_ratio", MaxSymbolRatio), ("min_stop_words", MinStopWords), ("min_line_words", MinLineWords), ("max_line_word_length", MaxLineWordLength),
            ("min_sentences", MinSentences), ("max_line_breaks_per_word", MaxLineBreaksPerWord), ("max_mean_line_length", MaxMeanLineLength),
            ("max_line_length", MaxLineLength), ("short_line_length", ShortLineLength), ("language_rules_from_words", LanguageRulesFromWords),
            ("gram_rules_from_words", GramRulesFromWords),
        ])
        {
            if (number is not (null or (>= 0 and < double.PositiveInfinity))) return Invariant($"\"{name}\" is {number}, but has to be 0 or more");
        }

        if (MinWords > MaxWords) return "\"min_words\" is at most \"max_words\"";
        if (MinMeanWordLength > MaxMeanWordLength) return "\"min_mean_word_length\" is at most \"max_mean_word_length\"";
        foreach (var (name, shares) in (ReadOnlySpan<(string, IReadOnlyDictionary<int, double>?)>)[("max_top_grams", MaxTopGrams), ("max_duplicate_grams", MaxDuplicateGrams)])
        {
            foreach (var (n, share) in shares ?? Empty)
            {
                if (n is < 1 or > 16 || share is not (>= 0 and <= 1)) return Invariant($"\"{name}\" has {share} for n = {n}, but n is from 1 to 16 and a share from 0 to 1");
            }
        }

        foreach (var (name, form) in (ReadOnlySpan<(string, QualityRules?)>)[("unspaced", Unspaced), ("code", Code), ("math", Math)])
        {
            if (form is null) continue;
            if (form.Unspaced is not null || form.Code is not null || form.Math is not null) return $"\"{name}\" holds \"unspaced\", \"code\" or \"math\" rules of its own, which say nothing";
            if (form.Problem() is { } problem) return $"\"{name}\": {problem}";
        }

        return null;
    }

    private static Dictionary<int, double> Empty { get; } = [];
}
