using System.Text.Json.Nodes;
using Hadal.Cli.Drawing;
using Hadal.Inference.Experts;

namespace Hadal.Cli.Output;

/// <summary>What an expert cache has done, for people and for programs.</summary>
internal static class ExpertFigures
{
    /// <summary>For instance <c>412 of 1,024 in memory, 87% found there, 71% of those read ahead used, 1.2 GB read, 34% of the time spent waiting for the disk</c>.</summary>
    public static string Summary(ExpertStatistics experts)
    {
        string hits = experts.HitRate is { } rate ? $", {Figures.Percent(rate)} found there" : "";
        string ahead = experts.PrefetchAccuracy is { } accuracy ? $", {Figures.Percent(accuracy)} of those read ahead used" : "";
        return $"{experts.Resident:N0} of {experts.Total:N0} in memory{hits}{ahead}, {Figures.Bytes(experts.BytesRead)} read, "
            + $"{Figures.Percent(experts.DiskShare)} of the time spent waiting for the disk";
    }

    /// <summary>All of it; null if there is no cache.</summary>
    public static JsonObject? ToJson(ExpertStatistics? experts) => experts is null ? null : new JsonObject
    {
        ["hits"] = experts.Hits,
        ["misses"] = experts.Misses,
        ["hit_rate"] = JsonOutput.Number(experts.HitRate),
        ["prefetched"] = experts.Prefetched,
        ["prefetched_used"] = experts.PrefetchedUsed,
        ["prefetch_accuracy"] = JsonOutput.Number(experts.PrefetchAccuracy),
        ["bytes_read"] = experts.BytesRead,
        ["bytes_used"] = experts.BytesUsed,
        ["wait_seconds"] = JsonOutput.Number(experts.WaitSeconds),
        ["arrange_seconds"] = JsonOutput.Number(experts.ArrangeSeconds),
        ["disk_share"] = JsonOutput.Number(experts.DiskShare),
        ["resident"] = experts.Resident,
        ["capacity"] = experts.Capacity,
        ["total"] = experts.Total,
        ["expert_bytes"] = experts.ExpertBytes,
    };
}
