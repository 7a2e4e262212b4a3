namespace Hadal.Model.Chat;

/// <summary>What a piece of an answer is.</summary>
public enum AnswerEventKind
{
    /// <summary>More of the thoughts before the answer.</summary>
    ReasoningDelta,

    /// <summary>More of the answer.</summary>
    ContentDelta,

    /// <summary>A tool call begins; its name is known.</summary>
    ToolCallStarted,

    /// <summary>More of a call's arguments.</summary>
    ToolCallArgumentsDelta,

    /// <summary>A call's arguments are complete, or the answer ended within them.</summary>
    ToolCallEnded,
}
