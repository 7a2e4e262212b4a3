namespace Hadal.Data.Corpora;

/// <summary>How many windows a run of tokens holds.</summary>
internal static class WindowMath
{
    /// <summary>Windows of L + 1 tokens that overlap by one, at multiples of L.</summary>
    /// <exception cref="DataException">There is not even one.</exception>
    public static int Count(TokenArray tokens, int sequenceLength, string side) =>
        tokens.Count > sequenceLength
            ? (tokens.Count - 1) / sequenceLength
            : throw new DataException(
                $"The {side} text has {tokens.Count} tokens, but one window of {sequenceLength} predictions needs {sequenceLength + 1L}; give more text or a shorter sequence.");
}
