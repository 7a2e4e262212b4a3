namespace Hadal.Parallel.Schedules;

/// <summary>The names by which schedules are called on the command line and in files.</summary>
public static class ScheduleNames
{
    private static readonly (ScheduleKind Kind, string Name, string Title)[] _names =
    [
        (ScheduleKind.OneForwardOneBackward, "1f1b", "1F1B"),
        (ScheduleKind.ZeroBubble, "zb1p", "ZB1P"),
        (ScheduleKind.DualPipe, "dualpipe", "DualPipe"),
        (ScheduleKind.DualPipeV, "dualpipev", "DualPipeV"),
    ];

    /// <summary>All names: <c>1f1b</c>, <c>zb1p</c>, <c>dualpipe</c>, <c>dualpipev</c>.</summary>
    public static IReadOnlyList<string> All { get; } = [.. _names.Select(n => n.Name)];

    /// <summary>The name of a kind.</summary>
    /// <param name="kind">The kind.</param>
    /// <returns>Such as <c>dualpipe</c>.</returns>
    public static string Name(this ScheduleKind kind) => _names.First(n => n.Kind == kind).Name;

    /// <summary>A kind as people write it.</summary>
    /// <param name="kind">The kind.</param>
    /// <returns>Such as <c>DualPipe</c>.</returns>
    public static string Title(this ScheduleKind kind) => _names.First(n => n.Kind == kind).Title;

    /// <summary>The kind with a name, in upper or lower case.</summary>
    /// <param name="name">Such as <c>dualpipe</c>.</param>
    /// <returns>The kind.</returns>
    /// <exception cref="ScheduleException">No kind has it.</exception>
    public static ScheduleKind Parse(string name)
    {
        foreach (var n in _names)
            if (string.Equals(n.Name, name, StringComparison.OrdinalIgnoreCase)) return n.Kind;
        throw new ScheduleException($"'{name}' is no schedule; the schedules are {string.Join(", ", All)}.");
    }
}
