using System.Globalization;

namespace Hadal.Data.Sources;

/// <summary>Something in an input that could not be used as it is.</summary>
/// <param name="Kind">What was done about it.</param>
/// <param name="File">The file's <see cref="InputFile.Id"/>, or the path where it has none yet.</param>
/// <param name="Line">The line, or the row of a Parquet file, from 1; null where it is the whole file.</param>
/// <param name="Reason">What is wrong, as a part of a sentence.</param>
public sealed record ReadProblem(ReadProblemKind Kind, string File, long? Line, string Reason)
{
    /// <summary><c>file:line: reason</c>.</summary>
    public override string ToString() => Line is { } line ? string.Create(CultureInfo.InvariantCulture, $"{File}:{line}: {Reason}") : $"{File}: {Reason}";
}
