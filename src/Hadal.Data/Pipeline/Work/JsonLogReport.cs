using System.Globalization;
using Hadal.Data.Sources;

namespace Hadal.Data.Pipeline.Work;

/// <summary>Writes the problems of reading one file as lines, so many and no more: a file of nothing but bad lines must not fill the disk.</summary>
internal sealed class JsonLogReport(JsonLog log, StageTally tally) : IReadReport
{
    private const int MostOfAFile = 10_000;
    private int _problems;

    public void Add(ReadProblem problem)
    {
        if (problem.Kind == ReadProblemKind.RecordSkipped) tally.Drop("unreadable_record");
        if (++_problems > MostOfAFile) return;
        log.Add(("file", problem.File), ("line", problem.Line?.ToString(CultureInfo.InvariantCulture)), ("kind", Name(problem.Kind)), ("reason", problem.Reason));
    }

    private static string Name(ReadProblemKind kind) => kind switch
    {
        ReadProblemKind.PathSkipped => "path_skipped",
        ReadProblemKind.FileCutShort => "file_cut_short",
        ReadProblemKind.RecordSkipped => "record_skipped",
        _ => "text_repaired",
    };
}
