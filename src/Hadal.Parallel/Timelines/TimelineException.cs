namespace Hadal.Parallel.Timelines;

/// <summary>A recorded timeline that cannot be read.</summary>
public sealed class TimelineException : Exception
{
    /// <summary>A mistake in a file.</summary>
    /// <param name="path">The file.</param>
    /// <param name="problem">One sentence without a full stop: what is wrong and what would be right.</param>
    /// <param name="cause">What the platform reported, if it did.</param>
    public TimelineException(string path, string problem, Exception? cause = null)
        : base($"{path}: {problem}.", cause) => Path = path;

    /// <summary>The file.</summary>
    public string Path { get; }
}
