using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.Json.Serialization;
using Hadal.Model.Configuration;
using Hadal.Planning.Clusters;

namespace Hadal.Planning.Plans;

/// <summary>Plans as JSON files.</summary>
/// <remarks>
/// <c>kind</c> is <c>training</c> or <c>serving</c>; every other field is one of <see cref="TrainingPlan"/> or <see cref="ServingPlan"/>, its name in lower case with underscores, and what is
/// left out is as in the preset of that kind. <c>model</c> is a path of a <c>config.json</c>, relative to the file, or <c>deepseek-v3</c>. <c>cluster</c> is <c>h800</c> or an object with what
/// differs from it.
/// </remarks>
public static class PlanFile
{
    private static readonly JsonSerializerOptions _json = new()
    {
        PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower,
        UnmappedMemberHandling = JsonUnmappedMemberHandling.Disallow,
        RespectNullableAnnotations = true,
        Converters = { new JsonStringEnumConverter(JsonNamingPolicy.SnakeCaseLower, allowIntegerValues: false) },
    };

    private static readonly JsonDocumentOptions _documents = new() { CommentHandling = JsonCommentHandling.Skip, AllowTrailingCommas = true };

    /// <summary>Reads a plan.</summary>
    /// <param name="path">The file.</param>
    /// <returns>One of the two is null.</returns>
    /// <exception cref="ConfigException">The file is no plan: which field, and what would be right.</exception>
    /// <exception cref="IOException">The file cannot be read.</exception>
    public static (TrainingPlan? Training, ServingPlan? Serving) Read(string path)
    {
        ArgumentNullException.ThrowIfNull(path);
        try
        {
            if (JsonNode.Parse(File.ReadAllText(path), null, _documents) is not JsonObject plan) throw new ConfigException(path, null, "a plan is a JSON object");
            string kind = TakeText(path, plan, "kind") ?? "training";
            var model = Model(path, TakeText(path, plan, "model"));
            var cluster = Cluster(path, plan);
            plan.Remove("name");
            return kind switch
            {
                "training" => (plan.Deserialize<TrainingPlan>(_json)! with { Name = path, Model = model, Cluster = cluster }, null),
                "serving" => (null, plan.Deserialize<ServingPlan>(_json)! with { Name = path, Model = model, Cluster = cluster }),
                _ => throw new ConfigException(path, "kind", $"kind is '{kind}', but has to be training or serving"),
            };
        }
        catch (JsonException e)
        {
            string place = e.Path is null or "$" ? "" : $" (field {e.Path.TrimStart('$', '.')})";
            throw new ConfigException(path, e.Path, $"the plan cannot be understood{place}: {e.Message.Split(". ")[0].TrimEnd('.')}", e);
        }
        catch (Exception e) when (e is InvalidOperationException or ArgumentException)
        {
            throw new ConfigException(path, null, "the plan has a name or text that is not valid Unicode, or a name twice", e);
        }
    }

    private static ModelConfig Model(string path, string? model) => model switch
    {
        null or "deepseek-v3" => new ModelConfig(),
        _ when File.Exists(Beside(path, model)) => ModelConfig.Load(Beside(path, model)),
        _ => throw new ConfigException(path, "model", $"there is no file {Beside(path, model)}; model has to be a config.json or deepseek-v3"),
    };

    private static string Beside(string path, string file) => Path.Combine(Path.GetDirectoryName(Path.GetFullPath(path))!, file);

    private static Cluster Cluster(string path, JsonObject plan)
    {
        if (!plan.Remove("cluster", out var node)) return Clusters.Cluster.H800;
        if (node is JsonObject) return node.Deserialize<Cluster>(_json)!;
        if (node is JsonValue value && value.TryGetValue(out string? name) && name == Clusters.Cluster.H800.Name) return Clusters.Cluster.H800;
        throw new ConfigException(path, "cluster", $"cluster is {node?.ToJsonString() ?? "null"}, but has to be h800 or an object with what differs from it");
    }

    private static string? TakeText(string path, JsonObject plan, string field)
    {
        if (!plan.Remove(field, out var node)) return null;
        return node is JsonValue value && value.TryGetValue(out string? text) ? text : throw new ConfigException(path, field, $"{field} is {node?.ToJsonString() ?? "null"}, but has to be a text");
    }
}
