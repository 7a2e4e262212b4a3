namespace Hadal.Inference.Batching;

/// <summary>Which hidden states, behind the final norm, make the vector of a text.</summary>
public enum Pooling
{
    /// <summary>The mean over all tokens, the begin-of-text token included.</summary>
    Mean,

    /// <summary>That of the last token, which has seen all others.</summary>
    Last,
}
