using System.IO.Compression;

namespace Hadal.Data.Sources.Files;

/// <summary>Unpacks a gzip file of lines in such a way that a file which was cut short can be told from a whole one.</summary>
/// <remarks>
/// The platform's <see cref="GZipStream"/> takes the end of its input for the end of the data, wherever it comes. But it reads members that follow each other as one
/// text (RFC 1952, section 2.2). So a small member is put after the file: its line comes out last if, and only if, everything before it was whole.
/// </remarks>
internal static class GzipLines
{
    /// <summary>The line that comes last of a whole file; no JSON.</summary>
    public static ReadOnlySpan<byte> End => "end of archive 6f0b7c54-9a44-4a5e-8a0c-2f3a7d1c55e9"u8;

    /// <summary>The unpacked lines, with <see cref="End"/> after them.</summary>
    public static Stream Open(Stream packed) => new GZipStream(new Followed(packed, EndMember()), CompressionMode.Decompress);

    private static byte[] EndMember()
    {
        using var member = new MemoryStream();
        using (var gzip = new GZipStream(member, CompressionLevel.Fastest, leaveOpen: true))
        {
            gzip.WriteByte((byte)'\n');
            gzip.Write(End);
        }

        return member.ToArray();
    }

    /// <summary>A stream and some bytes after its end.</summary>
    private sealed class Followed(Stream first, byte[] after) : Stream
    {
        private int _given;

        public override bool CanRead => true;

        public override bool CanSeek => false;

        public override bool CanWrite => false;

        public override long Length => throw new NotSupportedException();

        public override long Position
        {
            get => throw new NotSupportedException();
            set => throw new NotSupportedException();
        }

        public override int Read(Span<byte> buffer)
        {
            int read = _given == 0 ? first.Read(buffer) : 0;
            if (read > 0) return read;
            int count = Math.Min(buffer.Length, after.Length - _given);
            after.AsSpan(_given, count).CopyTo(buffer);
            _given += count;
            return count;
        }

        public override int Read(byte[] buffer, int offset, int count) => Read(buffer.AsSpan(offset, count));

        public override void Flush()
        {
        }

        public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

        public override void SetLength(long value) => throw new NotSupportedException();

        public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();

        protected override void Dispose(bool disposing)
        {
            if (disposing) first.Dispose();
            base.Dispose(disposing);
        }
    }
}
