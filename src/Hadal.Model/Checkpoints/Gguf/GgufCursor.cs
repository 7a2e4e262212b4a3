using System.Buffers.Binary;
using System.Text;
using System.Text.Unicode;

namespace Hadal.Model.Checkpoints.Gguf;

/// <summary>Reads the header of a GGUF file front to back; nothing is believed before it is compared with what the file still has.</summary>
internal ref struct GgufCursor(ReadOnlySpan<byte> bytes, string path)
{
    private readonly ReadOnlySpan<byte> _bytes = bytes;
    private readonly string _path = path;

    /// <summary>Bytes read so far.</summary>
    public int Position { get; private set; }

    /// <summary>Bytes left.</summary>
    public readonly int Remaining => _bytes.Length - Position;

    /// <summary>The next bytes.</summary>
    /// <param name="count">How many.</param>
    /// <param name="what">What they are, for the message.</param>
    /// <exception cref="CheckpointException">The file ends before.</exception>
    public ReadOnlySpan<byte> Take(long count, string what)
    {
        if (count < 0 || count > Remaining)
            throw new CheckpointException(_path, null, $"{what} at byte {Position} takes {(ulong)count} bytes, but the file ends after {Remaining} more; it is truncated or damaged");
        var taken = _bytes.Slice(Position, (int)count);
        Position += (int)count;
        return taken;
    }

    public uint U32(string what) => BinaryPrimitives.ReadUInt32LittleEndian(Take(4, what));

    public ulong U64(string what) => BinaryPrimitives.ReadUInt64LittleEndian(Take(8, what));

    /// <summary>A count of things that take at least so many bytes each.</summary>
    public int Count(string what, int leastBytes)
    {
        int at = Position;
        ulong count = U64(what);
        if (count > (ulong)(Remaining / leastBytes))
            throw new CheckpointException(_path, null, $"{what} at byte {at} is {count}, more than the {Remaining} bytes behind it can hold; the file is truncated or damaged");
        return (int)count;
    }

    /// <summary>The bytes of a string.</summary>
    public ReadOnlySpan<byte> TextBytes(string what) => Take((long)U64(what), what);

    /// <summary>A string of limited length.</summary>
    /// <exception cref="CheckpointException">It is too long, or not UTF-8.</exception>
    public string Text(string what, int most)
    {
        int at = Position;
        var bytes = TextBytes(what);
        if (bytes.Length > most) throw new CheckpointException(_path, null, $"{what} at byte {at} has {bytes.Length} bytes, more than the {most} allowed");
        return Utf8.IsValid(bytes) ? Encoding.UTF8.GetString(bytes) : throw new CheckpointException(_path, null, $"{what} at byte {at} is not UTF-8 text");
    }
}
