using System.Buffers;
using System.Text.Encodings.Web;
using System.Text.Json;

namespace Hadal.Data.Pipeline.Work;

/// <summary>Writes a JSON object a line.</summary>
internal sealed class JsonLog : IDisposable
{
    private static readonly JsonWriterOptions _options = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };
    private readonly FileStream _file;
    private readonly ArrayBufferWriter<byte> _line = new();
    private readonly Utf8JsonWriter _json;

    public JsonLog(string path)
    {
        _file = new FileStream(path, FileMode.Create, FileAccess.Write, FileShare.None, 1 << 16);
        _json = new Utf8JsonWriter(_line, _options);
    }

    /// <summary>Writes a line of text fields; those without a value are left out.</summary>
    public void Add(params ReadOnlySpan<(string Name, string? Value)> fields)
    {
        _json.WriteStartObject();
        foreach (var (name, value) in fields)
        {
            if (value is not null) _json.WriteString(name, value);
        }

        _json.WriteEndObject();
        _json.Flush();
        _file.Write(_line.WrittenSpan);
        _file.WriteByte((byte)'\n');
        _line.ResetWrittenCount();
        _json.Reset();
    }

    public void Dispose()
    {
        _json.Dispose();
        _file.Dispose();
    }
}
