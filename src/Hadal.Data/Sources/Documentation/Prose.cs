using System.Text;

namespace Hadal.Data.Sources.Documentation;

/// <summary>Text that is being put together from marked-up pieces: white space collapses, paragraphs and code lines stay.</summary>
internal sealed class Prose
{
    private readonly StringBuilder _text = new();
    private bool _space;
    private int _breaks;

    /// <summary>Whether nothing readable was added.</summary>
    public bool IsEmpty => _text.Length == 0;

    /// <summary>Adds words; runs of white space become one space, a blank line becomes a paragraph break.</summary>
    public void Add(ReadOnlySpan<char> words)
    {
        for (int i = 0; i < words.Length;)
        {
            if (!IsSpace(words[i]))
            {
                int start = i;
                while (i < words.Length && !IsSpace(words[i])) i++;
                Flush();
                _text.Append(words[start..i]);
                continue;
            }

            int newLines = 0;
            while (i < words.Length && IsSpace(words[i])) newLines += words[i++] == '\n' ? 1 : 0;
            if (newLines >= 2) Break(2);
            else _space = true;
        }
    }

    /// <summary>Adds a phrase that is one word as far as white space goes (a reference, a name).</summary>
    public void AddWhole(string phrase)
    {
        if (phrase.Length == 0) return;
        Flush();
        _text.Append(phrase);
    }

    /// <summary>Ends the line (1) or the paragraph (2); does nothing at the start.</summary>
    public void Break(int lines)
    {
        if (_text.Length > 0) _breaks = Math.Max(_breaks, lines);
        _space = false;
    }

    /// <summary>Adds code with its lines kept and the indentation common to all of them removed.</summary>
    public void AddCode(string code)
    {
        string[] lines = code.Replace("\r", "", StringComparison.Ordinal).Replace("\t", "    ", StringComparison.Ordinal).Split('\n');
        int indent = int.MaxValue;
        foreach (string line in lines)
        {
            if (line.Trim().Length > 0) indent = Math.Min(indent, line.Length - line.TrimStart().Length);
        }

        Break(1);
        foreach (string line in lines)
        {
            if (line.Trim().Length == 0) continue;
            Flush();
            _text.Append(line.AsSpan(indent).TrimEnd());
            Break(1);
        }
    }

    /// <summary>The text so far, without white space at its ends.</summary>
    public override string ToString() => _text.ToString();

    private static bool IsSpace(char c) => char.IsWhiteSpace(c) || c == '\u200B' || c == '\uFEFF';

    private void Flush()
    {
        if (_breaks > 0) _text.Append('\n', _breaks);
        else if (_space && _text.Length > 0) _text.Append(' ');
        _breaks = 0;
        _space = false;
    }
}
