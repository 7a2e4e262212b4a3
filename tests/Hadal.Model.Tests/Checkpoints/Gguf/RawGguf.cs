using Hadal.Model.Checkpoints.Gguf;

namespace Hadal.Model.Tests.Checkpoints.Gguf;

/// <summary>GGUF files put together byte by byte, so that they can lie.</summary>
internal static class RawGguf
{
    /// <summary>An entry of the table: axes fastest first.</summary>
    public sealed record Entry(string Name, ulong[] Axes, uint Type, ulong Offset);

    public static byte[] File(GgufPairs pairs, Entry[] entries, int dataBytes, uint version = 3, ulong? tensors = null, ulong? count = null, int alignment = 32)
    {
        using var stream = new MemoryStream();
        stream.Write("GGUF"u8);
        GgufPairs.Write(stream, version);
        GgufPairs.Write(stream, tensors ?? (ulong)entries.Length);
        GgufPairs.Write(stream, count ?? (ulong)pairs.Count);
        pairs.WriteTo(stream);
        foreach (var entry in entries)
        {
            GgufPairs.Write(stream, entry.Name);
            GgufPairs.Write(stream, (uint)entry.Axes.Length);
            foreach (ulong axis in entry.Axes) GgufPairs.Write(stream, axis);
            GgufPairs.Write(stream, entry.Type);
            GgufPairs.Write(stream, entry.Offset);
        }

        while (stream.Length % alignment != 0) stream.WriteByte(0);
        stream.Write(new byte[dataBytes]);
        return stream.ToArray();
    }

    public static GgufHeader Parse(byte[] bytes) => GgufHeader.Parse(bytes, bytes.Length, "x.gguf");
}
