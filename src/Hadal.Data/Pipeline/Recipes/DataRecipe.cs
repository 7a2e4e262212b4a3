using System.Diagnostics.CodeAnalysis;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.Json.Serialization;
using Hadal.Data.Decontamination;
using Hadal.Data.Deduplication;
using Hadal.Data.Normalization;
using Hadal.Data.Pipeline.Steps;
using Hadal.Data.Privacy;

namespace Hadal.Data.Pipeline.Recipes;

/// <summary>What a build reads, what it does to it, and what it writes: a recipe file.</summary>
public sealed record DataRecipe
{
    private static readonly JsonSerializerOptions _json = new()
    {
        UnmappedMemberHandling = JsonUnmappedMemberHandling.Disallow,
        AllowDuplicateProperties = false,
        RespectNullableAnnotations = true,
        ReadCommentHandling = JsonCommentHandling.Skip,
        AllowTrailingCommas = true,
        WriteIndented = true,
        Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
    };

    private static readonly JsonDocumentOptions _documents = new() { CommentHandling = JsonCommentHandling.Skip, AllowTrailingCommas = true };

    /// <summary>Files and folders, in the order in which documents are numbered.</summary>
    [JsonPropertyName("inputs")]
    public IReadOnlyList<InputRecipe> Inputs { get; init; } = [];

    /// <summary>
    /// Where the settings that the recipe leaves out come from. <c>dedup-only</c>: only copies go. <c>v3</c>: texts are cleaned, languages told, poor texts dropped, personal
    /// data masked. A field that is null in the recipe stays off.
    /// </summary>
    [JsonPropertyName("preset")]
    public string Preset { get; init; } = "dedup-only";

    /// <summary>How texts are brought into one form; left out, they stay as they are.</summary>
    [JsonPropertyName("clean")]
    public CleaningOptions? Clean { get; init; }

    /// <summary>For which documents the language is told from the text (<c>off</c>, <c>missing</c>, <c>all</c>): en, zh, ja, es, code:python and so on, other.</summary>
    [JsonPropertyName("languages")]
    public LanguageChoice Languages { get; init; }

    /// <summary>Languages that stay ("code" for all programming languages); empty for all.</summary>
    [JsonPropertyName("keep_languages")]
    public IReadOnlyList<string> KeepLanguages { get; init; } = [];

    /// <summary>Sets of quality rules, applied in this order: names of presets, or objects with thresholds.</summary>
    [JsonPropertyName("quality")]
    [AllowNull]
    public IReadOnlyList<QualityRecipe> Quality { get; init => field = value ?? []; } = [];

    /// <summary>How copies are found.</summary>
    [JsonPropertyName("deduplicate")]
    public DeduplicationSettings Deduplicate { get; init; } = new();

    /// <summary>Which personal data is masked; left out, none.</summary>
    [JsonPropertyName("privacy")]
    public PrivacyOptions? Privacy { get; init; }

    /// <summary>Evaluation sets that must not be trained on; left out, nobody looks for them.</summary>
    [JsonPropertyName("decontaminate")]
    public DecontaminationRecipe? Decontaminate { get; init; }

    /// <summary>How documents become rows of tokens; left out, they stay text.</summary>
    [JsonPropertyName("tokens")]
    public TokenRecipe? Tokens { get; init; }

    /// <summary>Documents that are written on the way, as they leave single stages.</summary>
    [JsonPropertyName("exports")]
    public IReadOnlyList<ExportRecipe> Exports { get; init; } = [];

    /// <summary>Examples in <c>samples.jsonl</c> for each rule that drops or changes something, 0 to 1,000.</summary>
    [JsonPropertyName("samples")]
    public int Samples { get; init; } = 5;

    /// <summary>Whether <c>documents.jsonl</c> is written: what is left, in input order.</summary>
    [JsonPropertyName("documents")]
    public bool Documents { get; init; }

    /// <summary>The longest text that is read, in bytes of UTF-8; longer records are left out and reported.</summary>
    [JsonPropertyName("maximum_document_bytes")]
    public int MaximumDocumentBytes { get; init; } = 16 << 20;

    /// <summary>Text in a part, the unit of work that is done again after an interruption, in bytes of UTF-8.</summary>
    [JsonPropertyName("part_bytes")]
    public int PartBytes { get; init; } = 8 << 20;

    /// <summary>Decides everything that is drawn.</summary>
    [JsonPropertyName("seed")]
    public ulong Seed { get; init; } = 1;

