using Hadal.Data.Pipeline.Storage;

namespace Hadal.Data.Pipeline.Steps;

/// <summary>What a step says about a document: it goes on, perhaps changed, or is dropped.</summary>
internal readonly record struct StepResult
{
    /// <summary>The document as it goes on; null if it is dropped.</summary>
    public StoredDocument? Document { get; private init; }

    /// <summary>Why it is dropped.</summary>
    public string? Rule { get; private init; }

    /// <summary>The measure behind that, for a person.</summary>
    public string? Detail { get; private init; }

    /// <summary>What was changed in it, and how often.</summary>
    public IReadOnlyList<(string What, int Count)> Changes { get; private init; }

    public static StepResult Keep(StoredDocument document, IReadOnlyList<(string What, int Count)>? changes = null) => new() { Document = document, Changes = changes ?? [] };

    public static StepResult Drop(string rule, string? detail = null) => new() { Rule = rule, Detail = detail, Changes = [] };
}
