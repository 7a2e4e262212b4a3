using Hadal.Model.Tokenization;

namespace Hadal.Data.FillInTheMiddle;

/// <summary>
/// Encodes a document for fill-in-the-middle training: begin, prefix, hole, suffix, end, middle (prefix-suffix-middle, report section 4.1). The text is cut before it is
/// encoded, so that a token never knows what is beyond a cut. Immutable.
/// </summary>
public sealed class MiddleEncoder
{
    private readonly Tokenizer _tokenizer;
    private readonly int _begin, _hole, _end;

    /// <summary>Finds the three control tokens.</summary>
    /// <param name="tokenizer">Has to have <see cref="DeepSeekTokens.FimBegin"/>, <see cref="DeepSeekTokens.FimHole"/> and <see cref="DeepSeekTokens.FimEnd"/>.</param>
    /// <exception cref="DataException">It has not.</exception>
    public MiddleEncoder(Tokenizer tokenizer)
    {
        ArgumentNullException.ThrowIfNull(tokenizer);
        _tokenizer = tokenizer;
        (_begin, _hole, _end) = (Find(DeepSeekTokens.FimBegin), Find(DeepSeekTokens.FimHole), Find(DeepSeekTokens.FimEnd));

        int Find(string name) => tokenizer.IdOf(name)
            ?? throw new DataException($"Fill in the middle needs the token {name}, which the tokenizer does not have; set \"fim_rate\" to 0, or train the tokenizer with --fim-and-chat.");
    }

    /// <summary>Appends the ids of a document; no token is added behind the middle.</summary>
    /// <param name="text">The document. Names of control tokens in it are ordinary text.</param>
    /// <param name="cut">Where it is cut.</param>
    /// <param name="ids">Receives them.</param>
    public void Encode(ReadOnlySpan<char> text, MiddleCut cut, List<int> ids)
    {
        ArgumentNullException.ThrowIfNull(ids);
        ids.Add(_begin);
        _tokenizer.Encode(text[..cut.From], ids, EncodeOptions.Untrusted);
        ids.Add(_hole);
        _tokenizer.Encode(text[cut.To..], ids, EncodeOptions.Untrusted);
        ids.Add(_end);
        _tokenizer.Encode(text[cut.From..cut.To], ids, EncodeOptions.Untrusted);
    }
}
