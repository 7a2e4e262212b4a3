namespace Hadal.Model.Checkpoints.Gguf;

/// <summary>A metadata array, left where it lies.</summary>
/// <param name="Type">Type of its elements; no arrays.</param>
/// <param name="Count">How many; the file has at least as many bytes.</param>
/// <param name="Offset">Where the first element starts in the file.</param>
/// <param name="ByteLength">Bytes of all elements.</param>
internal sealed record GgufArray(GgufValueType Type, int Count, int Offset, int ByteLength);
