namespace Hadal.Model.Chat;

/// <summary>
/// The text that a model writes around its tool calls, in the order of its parts:
/// <see cref="SectionStart"/>, then for each call <see cref="CallStart"/>, the name, <see cref="ArgumentsStart"/>, the arguments as JSON, <see cref="CallEnd"/>,
/// with <see cref="Separator"/> between two calls, and <see cref="SectionEnd"/>. Control tokens are spelled out.
/// </summary>
public sealed record ToolCallFormat
{
    internal const string SectionBegin = "<｜tool▁calls▁begin｜>";
    internal const string SectionEndToken = "<｜tool▁calls▁end｜>";
    internal const string CallBegin = "<｜tool▁call▁begin｜>";
    internal const string CallEndToken = "<｜tool▁call▁end｜>";
    internal const string NameSeparator = "<｜tool▁sep｜>";

    private ToolCallFormat()
    {
    }

    /// <summary>V3 and R1: the kind of what is called before the name, the arguments in a fence.</summary>
    public static ToolCallFormat Fenced { get; } = new()
    {
        CallStart = CallBegin + "function" + NameSeparator,
        ArgumentsStart = "\n```json\n",
        CallEnd = "\n```" + CallEndToken,
        Separator = "\n",
    };

    /// <summary>V3.1: the name, a separator, the arguments.</summary>
    public static ToolCallFormat Bare { get; } = new()
    {
        CallStart = CallBegin,
        ArgumentsStart = NameSeparator,
        CallEnd = CallEndToken,
        Separator = "",
    };

    /// <summary>Opens the calls of an answer.</summary>
    public string SectionStart { get; } = SectionBegin;

    /// <summary>Opens one call, up to its name.</summary>
    public required string CallStart { get; init; }

    /// <summary>Between name and arguments.</summary>
    public required string ArgumentsStart { get; init; }

    /// <summary>Closes one call, after its arguments.</summary>
    public required string CallEnd { get; init; }

    /// <summary>Between two calls; may be empty.</summary>
    public required string Separator { get; init; }

    /// <summary>Closes the calls of an answer; the answer ends with it.</summary>
    public string SectionEnd { get; } = SectionEndToken;
}
