using System.Text;
using Hadal.Model.Tokenization;

namespace Hadal.Model.Chat;

/// <summary>
/// A prompt in the making: control tokens, which the template alone writes, and text, which may come from anyone. Kept apart so that text that
/// spells a control token can be told from the token.
/// </summary>
internal sealed class ChatPrompt
{
    private readonly List<(bool IsControl, string Text)> _parts = [];

    /// <summary>The last control token; null if there is none.</summary>
    internal string? LastControl => _parts.FindLast(static p => p.IsControl).Text;

    internal ChatPrompt Control(string token)
    {
        _parts.Add((true, token));
        return this;
    }

    internal ChatPrompt Text(string text)
    {
        _parts.Add((false, text));
        return this;
    }

    /// <summary>The prompt as one text.</summary>
    internal string Render()
    {
        StringBuilder text = new();
        foreach ((_, string part) in _parts) text.Append(part);
        return text.ToString();
    }

    /// <summary>Encodes control tokens to their ids and each stretch of text between them as a whole.</summary>
    internal int[] Encode(Tokenizer tokenizer, EncodeOptions textOptions)
    {
        List<int> ids = [];
        StringBuilder text = new();
        foreach ((bool isControl, string part) in _parts)
        {
            if (isControl && tokenizer.IdOf(part) is { } id)
            {
                Flush();
                ids.Add(id);
            }
            else
            {
                text.Append(part);
            }
        }

        Flush();
        return [.. ids];

        void Flush()
        {
            if (text.Length > 0) tokenizer.Encode(text.ToString(), ids, textOptions);
            text.Clear();
        }
    }
}
