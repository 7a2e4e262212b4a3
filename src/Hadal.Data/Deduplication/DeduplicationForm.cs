using System.Text;
using Hadal.Data.Normalization;

namespace Hadal.Data.Deduplication;

/// <summary>
/// The form in which two texts are the same text: composed characters (NFC), lower case, every run of white space (line ends, blank lines, no-break blanks) one blank,
/// none at the ends, no byte order mark.
/// </summary>
internal static class DeduplicationForm
{
    public static string Of(string text)
    {
        string composed = Composition.Compose(text);
        var form = new StringBuilder(composed.Length);
        bool blank = false;
        foreach (Rune rune in composed.EnumerateRunes())
        {
            if (rune.Value == 0xFEFF) continue;
            if (Rune.IsWhiteSpace(rune))
            {
                blank = form.Length > 0;
                continue;
            }

            if (blank) form.Append(' ');
            blank = false;
            if (rune.IsAscii) form.Append(rune.Value is >= 'A' and <= 'Z' ? (char)(rune.Value | 0x20) : (char)rune.Value);
            else form.Append(Rune.ToLowerInvariant(rune));
        }

        return form.ToString();
    }
}
