using System.Buffers;
using System.Globalization;
using System.Text.Json;

namespace Hadal.Model.Tokenization;

/// <summary>Encodes a file with one JSON object a line, <c>{"text": …}</c>, to one with <c>{"ids": […]}</c> a line, in the same order.</summary>
/// <remarks>Streams: memory holds one batch of lines, whatever the size of the file. Fields other than <c>text</c> are passed over.</remarks>
public sealed class JsonLinesEncoder
{
    // Large enough to keep all threads busy, small enough to be nothing beside the tokenizer itself.
    private const int BatchBytes = 4 << 20;
    private const int BatchLines = 8192;
    private const int LongestLine = 1 << 30;

    private readonly Tokenizer _tokenizer;
    private readonly EncodeOptions? _options;
    private readonly int _threads;

    /// <summary>An encoder.</summary>
    /// <param name="tokenizer">The tokenizer.</param>
    /// <param name="options">How to encode; null for <see cref="EncodeOptions.Default"/>.</param>
    /// <param name="threads">Threads that encode; 0 for one per logical processor. The output does not depend on it.</param>
    public JsonLinesEncoder(Tokenizer tokenizer, EncodeOptions? options = null, int threads = 0)
    {
        ArgumentNullException.ThrowIfNull(tokenizer);
        ArgumentOutOfRangeException.ThrowIfNegative(threads);
        (_tokenizer, _options, _threads) = (tokenizer, options, threads == 0 ? Environment.ProcessorCount : threads);
    }

    /// <summary>Lines encoded so far.</summary>
    public long Lines { get; private set; }

    /// <summary>Ids written so far.</summary>
    public long Tokens { get; private set; }

    /// <summary>Encodes a stream to its end.</summary>
    /// <param name="input">UTF-8 lines. An empty line may only stand at the end.</param>
    /// <param name="inputName">What errors call it.</param>
    /// <param name="output">Receives the lines.</param>
    /// <param name="progress">Told after each batch how many lines are done; or null.</param>
    /// <param name="cancellation">Stops between batches.</param>
    /// <exception cref="TokenizerException">A line is no JSON object with a text, or cannot be encoded; it is named by its number.</exception>
    public void Encode(Stream input, string inputName, Stream output, IProgress<long>? progress = null, CancellationToken cancellation = default)
    {
        ArgumentNullException.ThrowIfNull(input);
        ArgumentNullException.ThrowIfNull(output);
        Lines = Tokens = 0;
        var reader = new LineReader(input, inputName);
        var parallel = new ParallelOptions { MaxDegreeOfParallelism = _threads };
        var lines = new List<ReadOnlyMemory<byte>>();
        while (reader.Next(lines))
        {
            cancellation.ThrowIfCancellationRequested();
            long first = Lines + 1;
            var results = new Result[lines.Count];
            Parallel.For(0, lines.Count, parallel, i => results[i] = EncodeLine(lines[i].Span, inputName, first + i));
            foreach (var result in results)
            {
                // The first line at fault, whichever thread came upon one first.
                if (result.Fault is { } fault) throw fault;
                output.Write(result.Line);
                Tokens += result.Ids;
            }

            Lines += lines.Count;
            progress?.Report(Lines);
        }
    }

    private Result EncodeLine(ReadOnlySpan<byte> line, string name, long number)
    {
        try
        {
            int[] ids = _tokenizer.Encode(ReadText(line, name, number), _options);
            return new Result(Write(ids), ids.Length, null);
        }
        catch (TokenizerException e) when (e.Path is null)
        {
            return new Result([], 0, Fault(name, number, e.Message, e));
        }
        catch (TokenizerException e)
        {
            return new Result([], 0, e);
        }
    }

