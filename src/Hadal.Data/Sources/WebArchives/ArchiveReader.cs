using System.Globalization;
using Hadal.Data.Sources.Packing;

namespace Hadal.Data.Sources.WebArchives;

/// <summary>
/// The pages and texts of a web archive (WARC 1.0 and 1.1, ISO 28500), in its order: HTML and plain text in answers with status 200, in resources and in conversions (the form of WET files). Whatever the
/// file's bytes are, what cannot be read is reported with its place, and reading goes on at the next record that can be found.
/// </summary>
internal sealed class ArchiveReader : IDisposable
{
    private const int MaximumHeadBytes = 1 << 16;

    private readonly InputFile _file;
    private readonly InputOptions _options;
    private readonly IReadReport _report;
    private readonly GzipSegments? _segments;
    private readonly Stream? _whole;
    private readonly HttpBody _body;
    private readonly ExpansionLimit _limit;
    private readonly RecordBuffer _buffer;
    private Stream? _segment;
    private bool _open;
    private bool _begun;
    private long _read;
    private long _unpacked;
    private bool _exceeded;

    /// <summary>Reads an archive: of gzip the packed bytes, of all others the unpacked ones.</summary>
    public ArchiveReader(InputFile file, Stream stream, InputOptions options, IReadReport report)
    {
        _file = file;
        _options = options;
        _report = report;
        _body = new HttpBody(options.MaximumDocumentBytes);
        _limit = ExpansionLimit.Of(options);
        _buffer = new RecordBuffer(bytes => Count(bytes, read: true));
        if (file.Packing == InputPacking.Gzip) _segments = new GzipSegments(stream, file.Path);
        else _whole = stream;
    }

    /// <summary>Number of the record that the last page came from, from 0.</summary>
    public long Record { get; private set; } = -1;

    /// <summary>The next page; null after the last.</summary>
    /// <exception cref="DataException">The file cannot be read, or expands too far.</exception>
    public ArchivedPage? Next()
    {
        while (_open || Open())
        {
            try
            {
                ArchivedPage? page = NextHere();
                if (page is not null) return page;
                _open = false;
            }
            catch (DataException e) when (_segments is not null && !_exceeded)
            {
                Damaged($"does not unpack ({(e.Message.Contains("no proper end", StringComparison.Ordinal) ? "it is cut short" : "it is damaged")})", _segments.IsLast);
                _open = false;
            }
        }

        return null;
    }

    public void Dispose() => _segment?.Dispose();

    private bool Open()
    {
        _segment?.Dispose();
        _segment = _segments is not null ? _segments.Next() : _begun ? null : _whole;
        _begun = true;
        if (_segment is null) return false;
        _buffer.Begin(_segment);
        return _open = true;
    }

    private void Count(int bytes, bool read)
    {
        if (read) _read += bytes;
        if (!read || _segments is not null) _unpacked += bytes;
        _exceeded = true;
        _limit.Check(_unpacked, _segments?.Passed ?? _read, _file.Path);
        _exceeded = false;
    }

    // The next page of the segment, null at its end.
    private ArchivedPage? NextHere()
    {
        RecordBuffer buffer = _buffer;
        while (true)
        {
            buffer.SkipLineEnds();
            if (!buffer.Ensure(1)) return null;
            int head = Head(buffer);
            if (head < 0)
            {
                Damaged("does not begin a record", last: false);
                buffer.Skip(1);
                if (!buffer.SkipToRecord()) return null;
                continue;
            }

            Record++;
            string? length = HeaderFields.Find(buffer.Held[..head], "Content-Length"u8);
            if (!long.TryParse(length, NumberStyles.None, CultureInfo.InvariantCulture, out long bytes) || bytes > long.MaxValue / 2)
            {
                Damaged("has no proper Content-Length", last: false);
                buffer.Skip(head - 1);
                if (!buffer.SkipToRecord()) return null;
                continue;
            }

            if (bytes > _options.MaximumDocumentBytes)
            {
                // Too long to be held: its length is believed.
                if (Describe(buffer, head, Math.Min(bytes, MaximumHeadBytes)) is not null) Damaged($"is left out: {_body.TooLong}", last: false);
                if (buffer.Skip(head + bytes)) continue;
                Damaged("is cut short", last: _segments?.IsLast ?? true);
                return null;
            }

            bool whole = buffer.Ensure(head + (int)bytes);
            if (!whole || !EndsWell(buffer, head + (int)bytes))
            {
                long at = buffer.Offset;
                bool last = !whole && (_segments?.IsLast ?? true);
                buffer.Skip(head - 1);
                bool more = buffer.SkipToRecord();
                Damaged(whole ? "is not as long as it says" : "is cut short", last && !more, at);
                if (!more) return null;
                continue;
            }

            Described? described = Describe(buffer, head, bytes);
            ArchivedPage? page = null;
            if (described is { } d)
            {
                ReadOnlyMemory<byte> content = buffer.Front(head + d.Body, (int)bytes - d.Body);
                string? repair = null;
                ReadOnlyMemory<byte>? body = d.IsHttp ? _body.Decode(content, d.Transfer, d.Content, out repair) : content;
                if (body is null) Damaged($"is left out: {_body.TooLong}", last: false);
                else page = new ArchivedPage(d.Uri, d.IsHtml, d.Charset, body.Value, Offset(buffer.Offset), repair);
                if (body is { } decoded && d.IsHttp) Count(decoded.Length, read: false);
            }

            // The page's bytes stay where they are until the buffer is read again.
            buffer.Skip(head + bytes);
            if (page is not null) return page;
        }
    }

