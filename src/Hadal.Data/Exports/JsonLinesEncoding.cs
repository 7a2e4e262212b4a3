using System.Buffers;
using System.IO.Compression;
using System.Text.Encodings.Web;
using System.Text.Json;

namespace Hadal.Data.Exports;

/// <summary>One JSON object a line, packed or not.</summary>
internal sealed class JsonLinesEncoding : DocumentEncoding
{
    private static readonly JsonWriterOptions _json = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping, SkipValidation = true };

    private readonly Stream _file;
    private readonly Stream _stream;
    private readonly ArrayBufferWriter<byte> _line = new(1 << 16);
    private readonly Utf8JsonWriter _writer;
    private bool _finished;

    public JsonLinesEncoding(Stream file, DocumentFormat format)
    {
        _file = file;
        _stream = format switch
        {
            DocumentFormat.JsonLinesGzip => new GZipStream(file, CompressionLevel.Optimal, leaveOpen: true),
            DocumentFormat.JsonLinesZstandard => new ZstdSharp.CompressionStream(file, 3, leaveOpen: true),
            _ => file,
        };
        _writer = new Utf8JsonWriter(_line, _json);
    }

    public override void Write(ExportDocument document)
    {
        _writer.WriteStartObject();
        _writer.WriteString("id"u8, document.Id);
        _writer.WriteString("text"u8, document.Text);
        _writer.WriteString("source"u8, document.Source);
        if (document.Language is { } language) _writer.WriteString("language"u8, language);
        foreach ((string name, string value) in document.Extra ?? []) _writer.WriteString(name, value);
        _writer.WriteEndObject();
        _writer.Flush();
        _line.Write("\n"u8);
        _stream.Write(_line.WrittenSpan);
        _line.ResetWrittenCount();
        _writer.Reset(_line);
    }

    public override void Finish()
    {
        if (_finished) return;
        _finished = true;
        if (_stream != _file) _stream.Dispose();
    }

    public override void Dispose()
    {
        _writer.Dispose();
        Finish();
    }
}
