namespace Hadal.Model.Tokenization;

/// <summary>The names of DeepSeek-V3's control tokens that training and prompting use.</summary>
public static class DeepSeekTokens
{
    /// <summary>Begins a text; id 0.</summary>
    public const string BeginOfSentence = "<｜begin▁of▁sentence｜>";

    /// <summary>Ends a text; id 1.</summary>
    public const string EndOfSentence = "<｜end▁of▁sentence｜>";

    /// <summary>Fills up a batch; id 2.</summary>
    public const string Pad = "<｜▁pad▁｜>";

    /// <summary>Where the missing middle goes (fill in the middle).</summary>
    public const string FimHole = "<｜fim▁hole｜>";

    /// <summary>Before the prefix (fill in the middle).</summary>
    public const string FimBegin = "<｜fim▁begin｜>";

    /// <summary>After the suffix, before the middle (fill in the middle).</summary>
    public const string FimEnd = "<｜fim▁end｜>";

    /// <summary>Before what the user says.</summary>
    public const string User = "<｜User｜>";

    /// <summary>Before what the assistant says.</summary>
    public const string Assistant = "<｜Assistant｜>";

    /// <summary>The tokens for fill-in-the-middle training and for chat, in the order of their ids in DeepSeek-V3.</summary>
    public static IReadOnlyList<string> FimAndChat { get; } = [FimHole, FimBegin, FimEnd, User, Assistant];
}
