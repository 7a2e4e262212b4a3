using System.Globalization;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using Hadal.Model.Configuration;
using Hadal.Training.Runs;

namespace Hadal.Training.Studies;

/// <summary>Runs that differ in one thing, over the same data and seeds: what a study file describes.</summary>
/// <remarks>
/// A study file is a JSON object: <c>run</c> (a run file: its path, or the object itself), what differs (<c>vary</c>, the name of a field, dotted for an inner one, with
/// <c>values</c>; or <c>variants</c>, names with the fields that each changes), <c>seeds</c>, and optionally <c>baseline</c> (the variant that the others are compared
/// with; the first), <c>title</c>, and <c>band_percent</c> (a band around zero in the chart of differences).
/// </remarks>
public sealed record Study
{
    private const int MostVariants = 32;
    private const int MostSeeds = 100;
    private static readonly string[] _fields = ["title", "run", "vary", "values", "variants", "seeds", "baseline", "band_percent"];

    private Study()
    {
    }

    /// <summary>Heading of the page.</summary>
    public required string Title { get; init; }

    /// <summary>The field that differs, dotted; null where variants have names of their own.</summary>
    public required string? Varied { get; init; }

    /// <summary>What is compared, at least two, in the order of the file.</summary>
    public required IReadOnlyList<StudyVariant> Variants { get; init; }

    /// <summary>Seeds that every variant runs with.</summary>
    public required IReadOnlyList<ulong> Seeds { get; init; }

    /// <summary>Name of the variant that the others are compared with.</summary>
    public required string Baseline { get; init; }

    /// <summary>Half the width of a band around zero in the chart of differences, in percent; null for none.</summary>
    public required double? BandPercent { get; init; }

    /// <summary>The folder that paths of the runs are relative to.</summary>
    public required string Home { get; init; }

    /// <summary>Every run, seed by seed, so that what is there at any time can be compared.</summary>
    public IEnumerable<StudyRun> Runs => Seeds.SelectMany(seed => Variants.Select(v => new StudyRun(v, seed, v.Run with { Seed = seed, SplitSeed = v.Run.SplitSeed ?? v.Run.Seed })));

    /// <summary>Reads and checks a study file, and the run file that it names.</summary>
    /// <param name="path">The file.</param>
    /// <returns>The study.</returns>
    /// <exception cref="ConfigException">A file is missing, not JSON, or has a wrong field.</exception>
    public static Study Load(string path) => Parse(ReadFile(path, "the study file"), path, Path.GetDirectoryName(Path.GetFullPath(path))!);

    /// <summary>Reads and checks a study file's contents.</summary>
    /// <param name="json">UTF-8.</param>
    /// <param name="name">What to call it in messages.</param>
    /// <param name="folder">The folder that its paths are relative to.</param>
    /// <returns>The study.</returns>
    /// <exception cref="ConfigException">Not JSON, or a wrong field.</exception>
    public static Study Parse(ReadOnlySpan<byte> json, string name, string folder)
    {
        ArgumentNullException.ThrowIfNull(name);
        ArgumentNullException.ThrowIfNull(folder);
        var file = ReadObject(json, name, "the study file");
        if (file.FirstOrDefault(f => !_fields.Contains(f.Key)) is { Key: { } unknown }) throw Wrong(unknown, $"is not a field of a study file; those are {string.Join(", ", _fields)}");
        var (run, home) = Base(file["run"]);
        string? varied = Text("vary");
        var changes = Changes(varied);
        if (changes.Count is < 2 or > MostVariants) throw Wrong(varied is null ? "variants" : "values", $"has to have 2 to {MostVariants} entries, and has {changes.Count}");
        var variants = new List<StudyVariant>();
        foreach (var (variant, settings) in changes)
        {
            CheckName(variant);
            if (settings.ContainsKey("seed")) throw Wrong($"variants.{variant}.seed", "cannot differ: the seeds of all variants are in seeds");
            var merged = (JsonObject)run.DeepClone();
            Merge(merged, settings);
            var config = RunConfig.Parse(Encoding.UTF8.GetBytes(merged.ToJsonString()), $"{name}, variant {variant}");
            if (variants.Find(v => string.Equals(v.Name, variant, StringComparison.OrdinalIgnoreCase)) is { } namesake)
                throw Wrong(varied is null ? "variants" : "values", $"has \"{namesake.Name}\" and \"{variant}\", whose folders would be the same");
            if (variants.Find(v => v.Run.ToJson() == config.ToJson()) is { } twin)
                throw Wrong(varied is null ? "variants" : "values", $"has \"{twin.Name}\" and \"{variant}\", which are the same run; they have to differ in a field");
            variants.Add(new StudyVariant(variant, settings, config));
        }

        string baseline = Text("baseline", anyValue: true) ?? variants[0].Name;
        if (variants.TrueForAll(v => v.Name != baseline)) throw Wrong("baseline", $"is \"{baseline}\", but has to be one of {string.Join(", ", variants.Select(v => v.Name))}");
        return new Study
        {
            Title = Text("title") ?? (varied is null ? Path.GetFileNameWithoutExtension(name) : varied),
            Varied = varied,
            Variants = variants,
            Seeds = ReadSeeds(),
            Baseline = baseline,
            BandPercent = Band(),
            Home = home,
        };

        (JsonObject Run, string Home) Base(JsonNode? node)
        {
            if (node is JsonObject inline) return (inline, folder);
            if (node is not JsonValue value || !value.TryGetValue(out string? path) || path.Length == 0) throw Wrong("run", "has to be a run file: its path, or the object itself");
            path = Path.GetFullPath(path, folder);
            return (ReadObject(ReadFile(path, "the base run"), path, "the base run"), Path.GetDirectoryName(path)!);
        }

        List<(string Name, JsonObject Settings)> Changes(string? field)
        {
            if (file["variants"] is { } named)
            {
                if (field is not null || file.ContainsKey("values")) throw Wrong("variants", "cannot stand beside vary and values; keep one of the two");
                if (named is not JsonObject all || all.Any(v => v.Value is not JsonObject)) throw Wrong("variants", "has to be an object that gives each variant's name the fields it changes");
                return [.. all.Select(v => (v.Key, (JsonObject)v.Value!))];
            }

            if (field is null) throw Wrong("vary", "has to name the field that differs, with values beside it (or use variants)");
            if (field.Split('.').Any(part => part.Length == 0) || field.Split('.')[0] == "seed") throw Wrong("vary", $"is \"{field}\", which is no field that can differ; inner fields are written optimizer.learning_rate, and seeds go into seeds");
            if (file["values"] is not JsonArray values) throw Wrong("values", $"has to list the values of {field}");
            return [.. values.Select(value => (Spelled(value) ?? throw Wrong("values", "can hold words, numbers, true and false; anything else needs variants with names"), Nested(field, value)))];
        }

        IReadOnlyList<ulong> ReadSeeds()
        {
            if (file["seeds"] is not JsonArray { Count: >= 1 and <= MostSeeds } list) throw Wrong("seeds", $"has to list 1 to {MostSeeds} seeds, for instance [1, 2, 3]");
            var seeds = new List<ulong>();
            foreach (var node in list)
            {
                if (node is not JsonValue value || !value.TryGetValue(out ulong seed)) throw Wrong("seeds", "has to hold whole numbers of 0 or more");
                if (seeds.Contains(seed)) throw Wrong("seeds", $"has {seed} twice");
                seeds.Add(seed);
            }

            return seeds;
        }

        double? Band()
        {
            if (file["band_percent"] is not { } node) return null;
            return node is JsonValue value && value.TryGetValue(out double band) && band is > 0 and < 100 ? band : throw Wrong("band_percent", "has to be a number between 0 and 100");
        }

        string? Text(string field, bool anyValue = false)
        {
            if (file[field] is not { } node) return null;
            if (anyValue && Spelled(node) is { } spelled) return spelled;
            return node is JsonValue value && value.TryGetValue(out string? text) && text.Length > 0 ? text : throw Wrong(field, "has to be a text");
        }

        void CheckName(string variant)
        {
            if (variant.Length is < 1 or > 60 || variant[0] == '.' || variant[^1] == '.' || variant.Any(c => !char.IsAsciiLetterOrDigit(c) && !"-_.+=".Contains(c, StringComparison.Ordinal)))
                throw Wrong(varied is null ? "variants" : "values", $"has \"{variant}\", which cannot be the name of a folder; names are up to 60 letters, digits, and - _ + = . inside");
        }

        ConfigException Wrong(string field, string what) => new(name, field, $"{field} {what}");
    }

