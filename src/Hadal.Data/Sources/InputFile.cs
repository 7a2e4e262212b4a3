namespace Hadal.Data.Sources;

/// <summary>A file that documents are read from.</summary>
/// <param name="Path">Where it is on this machine.</param>
/// <param name="Id">Its name on every machine: the path below the folder that was given, with forward slashes; the bare name of a file that was given itself.</param>
/// <param name="Kind">What it holds.</param>
/// <param name="Packing">How it is packed.</param>
/// <param name="Bytes">Its length on the disk, in bytes.</param>
public sealed record InputFile(string Path, string Id, InputKind Kind, InputPacking Packing, long Bytes);
