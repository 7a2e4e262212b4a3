namespace Hadal.Inference;

/// <summary>Something asked of the inference engine that it cannot do: a prompt beyond the context, a setting out of range, a missing MTP module.</summary>
public sealed class GenerationException : Exception
{
    /// <summary>A refusal.</summary>
    /// <param name="message">One clear sentence: what is wrong, where, and what would be right.</param>
    /// <param name="fault">What it is about.</param>
    /// <param name="cause">What happened underneath; or null.</param>
    public GenerationException(string message, GenerationFault fault = GenerationFault.Request, Exception? cause = null)
        : base(message, cause) => Fault = fault;

    /// <summary>What it is about, for programs.</summary>
    public GenerationFault Fault { get; }
}
