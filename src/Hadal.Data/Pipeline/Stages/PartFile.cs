namespace Hadal.Data.Pipeline.Stages;

/// <summary>A part as it was read: several lie in the folder of the task that read them.</summary>
/// <param name="Folder">Of the task.</param>
/// <param name="Name">What its files begin with.</param>
/// <param name="Bytes">Of its documents.</param>
internal sealed record PartFile(string Folder, string Name, long Bytes);
