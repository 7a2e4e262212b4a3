using System.Text.Json.Serialization;
using Hadal.Data.Sources;

namespace Hadal.Data.Decontamination;

/// <summary>Where the items of an evaluation set are, as a recipe names them: a file of JSON lines, JSON, CSV or Parquet (packed or not) or a folder of them, and the fields that hold the parts.</summary>
/// <remarks>
/// In JSON a field is a string, an array of strings (<c>choices</c> of MMLU, <c>endings</c> of HellaSwag), or an object with one, of which a dot names the member (<c>targets.choices</c>;
/// <c>text</c> where none is named).
/// </remarks>
public sealed record EvaluationSet
{
    /// <summary>The name under which its items are reported; with several files, their names follow after a slash.</summary>
    [JsonPropertyName("name")]
    public string Name { get; init; } = "";

    /// <summary>The file or folder.</summary>
    [JsonPropertyName("path")]
    public string Path { get; init; } = "";

    /// <summary>The fields that make the question, joined by line ends: for multiple choice, question and choices together.</summary>
    [JsonPropertyName("question_fields")]
    public IReadOnlyList<string> QuestionFields { get; init; } = [];

    /// <summary>The fields that make the answer.</summary>
    [JsonPropertyName("answer_fields")]
    public IReadOnlyList<string> AnswerFields { get; init; } = [];

    /// <summary>The fields that make the item as one text.</summary>
    [JsonPropertyName("text_fields")]
    public IReadOnlyList<string> TextFields { get; init; } = [];

    /// <summary>What is wrong with it and what would be right, in one clause; null if nothing.</summary>
    public string? Problem()
    {
        if (Name.Length == 0) return "an evaluation set has a \"name\"";
        if (Path.Length == 0) return $"the evaluation set {Name} has a \"path\"";
        if (QuestionFields.Count + AnswerFields.Count + TextFields.Count is < 1 or > 64) return $"the evaluation set {Name} names 1 to 64 fields";
        return QuestionFields.Concat(AnswerFields).Concat(TextFields).Any(string.IsNullOrEmpty) ? $"the fields of the evaluation set {Name} have names" : null;
    }

    /// <summary>Reads the items in the order of the files. A file is read once for each field.</summary>
    /// <param name="report">Receives records that could not be used; null to ignore them.</param>
    /// <exception cref="DataException">The set is wrong, there is no file, or no record of a file has one of the fields.</exception>
    public IEnumerable<EvaluationItem> Read(IReadReport? report = null)
    {
        if (Problem() is { } problem) throw new DataException($"The evaluation set cannot be read: {problem}.");
        IReadOnlyList<InputFile> files = InputListing.Find([Path], null, report);
        foreach (InputFile file in files)
        {
            foreach (EvaluationItem item in Read(file, files.Count == 1 ? Name : $"{Name}/{file.Id}", report)) yield return item;
        }
    }

    private IEnumerable<EvaluationItem> Read(InputFile file, string name, IReadReport? report)
    {
        string[] fields = [.. QuestionFields, .. AnswerFields, .. TextFields];
        var records = new SortedDictionary<long, string?[]>();
        for (int i = 0; i < fields.Length; i++)
        {
            bool any = false;
            foreach (SourceDocument document in InputReader.Read(file, new InputOptions { TextField = fields[i], ReadsNestedStrings = true }, i == 0 ? report : null))
            {
                // The number of the record's line or of the record itself, which ends its place.
                long place = long.TryParse(document.Place.AsSpan(document.Place.AsSpan().LastIndexOfAny(':', '#') + 1), out long number) ? number : 0;
                if (!records.TryGetValue(place, out string?[]? values)) records.Add(place, values = new string?[fields.Length]);
                values[i] = document.Text;
                any = true;
            }

            if (!any) throw new DataException($"No record of {file.Path} has a text in the field \"{fields[i]}\" that the evaluation set {Name} names.", file.Path);
        }

        int ordinal = 0, questions = QuestionFields.Count, answers = questions + AnswerFields.Count;
        foreach (var (place, values) in records)
        {
            int item = file.Kind is InputKind.JsonLines ? (int)place - 1 : ordinal;
            yield return new EvaluationItem(name, item, Joined(values.AsSpan(0, questions)), Joined(values.AsSpan(questions, answers - questions)), Joined(values.AsSpan(answers)));
            ordinal++;
        }
    }

    private static string? Joined(ReadOnlySpan<string?> values)
    {
        var parts = new List<string>();
        foreach (string? value in values)
        {
            if (!string.IsNullOrEmpty(value)) parts.Add(value);
        }

        return parts.Count == 0 ? null : string.Join('\n', parts);
    }
}
