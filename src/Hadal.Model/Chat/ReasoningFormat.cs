namespace Hadal.Model.Chat;

/// <summary>What stands around the thoughts that a model writes before its answer.</summary>
/// <param name="Start">Opens the thoughts. Where the prompt ends with it, the model does not write it.</param>
/// <param name="End">Closes the thoughts; what follows is the answer.</param>
public sealed record ReasoningFormat(string Start, string End)
{
    /// <summary>The markers of all models of the family that think.</summary>
    internal static ReasoningFormat DeepSeek { get; } = new("<think>", "</think>");
}
