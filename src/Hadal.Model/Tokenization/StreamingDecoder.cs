using System.Text;

namespace Hadal.Model.Tokenization;

/// <summary>
/// Turns a stream of ids into text as it comes. A token may end inside a character: such a tail is held back until the next tokens complete it, and
/// becomes U+FFFD only once they prove that it never can. The concatenated results equal <see cref="Tokenizer.Decode"/> of all ids. Not thread-safe.
/// </summary>
public sealed class StreamingDecoder
{
    private readonly Tokenizer _tokenizer;
    private readonly bool _skipSpecialTokens;
    private readonly Decoder _decoder = Encoding.UTF8.GetDecoder();
    private char[] _buffer = new char[64];

    /// <summary>Begins a text.</summary>
    /// <param name="tokenizer">The tokenizer the ids belong to.</param>
    /// <param name="skipSpecialTokens">Leaves out added tokens marked special.</param>
    public StreamingDecoder(Tokenizer tokenizer, bool skipSpecialTokens = false)
    {
        ArgumentNullException.ThrowIfNull(tokenizer);
        _tokenizer = tokenizer;
        _skipSpecialTokens = skipSpecialTokens;
    }

    /// <summary>Takes the next id and returns the text that is certain now; often a word, sometimes nothing.</summary>
    /// <exception cref="TokenizerException">The id is not in the vocabulary; the state is as before.</exception>
    public string Push(int id)
    {
        ReadOnlySpan<char> text = Convert(id);
        return text.IsEmpty ? "" : text.ToString();
    }

    /// <summary>Takes the next id and appends the text that is certain now.</summary>
    /// <returns>How many characters were appended.</returns>
    /// <exception cref="TokenizerException">The id is not in the vocabulary; the state is as before.</exception>
    public int Push(int id, StringBuilder destination)
    {
        ArgumentNullException.ThrowIfNull(destination);
        ReadOnlySpan<char> text = Convert(id);
        destination.Append(text);
        return text.Length;
    }

    /// <summary>Ends the text: what is still held back comes out as U+FFFD. The decoder is ready for another text afterwards.</summary>
    public string Finish() => Convert([], flush: true).ToString();

    private ReadOnlySpan<char> Convert(int id)
    {
        ReadOnlySpan<byte> bytes = _tokenizer.TokenBytes(id);
        return _skipSpecialTokens && _tokenizer.IsSpecial(id) ? [] : Convert(bytes, flush: false);
    }

    private ReadOnlySpan<char> Convert(ReadOnlySpan<byte> bytes, bool flush)
    {
        // A byte becomes at most one character, and the tail held back at most three bytes.
        int most = bytes.Length + 4;
        if (_buffer.Length < most) _buffer = new char[most * 2];
        return _buffer.AsSpan(0, _decoder.GetChars(bytes, _buffer, flush));
    }
}
