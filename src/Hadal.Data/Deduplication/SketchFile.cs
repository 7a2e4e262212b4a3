namespace Hadal.Data.Deduplication;

/// <summary>The sketches of a part one after another, found by a document's number.</summary>
internal static class SketchFile
{
    public const string Name = "sketches.part";
}