    /// <summary>Reads a recipe; its paths become relative to its folder.</summary>
    /// <param name="path">The file.</param>
    /// <exception cref="DataException">It cannot be read, is no JSON, or a field is unknown or out of range.</exception>
    public static DataRecipe Load(string path)
    {
        DataRecipe? recipe;
        try
        {
            byte[] file = File.ReadAllBytes(path);
            recipe = JsonSerializer.Deserialize<DataRecipe>(file, _json);

            // Read twice: what is wrong in the file itself has a line there, what the preset adds has none.
            if (recipe is not null && JsonNode.Parse(file, null, _documents) is JsonObject fields && RecipePresets.Fill(fields, recipe.Preset)) recipe = fields.Deserialize<DataRecipe>(_json);
        }
        catch (JsonException e)
        {
            string where = e.LineNumber is { } line ? FormattableString.Invariant($"{path}:{line + 1}") : path;
            throw new DataException($"{where}: this is no recipe: {RecipeErrors.Reason(e)}{(e.Path is { } field ? $" (at {field})" : "")}.", path, e);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new DataException($"The recipe {path} cannot be read: {e.Message.TrimEnd('.')}.", path, e);
        }

        if (recipe is null) throw new DataException($"{path}: a recipe is a JSON object with at least \"inputs\".", path);
        string folder = Path.GetDirectoryName(Path.GetFullPath(path))!;
        if (recipe.Tokens is { } tokens) recipe = recipe with { Tokens = tokens with { Tokenizer = Path.GetFullPath(tokens.Tokenizer, folder) } };
        if (recipe.Decontaminate is { } sets)
            recipe = recipe with { Decontaminate = sets with { Sets = [.. sets.Sets.Select(s => s is null or { Path: "" } ? s! : s with { Path = Path.GetFullPath(s.Path, folder) })] } };
        recipe = recipe with { Inputs = [.. recipe.Inputs.Select(i => i with { Path = Path.GetFullPath(i.Path, folder) })] };
        recipe.Validate(path);
        return recipe;
    }

    /// <summary>The recipe as JSON.</summary>
    public string ToJson() => JsonSerializer.Serialize(this, _json);

    /// <exception cref="DataException">A field is out of range.</exception>
    internal void Validate(string where)
    {
        if (Inputs.Count == 0) throw new DataException($"{where}: \"inputs\" is empty; name at least one file or folder.");
        if (!RecipePresets.Names.Contains(Preset)) throw new DataException($"{where}: there is no preset \"{Preset}\"; there are {string.Join(", ", RecipePresets.Names)}.");
        foreach (var quality in Quality)
        {
            if (quality.Rules.Problem() is { } bad) throw new DataException($"{where}: \"quality\": {bad}.");
        }

        if (Clean?.Problem() is { } clean) throw new DataException($"{where}: \"clean\": {clean}");
        if (Privacy?.Problem() is { } masks) throw new DataException($"{where}: \"privacy\": {masks.TrimEnd('.')}.");
        if (Decontaminate?.Problem() is { } sets) throw new DataException($"{where}: \"decontaminate\": {sets}");
        if (Deduplicate.Problem() is { } problem) throw new DataException($"{where}: \"deduplicate\": {problem}");
        if (Exports.Any(e => e is null)) throw new DataException($"{where}: \"exports\": an export is an object such as {{\"after\": \"read\"}}, not null.");
        if (Exports.GroupBy(e => (e.After, e.Format)).FirstOrDefault(g => g.Count() > 1) is { Key: var twice })
            throw new DataException($"{where}: \"exports\": what leaves \"{twice.After}\" as {twice.Format} is asked for twice; once is enough.");
        foreach (var export in Exports)
        {
            IReadOnlyList<string> stages = DocumentSteps.StagesOf(this), formats = ExportRecipe.Formats;
            if (!stages.Contains(export.After)) throw new DataException($"{where}: \"exports\": the recipe has no stage \"{export.After}\" of documents; it has {string.Join(", ", stages)}.");
            if (!formats.Contains(export.Format)) throw new DataException($"{where}: \"exports\": there is no format \"{export.Format}\"; there are {string.Join(", ", formats)}.");
        }

        if (Samples is < 0 or > 1000) throw new DataException($"{where}: \"samples\" is from 0 to 1,000.");
        if (Tokens?.Problem() is { } wrong) throw new DataException($"{where}: \"tokens\": {wrong}");
        if (MaximumDocumentBytes is < 1024 or > 1 << 28) throw new DataException($"{where}: \"maximum_document_bytes\" is from 1,024 to 268,435,456.");
        if (PartBytes is < 1024 or > 1 << 28) throw new DataException($"{where}: \"part_bytes\" is from 1,024 to 268,435,456.");
    }
}
