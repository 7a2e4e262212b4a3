namespace Hadal.Inference.Generation;

/// <summary>Why a text ended.</summary>
public enum FinishReason
{
    /// <summary>The model said an end token, or a stop string came up.</summary>
    Stop,

    /// <summary>As many tokens as asked for, or the context is full.</summary>
    Length,

    /// <summary>The caller stopped it.</summary>
    Cancelled,
}
