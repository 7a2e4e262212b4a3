namespace Hadal.Inference.Measurement;

/// <summary>A text cut into windows, in which every token but the first of all is predicted once from those before it in its window.</summary>
public sealed class TextWindows
{
    private readonly int[] _rows;

    /// <summary>Cuts a text.</summary>
    /// <param name="tokens">The text, with or without a token that begins it.</param>
    /// <param name="windowTokens">Tokens that a window predicts at most, at least 1; the model needs as many positions.</param>
    /// <param name="beginToken">What every window starts with; null to let each start with the last token of the one before.</param>
    /// <exception cref="GenerationException">There is nothing to predict: the text has no token, or without a begin token only one.</exception>
    public TextWindows(ReadOnlySpan<int> tokens, int windowTokens, int? beginToken = null)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(windowTokens, 1);
        if (beginToken is { } begin && !tokens.IsEmpty && tokens[0] == begin) tokens = tokens[1..];
        int skipped = beginToken is null ? 1 : 0;
        Predictions = tokens.Length - skipped;
        if (Predictions < 1) throw new GenerationException($"A text of {tokens.Length} {(tokens.Length == 1 ? "token" : "tokens")} has nothing to predict; give a longer one.");
        WindowTokens = Math.Min(windowTokens, Predictions);
        Count = (Predictions - 1) / WindowTokens + 1;

        // Of each window, what it starts with and then what it predicts: all but its last are also what is put in.
        _rows = new int[Predictions + Count];
        for (int w = 0; w < Count; w++)
        {
            int first = w * WindowTokens;
            _rows[first + w] = beginToken ?? tokens[first];
            tokens.Slice(skipped + first, Length(w)).CopyTo(_rows.AsSpan(first + w + 1));
        }
    }

    /// <summary>Number of windows.</summary>
    public int Count { get; }

    /// <summary>Tokens that a window predicts; the last may have fewer.</summary>
    public int WindowTokens { get; }

    /// <summary>Tokens predicted in all windows together.</summary>
    public int Predictions { get; }

    /// <summary>What is put in.</summary>
    /// <param name="window">Which window, from 0.</param>
    /// <returns>Tokens, one for each that is predicted.</returns>
    public ReadOnlySpan<int> Inputs(int window) => _rows.AsSpan(window * (WindowTokens + 1), Length(window));

    /// <summary>What should come out.</summary>
    /// <param name="window">Which window, from 0.</param>
    /// <returns>The token behind each one that is put in.</returns>
    public ReadOnlySpan<int> Targets(int window) => _rows.AsSpan(window * (WindowTokens + 1) + 1, Length(window));

    private int Length(int window) => Math.Min(WindowTokens, Predictions - window * WindowTokens);
}
