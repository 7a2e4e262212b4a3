using System.Globalization;
using System.Text.Json.Nodes;

namespace Hadal.Model.Configuration;

/// <summary>The two spellings of the rotary settings: <c>rope_theta</c> with <c>rope_scaling</c>, and the newer <c>rope_parameters</c>.</summary>
internal static class RopeFields
{
    /// <summary>Reads whichever spelling is there; both must agree.</summary>
    public static ModelConfig Read(ConfigReader r, ModelConfig config)
    {
        var older = r.Object("rope_scaling");
        var newer = r.Object("rope_parameters");
        var yarn = older is { } o ? Yarn(o, config.MaxPositions) : null;
        if (newer is { } n)
        {
            var yarnToo = Yarn(n, config.MaxPositions);
            if (older is not null && yarn != yarnToo)
                throw new ConfigException(r.Path, "rope_parameters", "rope_scaling and rope_parameters disagree; keep the one that is meant");
            yarn = yarnToo;
        }

        double? theta = r.OptionalNumber("rope_theta", above: 1);
        foreach (var settings in new[] { older, newer })
        {
            if (settings?.OptionalNumber("rope_theta", above: 1) is not { } inner) continue;
            if (theta is { } outer && outer != inner)
            {
                throw new ConfigException(r.Path, "rope_theta", string.Create(CultureInfo.InvariantCulture,
                    $"rope_theta is {outer} in one place and {inner} in another; keep the one that is meant"));
            }

            theta = inner;
        }

        return config with { Yarn = yarn, RopeTheta = theta ?? 10000 };
    }

    public static void WriteNew(JsonObject json, ModelConfig c)
    {
        json["rope_scaling"] = c.Yarn is null ? null : Merge([], null, c.Yarn, "type");
        json["rope_theta"] = c.RopeTheta;
    }

    public static void WriteChanges(JsonObject json, ModelConfig before, ModelConfig after)
    {
        if (before.Yarn != after.Yarn)
        {
            if (json["rope_parameters"] is JsonObject newer)
            {
                if (after.Yarn is not null) Merge(newer, before.Yarn, after.Yarn, "rope_type");
                else json["rope_parameters"] = new JsonObject { ["rope_type"] = "default", ["rope_theta"] = after.RopeTheta };
            }

            if (json["rope_scaling"] is JsonObject older && after.Yarn is not null) Merge(older, before.Yarn, after.Yarn, "type");
            else if (json.ContainsKey("rope_scaling") || json["rope_parameters"] is not JsonObject)
                json["rope_scaling"] = after.Yarn is null ? null : Merge([], null, after.Yarn, "type");
        }

        if (before.RopeTheta == after.RopeTheta) return;
        bool written = false;
        foreach (string name in new[] { "rope_scaling", "rope_parameters" })
        {
            if (json[name] is not JsonObject settings || (name == "rope_scaling" && !settings.ContainsKey("rope_theta"))) continue;
            settings["rope_theta"] = after.RopeTheta;
            written = true;
        }

        if (!written || json.ContainsKey("rope_theta")) json["rope_theta"] = after.RopeTheta;
    }

    private static YarnScaling? Yarn(ConfigReader r, int maxPositions)
    {
        bool? newName = r.Has("rope_type") ? Kind(r, "rope_type") : null;
        bool? oldName = r.Has("type") ? Kind(r, "type") : null;
        if (newName is { } a && oldName is { } b && a != b) throw r.Wrong("type", b ? "\"yarn\"" : "plain", "the same as rope_type beside it");
        if (!(newName ?? oldName ?? (r.Has("factor") ? throw r.Wrong("type", "missing", "\"yarn\"") : false))) return null;
        if (!r.Has("factor")) throw r.Wrong("factor", "missing", "how many times longer YaRN makes the context");
        if (!r.Flag("truncate", true)) throw r.Wrong("truncate", "false", "true: the correction range is whole numbers in DeepSeek's models");
        return new YarnScaling
        {
            Factor = r.Number("factor", 1, above: 0.999999999, most: 1e6),
            OriginalMaxPositions = r.Size("original_max_position_embeddings", maxPositions),
            BetaFast = r.Number("beta_fast", 32, above: 0, most: 1e9),
            BetaSlow = r.Number("beta_slow", 1, above: 0, most: 1e9),
            MScale = r.Number("mscale", 1, above: -1e-300, most: 1e3),
            MScaleAllDimensions = r.Number("mscale_all_dim", 0, above: -1e-300, most: 1e3),
            AttentionFactor = r.OptionalNumber("attention_factor", above: 0, most: 1e3),
        };
    }

    /// <summary>True for YaRN, false for plain rotary embedding.</summary>
    private static bool Kind(ConfigReader r, string name) => r.Choice(name, false, ("yarn", true), ("default", false));

    /// <summary>Writes the settings that differ from <paramref name="before"/>; all of them if there were none.</summary>
    private static JsonObject Merge(JsonObject json, YarnScaling? before, YarnScaling after, string typeName)
    {
        if (before is null)
        {
            if (!json.ContainsKey("type") && !json.ContainsKey("rope_type")) json[typeName] = "yarn";
            if (json.ContainsKey("type")) json["type"] = "yarn";
            if (json.ContainsKey("rope_type")) json["rope_type"] = "yarn";
        }

        Set("factor", before?.Factor, after.Factor);
        Set("original_max_position_embeddings", before?.OriginalMaxPositions, after.OriginalMaxPositions);
        Set("beta_fast", before?.BetaFast, after.BetaFast);
        Set("beta_slow", before?.BetaSlow, after.BetaSlow);
        Set("mscale", before?.MScale, after.MScale);
        Set("mscale_all_dim", before?.MScaleAllDimensions, after.MScaleAllDimensions);
        if (before?.AttentionFactor != after.AttentionFactor) json["attention_factor"] = after.AttentionFactor;
        return json;

        void Set(string name, double? old, double value)
        {
            if (old != value) json[name] = value;
        }
    }
}
