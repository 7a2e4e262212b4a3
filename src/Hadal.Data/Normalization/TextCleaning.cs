namespace Hadal.Data.Normalization;

/// <summary>
/// Brings a text into the one form in which the rest of the pipeline sees it: whole characters in form C, lines ended by a line feed, nothing invisible that carries
/// nothing. Pure functions, linear in the text.
/// </summary>
public static class TextCleaning
{
    /// <summary>Cleans a text. Any string is accepted, ill-formed ones too; the result is well-formed.</summary>
    /// <param name="text">The text.</param>
    /// <param name="options">What to change.</param>
    /// <returns>The cleaned text with counts; cleaning it again changes nothing but what the first pass brought together.</returns>
    public static CleanedText Clean(string text, CleaningOptions options)
    {
        ArgumentNullException.ThrowIfNull(text);
        ArgumentNullException.ThrowIfNull(options);
        string repaired = text;
        int mojibake = 0;
        if (options.RepairMojibake) repaired = MojibakeRepair.Repair(text, out mojibake);
        var pass = new CleaningPass(repaired, options);
        string cleaned = pass.Run();
        string composed = options.ComposeCharacters ? Composition.Compose(cleaned) : cleaned;
        int changed = ReferenceEquals(composed, cleaned) ? 0 : 1;
        return new CleanedText(composed, pass.Counts with { Mojibake = mojibake, Composed = changed }, text.Length);
    }
}
