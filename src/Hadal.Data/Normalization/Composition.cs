using System.Text;
using Hadal.Model.Tokenization;

namespace Hadal.Data.Normalization;

/// <summary>Normalisation form C, line by line: a line feed neither composes nor reorders, and nearly every line of real text is in form C already.</summary>
internal static class Composition
{
    private const char FirstThatComposes = '\u0300';

    /// <summary>The text in form C; the very string given if it is that already. What a line needs to be composed is more than ten times its size, so a long text is not composed at once.</summary>
    internal static string Compose(string text)
    {
        StringBuilder? result = null;
        int copied = 0;
        for (int start = 0; start < text.Length;)
        {
            // Only lines with a character from U+0300 on can change: look for the next such character, then for the ends of its line.
            int found = text.AsSpan(start).IndexOfAnyInRange(FirstThatComposes, '\uFFFF');
            if (found < 0) break;
            start += found;
            if (start > 0) start = text.LastIndexOf('\n', start - 1) + 1;
            int end = text.IndexOf('\n', start);
            if (end < 0) end = text.Length;
            string line = text[start..end];
            string composed = UnicodeNormalizer.Compose(line);
            if (!ReferenceEquals(composed, line) && composed != line)
            {
                result ??= new StringBuilder(text.Length);
                result.Append(text, copied, start - copied).Append(composed);
                copied = end;
            }

            start = end + 1;
        }

        return result is null ? text : result.Append(text, copied, text.Length - copied).ToString();
    }
}
