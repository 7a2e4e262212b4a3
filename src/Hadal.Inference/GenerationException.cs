namespace Hadal.Inference;

/// <summary>Something asked of the inference engine that it cannot do: a prompt beyond the context, a setting out of range, a missing MTP module.</summary>
public sealed class GenerationException : Exception
{
    /// <summary>A refusal.</summary>
    /// <param name="message">One clear sentence: what is wrong, where, and what would be right.</param>
    public GenerationException(string message)
        : base(message)
    {
    }

    /// <summary>A refusal with its cause.</summary>
    /// <param name="message">One clear sentence.</param>
    /// <param name="cause">What happened underneath.</param>
    public GenerationException(string message, Exception cause)
        : base(message, cause)
    {
    }
}
