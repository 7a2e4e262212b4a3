using System.Buffers.Binary;
using System.Text.Encodings.Web;
using System.Text.Json;
using Hadal.Numerics;

namespace Hadal.Model.Checkpoints;

/// <summary>Writes a safetensors file whose names, types and shapes are known before its data.</summary>
/// <remarks>Tensors lie in the order of falling element size, then of their names, so that each is aligned to its element size.</remarks>
public static class SafetensorsWriter
{
    private static readonly JsonWriterOptions _json = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    /// <summary>Writes a file: beside its name first, then flushed to the disk and renamed.</summary>
    /// <param name="path">The file; replaced if it is there.</param>
    /// <param name="tensors">What the file has, in any order.</param>
    /// <param name="content">Writes the elements of one tensor to a stream, little-endian, rows after rows. Called once for each tensor in the order of the
    /// file.</param>
    /// <param name="metadata">What <c>__metadata__</c> gets; null for none.</param>
    /// <exception cref="CheckpointException">The file cannot be written; nothing is left behind.</exception>
    /// <exception cref="ArgumentException">A name is repeated or reserved, or the header would be longer than the format allows.</exception>
    /// <exception cref="InvalidOperationException"><paramref name="content"/> wrote more or fewer bytes than the tensor has.</exception>
    public static void Write(string path, IEnumerable<SafetensorsEntry> tensors, Action<SafetensorsEntry, Stream> content,
        IReadOnlyDictionary<string, string>? metadata = null) => Write(path, tensors, content, metadata, FileOperations.Platform);

    internal static void Write(string path, IEnumerable<SafetensorsEntry> tensors, Action<SafetensorsEntry, Stream> content,
        IReadOnlyDictionary<string, string>? metadata, FileOperations files)
    {
        ArgumentNullException.ThrowIfNull(content);
        var sorted = Sorted(tensors);
        byte[] header = Header(sorted, metadata);
        try
        {
            AtomicFile.Write(path, header.Length + sorted.Sum(t => t.ByteLength), stream => WriteTo(stream, header, sorted, content), files);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new CheckpointException(path, null, $"the file cannot be written ({e.Message.TrimEnd('.')})", e);
        }
    }

    /// <summary>Writes a file in place, for a folder that is not yet under its final name.</summary>
    internal static void WriteInPlace(string path, IEnumerable<SafetensorsEntry> tensors, Action<SafetensorsEntry, Stream> content,
        IReadOnlyDictionary<string, string>? metadata, FileOperations files)
    {
        var sorted = Sorted(tensors);
        byte[] header = Header(sorted, metadata);
        using var stream = files.CreateFile(path, header.Length + sorted.Sum(t => t.ByteLength));
        FileOperations.Write(stream, s => WriteTo(s, header, sorted, content));
    }

    private static void WriteTo(Stream stream, byte[] header, List<SafetensorsEntry> sorted, Action<SafetensorsEntry, Stream> content)
    {
        stream.Write(header);
        long position = header.Length;
        foreach (var tensor in sorted)
        {
            content(tensor, stream);
            position += tensor.ByteLength;
            long written = tensor.ByteLength + stream.Position - position;
            if (written != tensor.ByteLength)
                throw new InvalidOperationException($"{tensor.Name} takes {tensor.ByteLength} bytes, but {written} were written.");
        }
    }

    private static List<SafetensorsEntry> Sorted(IEnumerable<SafetensorsEntry> tensors)
    {
        ArgumentNullException.ThrowIfNull(tensors);
        var sorted = tensors.OrderByDescending(t => t.Type.SizeOf()).ThenBy(t => t.Name, StringComparer.Ordinal).ToList();
        var names = new HashSet<string> { "__metadata__" };
        foreach (var tensor in sorted)
        {
            if (!names.Add(tensor.Name))
                throw new ArgumentException($"The tensor name {tensor.Name} is reserved or stands twice in the list.", nameof(tensors));
        }

        return sorted;
    }

    /// <summary>Length and JSON text, padded with spaces so that the data start at a multiple of eight.</summary>
    private static byte[] Header(List<SafetensorsEntry> tensors, IReadOnlyDictionary<string, string>? metadata)
    {
        using var buffer = new MemoryStream();
        buffer.Write(stackalloc byte[SafetensorsHeader.PrefixLength]);
        using (var json = new Utf8JsonWriter(buffer, _json))
        {
            json.WriteStartObject();
            if (metadata is { Count: > 0 })
            {
                json.WriteStartObject("__metadata__");
                foreach (var (key, value) in metadata) json.WriteString(key, value);
                json.WriteEndObject();
            }

            long position = 0;
            foreach (var tensor in tensors)
            {
                json.WriteStartObject(tensor.Name);
                json.WriteString("dtype", tensor.Type.SafetensorsName());
                json.WriteStartArray("shape");
                for (int i = 0; i < tensor.Shape.Rank; i++) json.WriteNumberValue(tensor.Shape[i]);
                json.WriteEndArray();
                json.WriteStartArray("data_offsets");
                json.WriteNumberValue(position);
                json.WriteNumberValue(position = checked(position + tensor.ByteLength));
                json.WriteEndArray();
                json.WriteEndObject();
            }

            json.WriteEndObject();
        }

        while (buffer.Length % 8 != 0) buffer.WriteByte((byte)' ');
        long length = buffer.Length - SafetensorsHeader.PrefixLength;
        if (length > SafetensorsHeader.LargestHeader)
            throw new ArgumentException($"The header would have {length} bytes; safetensors allows {SafetensorsHeader.LargestHeader}.", nameof(tensors));
        byte[] bytes = buffer.ToArray();
        BinaryPrimitives.WriteInt64LittleEndian(bytes, length);
        return bytes;
    }
}
