using Hadal.Data.Pipeline.Storage;

namespace Hadal.Data.Pipeline.Steps;

/// <summary>Something that is done to one document without looking at others. Immutable: several workers share it.</summary>
internal interface IDocumentStep
{
    /// <summary>What <c>stages.jsonl</c> calls it.</summary>
    string Stage { get; }

    StepResult Apply(StoredDocument document);
}
