using System.Text.Json;
using Hadal.Data.Pipeline.Steps;
using Hadal.Data.Pipeline.Work;
using Hadal.Data.Shards;

namespace Hadal.Data.Pipeline;

/// <summary>What a build left in its folder.</summary>
public sealed record DataBuildResult
{
    /// <summary>The folder.</summary>
    public required string Folder { get; init; }

    /// <summary>The recipe, as JSON with everything that it left out.</summary>
    public required string Recipe { get; init; }

    /// <summary>What each stage did.</summary>
    public required IReadOnlyList<StageTally> Stages { get; init; }

    /// <summary>Examples of what was dropped and changed.</summary>
    public required IReadOnlyList<Sample> Samples { get; init; }

    /// <summary>The rows of tokens; null if none were asked for.</summary>
    public ShardSummary? Shards { get; init; }

    /// <summary>Reads the result of a build that is done.</summary>
    /// <param name="folder">Its folder.</param>
    /// <exception cref="DataException">There is none, or it is not done.</exception>
    public static DataBuildResult Read(string folder)
    {
        string stages = Path.Combine(folder, Publication.Stages), samples = Path.Combine(folder, SampleSet.File), shards = Path.Combine(folder, Publication.Shards);
        if (!File.Exists(stages)) throw new DataException($"{stages} is not there: {folder} holds no finished build.", folder);
        using var identity = JsonDocument.Parse(File.ReadAllBytes(Path.Combine(folder, DataBuild.Identity)));
        return new DataBuildResult
        {
            Folder = Path.GetFullPath(folder),
            Recipe = identity.RootElement.GetProperty("recipe").GetString()!,
            Stages = [.. File.ReadLines(stages).Select(line => JsonSerializer.Deserialize<StageTally>(line)!)],
            Samples = [.. File.ReadLines(samples).Select(line => JsonSerializer.Deserialize<Sample>(line)!)],
            Shards = TokenShards.IsDataset(shards) ? ShardSummary.Read(shards) : null,
        };
    }
}
