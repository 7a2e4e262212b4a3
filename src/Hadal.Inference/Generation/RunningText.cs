using System.Text;
using Hadal.Model.Tokenization;

namespace Hadal.Inference.Generation;

/// <summary>Tokens to text as they come: decoded, cut at stop tokens and strings.</summary>
internal sealed class RunningText(Tokenizer tokenizer, IEnumerable<int> stopTokens, StopText stops, bool skipSpecialTokens)
{
    private readonly StreamingDecoder _decoder = new(tokenizer, skipSpecialTokens);
    private readonly HashSet<int> _stopTokens = [.. stopTokens];
    private readonly StringBuilder _text = new();
    private readonly List<int> _tokens = [];

    /// <summary>Tokens that end the text.</summary>
    public IReadOnlyCollection<int> StopTokens => _stopTokens;

    /// <summary>The tokens so far, without a stop token.</summary>
    public IReadOnlyList<int> Tokens => _tokens;

    /// <summary>The text that is certain.</summary>
    public string Text => _text.ToString();

    /// <summary>Whether a stop token or string has come up.</summary>
    public bool Ended { get; private set; }

    /// <summary>The stop string that ended the text, if one did.</summary>
    public string? StopString => stops.Found;

    /// <summary>Whether a token ends the text.</summary>
    public bool IsStop(int token) => _stopTokens.Contains(token);

    /// <summary>Takes the next token.</summary>
    /// <returns>The text that is certain now and was not before.</returns>
    public string Take(int token)
    {
        if (IsStop(token))
        {
            Ended = true;
            return "";
        }

        _tokens.Add(token);
        string piece = stops.Push(_decoder.Push(token));
        Ended = stops.Stopped;
        _text.Append(piece);
        return piece;
    }

    /// <summary>Ends the text.</summary>
    /// <returns>What was held back.</returns>
    public string Finish()
    {
        string rest = stops.Stopped ? "" : stops.Push(_decoder.Finish());
        rest += stops.Finish();
        _text.Append(rest);
        return rest;
    }
}
