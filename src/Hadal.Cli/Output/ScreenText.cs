using System.Text;

namespace Hadal.Cli.Output;

/// <summary>Text that came out of a model or a file, on its way to a screen.</summary>
internal static class ScreenText
{
    /// <summary>Replaces control characters, which could move the cursor or change the terminal, by their pictures (U+2400 …). Line breaks and tabs stay.</summary>
    public static string Harmless(string text)
    {
        StringBuilder? copy = null;
        for (int i = 0; i < text.Length; i++)
        {
            char c = text[i];
            if (!char.IsControl(c) || c is '\n' or '\t') continue;
            copy ??= new StringBuilder(text);
            copy[i] = c < ' ' ? (char)('\u2400' + c) : '\u2421';
        }

        return copy?.ToString() ?? text;
    }
}
