namespace Hadal.Data.Decontamination;

/// <summary>One item of an evaluation set. Parts that are null or empty are not looked for.</summary>
/// <param name="Set">The set's name, such as <c>gsm8k/test</c>.</param>
/// <param name="Number">The item's place in its set, from 0.</param>
/// <param name="Question">What is asked.</param>
/// <param name="Answer">The answer with its reasoning or code. A short one (a number, a letter) proves nothing and is not looked for.</param>
/// <param name="Text">The item as one text, where it is not made of a question and an answer.</param>
public sealed record EvaluationItem(string Set, int Number, string? Question, string? Answer = null, string? Text = null);
