namespace Hadal.Data.Sources.Packing;

/// <summary>The unpacked bytes of a file, with the unpackers' errors turned into sentences and expansion bounded.</summary>
internal sealed class UnpackedStream(Stream unpacker, CountedStream packed, ExpansionLimit limit, string path, string format) : ForwardStream
{
    private long _given;
    private bool _ended;

    public override int Read(Span<byte> buffer)
    {
        if (_ended || buffer.IsEmpty) return 0;
        int read = Unpack(buffer);
        if (packed is FollowedStream { AtEnd: true } followed)
        {
            _ended = true;
            if (!IsWhole(buffer[..read])) throw CutShort(null);
            return 0;
        }

        _ended = read == 0;
        _given += read;
        limit.Check(_given, packed.Count, path);
        return read;
    }

    protected override void Dispose(bool disposing)
    {
        if (disposing) unpacker.Dispose();
        base.Dispose(disposing);
    }

    // What came out after the end must be the added member and nothing else.
    private bool IsWhole(ReadOnlySpan<byte> first)
    {
        ReadOnlySpan<byte> content = FollowedStream.Content;
        if (first.Length > content.Length || !content.StartsWith(first)) return false;
        Span<byte> rest = stackalloc byte[128];
        int at = first.Length;
        while (true)
        {
            int read = Unpack(rest);
            if (read == 0) return at == content.Length;
            if (read > content.Length - at || !content[at..].StartsWith(rest[..read])) return false;
            at += read;
        }
    }

    private int Unpack(Span<byte> buffer)
    {
        try
        {
            return unpacker.Read(buffer);
        }
        catch (EndOfStreamException e)
        {
            throw CutShort(e);
        }
        catch (Exception e) when (e is InvalidDataException or ZstdSharp.ZstdException)
        {
            if (packed is FollowedStream { AtEnd: true }) throw CutShort(e);
            throw new DataException($"{path} is damaged or cut short: it does not unpack as {format} ({e.Message.TrimEnd('.')}).", path, e);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new DataException($"{path} cannot be read ({e.Message.TrimEnd('.')}).", path, e);
        }
    }

    private DataException CutShort(Exception? inner) => new($"{path} is damaged or cut short: its {format} data have no proper end.", path, inner);
}