    // Fields of an inner object change one by one; null takes a field away, so that it has its usual value.
    private static void Merge(JsonObject target, JsonObject change)
    {
        foreach (var (field, value) in change)
        {
            if (value is JsonObject inner && target[field] is JsonObject present) Merge(present, inner);
            else if (value is null) target.Remove(field);
            else target[field] = value.DeepClone();
        }
    }

    private static JsonObject Nested(string field, JsonNode? value)
    {
        string[] parts = field.Split('.');
        var node = value?.DeepClone();
        for (int i = parts.Length - 1; i > 0; i--) node = new JsonObject { [parts[i]] = node };
        return new JsonObject { [parts[0]] = node };
    }

    private static string? Spelled(JsonNode? value) => value?.GetValueKind() switch
    {
        JsonValueKind.String => value.GetValue<string>(),
        JsonValueKind.Number => value.ToJsonString(),
        JsonValueKind.True => "true",
        JsonValueKind.False => "false",
        _ => null,
    };

    private static byte[] ReadFile(string path, string what)
    {
        try
        {
            return File.ReadAllBytes(path);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new ConfigException(path, null, string.Create(CultureInfo.InvariantCulture, $"{what} cannot be read ({e.Message.TrimEnd('.')})"), e);
        }
    }

    private static JsonObject ReadObject(ReadOnlySpan<byte> json, string name, string what)
    {
        try
        {
            var reader = new Utf8JsonReader(json, new JsonReaderOptions { CommentHandling = JsonCommentHandling.Skip, AllowTrailingCommas = true });
            if (JsonNode.Parse(ref reader) is not JsonObject file) throw new ConfigException(name, null, $"{what} has to be one JSON object");
            if (reader.Read()) throw new ConfigException(name, null, $"{what} has something behind its object");

            // A name twice shows only when the names are looked at, at every depth.
            _ = file.DeepClone().ToJsonString();
            foreach (var (_, value) in file) Visit(value);
            return file;
        }
        catch (JsonException e)
        {
            throw new ConfigException(name, null, $"{what} is not JSON (line {e.LineNumber + 1})", e);
        }
        catch (Exception e) when (e is InvalidOperationException or ArgumentException)
        {
            throw new ConfigException(name, null, $"{what} has a name or text that is not valid Unicode, or a name twice", e);
        }

        static void Visit(JsonNode? node)
        {
            if (node is JsonObject inner)
            {
                foreach (var (_, value) in inner) Visit(value);
            }
            else if (node is JsonArray list)
            {
                foreach (var value in list) Visit(value);
            }
        }
    }
}
