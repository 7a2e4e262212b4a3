namespace Hadal.Inference;

/// <summary>What a <see cref="GenerationException"/> is about.</summary>
public enum GenerationFault
{
    /// <summary>What was asked is not possible: a setting out of range, a token that is none, a module that the model has not.</summary>
    Request,

    /// <summary>A text is longer than the context.</summary>
    ContextLength,

    /// <summary>What was asked was possible, but computing it failed, for instance because the model's numbers are not finite. Not a mistake of who asked.</summary>
    Computation,
}