    private static string ReadText(ReadOnlySpan<byte> line, string name, long number)
    {
        try
        {
            var reader = new Utf8JsonReader(line);
            if (!reader.Read() || reader.TokenType != JsonTokenType.StartObject) throw Fault(name, number, "has to be a JSON object with a text, {\"text\": \"…\"}");
            string? text = null;
            while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
            {
                bool isText = reader.ValueTextEquals("text"u8);
                reader.Read();
                if (!isText)
                {
                    reader.Skip();
                    continue;
                }

                if (reader.TokenType != JsonTokenType.String) throw Fault(name, number, "\"text\" has to be a string");
                text = reader.GetString();
            }

            // What stands behind the object would be an error of the reader here.
            reader.Read();
            return text ?? throw Fault(name, number, "the object has no \"text\"");
        }
        catch (JsonException e)
        {
            throw Fault(name, number, $"is not valid JSON (byte {e.BytePositionInLine + 1})", e);
        }
        catch (InvalidOperationException e)
        {
            throw Fault(name, number, "\"text\" is not valid Unicode", e);
        }
    }

    private static byte[] Write(int[] ids)
    {
        var buffer = new ArrayBufferWriter<byte>(16 + 7 * ids.Length);
        buffer.Write("{\"ids\":["u8);
        for (int i = 0; i < ids.Length; i++)
        {
            if (i > 0) buffer.Write(","u8);
            ids[i].TryFormat(buffer.GetSpan(11), out int length, provider: CultureInfo.InvariantCulture);
            buffer.Advance(length);
        }

        buffer.Write("]}\n"u8);
        return buffer.WrittenSpan.ToArray();
    }

    private static TokenizerException Fault(string name, long line, string problem, Exception? cause = null) =>
        new(name, string.Create(CultureInfo.InvariantCulture, $"line {line}"), problem, cause);

    private readonly record struct Result(byte[] Line, int Ids, TokenizerException? Fault);

    /// <summary>Cuts a stream into batches of lines, which stay valid until the next batch.</summary>
    private sealed class LineReader(Stream input, string name)
    {
        private byte[] _buffer = new byte[BatchBytes];
        private int _start;
        private int _end;
        private long _lines;
        private bool _ended;

        public bool Next(List<ReadOnlyMemory<byte>> lines)
        {
            lines.Clear();
            while (lines.Count == 0)
            {
                Fill();
                Cut(lines);
                if (lines.Count > 0 || _ended) break;
                if (_buffer.Length >= LongestLine) throw Fault(name, _lines + 1, $"is longer than {LongestLine >> 20} MiB");
                Array.Resize(ref _buffer, 2 * _buffer.Length);
            }

            return lines.Count > 0;
        }

        private void Fill()
        {
            _buffer.AsSpan(_start, _end - _start).CopyTo(_buffer);
            (_start, _end) = (0, _end - _start);
            while (!_ended && _end < _buffer.Length)
            {
                int read = input.Read(_buffer, _end, _buffer.Length - _end);
                _ended = read == 0;
                _end += read;
            }

            // Files of Windows programs may begin with a byte order mark.
            if (_lines == 0 && _buffer.AsSpan(_start, _end - _start).StartsWith("\uFEFF"u8)) _start += 3;
        }

        private void Cut(List<ReadOnlyMemory<byte>> lines)
        {
            while (lines.Count < BatchLines && _start < _end)
            {
                int length = _buffer.AsSpan(_start, _end - _start).IndexOf((byte)'\n');
                if (length < 0 && !_ended) return;
                bool last = length < 0;
                if (last) length = _end - _start;
                var line = _buffer.AsMemory(_start, length);
                _start += last ? length : length + 1;
                if (line.Span.Trim(" \t\r"u8).IsEmpty)
                {
                    if (_ended && _buffer.AsSpan(_start, _end - _start).Trim(" \t\r\n"u8).IsEmpty)
                    {
                        _start = _end;
                        return;
                    }

                    throw Fault(name, _lines + 1, "is empty; every line has to be a JSON object with a text, {\"text\": \"…\"}");
                }

                lines.Add(line);
                _lines++;
            }
        }
    }
}