    // The length of the head of the record that begins here; -1 if none does.
    private static int Head(RecordBuffer buffer)
    {
        if (!buffer.Ensure(7) || !buffer.Held.StartsWith("WARC/"u8) || buffer.Held[5] is not ((byte)'0' or (byte)'1') || buffer.Held[6] != (byte)'.') return -1;
        for (int size = 4096; ; size *= 4)
        {
            bool all = buffer.Ensure(size);
            int head = HeaderFields.Length(buffer.Held[..Math.Min(size, buffer.Held.Length)]);
            if (head >= 0 || !all || size >= MaximumHeadBytes) return head;
        }
    }

    // Two line ends, as the format wants it, or others and then the next record or nothing.
    private static bool EndsWell(RecordBuffer buffer, int end)
    {
        buffer.Ensure(end + 16);
        ReadOnlySpan<byte> rest = buffer.Held[end..];
        if (rest.StartsWith("\r\n\r\n"u8)) return true;
        rest = rest.TrimStart("\r\n"u8);
        return rest.IsEmpty || rest.StartsWith("WARC/"u8) || (rest.Length < 5 && "WARC/"u8.StartsWith(rest));
    }

    // What a record holds, if it is a page or text; only the front of it is looked at.
    private static Described? Describe(RecordBuffer buffer, int head, long bytes)
    {
        buffer.Ensure(head + (int)Math.Min(bytes, MaximumHeadBytes));
        ReadOnlySpan<byte> fields = buffer.Held[..head];
        string? type = HeaderFields.Find(fields, "WARC-Type"u8)?.ToLowerInvariant();
        if (type is not ("response" or "resource" or "conversion")) return null;
        string uri = HeaderFields.Find(fields, "WARC-Target-URI"u8)?.Trim('<', '>') ?? "";
        (string mime, string? charset) = HeaderFields.ContentType(HeaderFields.Find(fields, "Content-Type"u8));
        if (type != "response") return Kind(mime) is { } plain ? new Described(uri, plain, charset, 0, false, null, null) : null;
        ReadOnlySpan<byte> content = buffer.Held[head..];
        content = content[..(int)Math.Min(content.Length, Math.Min(bytes, MaximumHeadBytes))];
        if (mime is not ("" or "application/http") || !content.StartsWith("HTTP/"u8)) return null;
        int http = HeaderFields.Length(content);
        if (http < 0) return null;
        int blank = content[..http].IndexOf((byte)' ');
        if (blank < 0 || !content[(blank + 1)..].TrimStart((byte)' ').StartsWith("200"u8)) return null;
        (mime, charset) = HeaderFields.ContentType(HeaderFields.Find(content[..http], "Content-Type"u8));
        if (Kind(mime) is not { } html) return null;
        return new Described(uri, html, charset, http, true, HeaderFields.Find(content[..http], "Transfer-Encoding"u8), HeaderFields.Find(content[..http], "Content-Encoding"u8));
    }

    // Whether a type is HTML; null if it is no text that is read.
    private static bool? Kind(string type) => type switch
    {
        "text/html" or "application/xhtml+xml" => true,
        "text/plain" => false,
        _ => null,
    };

    private void Damaged(string what, bool last, long? at = null)
    {
        string place = string.Create(CultureInfo.InvariantCulture, $"{(_segments is null ? "what begins" : "the gzip member")} at byte {Offset(at ?? _buffer.Offset)} {what}");
        _report.Add(new ReadProblem(last ? ReadProblemKind.FileCutShort : ReadProblemKind.RecordSkipped, _file.Id, null, place));
    }

    private long Offset(long inside) => _segments?.Offset ?? inside;

    private readonly record struct Described(string Uri, bool IsHtml, string? Charset, int Body, bool IsHttp, string? Transfer, string? Content);
}
