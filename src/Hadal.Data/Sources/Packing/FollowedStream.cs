using System.IO.Compression;

namespace Hadal.Data.Sources.Packing;

/// <summary>A gzip stream with one more member after its end, by which a stream that was cut short can be told from a whole one.</summary>
/// <remarks>
/// The platform's <see cref="GZipStream"/> takes the end of its input for the end of the data, wherever it comes. But it reads members that follow each other as one text
/// (RFC 1952, section 2.2), and asks for more input only when it can give nothing more. So what comes out after <see cref="AtEnd"/> is the added member's
/// content and nothing else if, and only if, everything before it was whole.
/// </remarks>
internal sealed class FollowedStream(Stream inner) : CountedStream(inner)
{
    private static readonly byte[] _member = Pack();
    private int _given;

    /// <summary>What the added member unpacks to.</summary>
    public static ReadOnlySpan<byte> Content => "end of archive 6f0b7c54-9a44-4a5e-8a0c-2f3a7d1c55e9"u8;

    /// <summary>Whether the stream itself has ended, so that what is given belongs to the added member.</summary>
    public bool AtEnd { get; private set; }

    public override int Read(Span<byte> buffer)
    {
        if (!AtEnd)
        {
            int read = base.Read(buffer);
            if (read > 0 || buffer.IsEmpty) return read;
            AtEnd = true;
        }

        int count = Math.Min(buffer.Length, _member.Length - _given);
        _member.AsSpan(_given, count).CopyTo(buffer);
        _given += count;
        return count;
    }

    private static byte[] Pack()
    {
        using var member = new MemoryStream();
        using (var gzip = new GZipStream(member, CompressionLevel.Fastest, leaveOpen: true)) gzip.Write(Content);
        return member.ToArray();
    }
}
