namespace Hadal.Inference.Running;

/// <summary>For which rows of a step logits are wanted: the head is a large product.</summary>
public enum LogitRows
{
    /// <summary>None: a piece of a prompt that is not its last.</summary>
    None,

    /// <summary>The last row only.</summary>
    Last,

    /// <summary>Every row: verification of drafts, traces.</summary>
    All,
}
