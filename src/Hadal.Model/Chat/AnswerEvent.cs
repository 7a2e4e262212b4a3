namespace Hadal.Model.Chat;

/// <summary>One step of an answer as it comes.</summary>
/// <param name="Kind">What it is.</param>
/// <param name="Text">
/// The text that is new; of <see cref="AnswerEventKind.ToolCallStarted"/> the name of the function, of <see cref="AnswerEventKind.ToolCallEnded"/> empty.
/// </param>
/// <param name="CallIndex">Which call it belongs to, counted from zero; -1 for reasoning and content. The formats give calls no id: that is the server's to make.</param>
public readonly record struct AnswerEvent(AnswerEventKind Kind, string Text, int CallIndex = -1);
