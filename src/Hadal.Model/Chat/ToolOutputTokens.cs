namespace Hadal.Model.Chat;

/// <summary>The control tokens around what tools answer.</summary>
internal static class ToolOutputTokens
{
    internal const string SectionBegin = "<｜tool▁outputs▁begin｜>";
    internal const string SectionEnd = "<｜tool▁outputs▁end｜>";
    internal const string Begin = "<｜tool▁output▁begin｜>";
    internal const string End = "<｜tool▁output▁end｜>";
}
