using System.Buffers;
using System.Globalization;
using System.Runtime.InteropServices;
using System.Text.Json;
using Hadal.Model.Configuration;
using Hadal.Numerics;
using Hadal.Numerics.Formats;

namespace Hadal.Model.Checkpoints;

/// <summary>Writes a Hugging Face folder that Hadal and other programs load: <c>config.json</c>, weights, tokenizer files.</summary>
/// <remarks>The folder appears under its name only when it is complete and on the disk (<see cref="AtomicFolder"/>).</remarks>
public static class CheckpointWriter
{
    private const int ChunkElements = 1 << 20;

    /// <summary>Writes a folder.</summary>
    /// <param name="folder">The folder. One that is there is replaced if it is empty or holds a model (a <c>config.json</c> and no folders); anything else is
    /// refused.</param>
    /// <param name="config">A valid configuration; written with the type, and the quantisation that belongs to it, of <see cref="CheckpointOptions.Type"/>.</param>
    /// <param name="values">Gives the values, a few rows at a time.</param>
    /// <param name="options">Null for the defaults.</param>
    /// <param name="cancellation">Stops the writing; nothing is left behind.</param>
    /// <exception cref="ConfigException">The configuration is wrong.</exception>
    /// <exception cref="CheckpointException">The disk is full, the folder may not be written, or it holds something else. What was there is
    /// untouched.</exception>
    public static void Write(
        string folder, ModelConfig config, TensorRows values, CheckpointOptions? options = null, CancellationToken cancellation = default) =>
        Write(folder, config, values, options ?? new CheckpointOptions(), FileOperations.Platform, cancellation);

    internal static void Write(
        string folder, ModelConfig config, TensorRows values, CheckpointOptions options, FileOperations files, CancellationToken cancellation)
    {
        ArgumentException.ThrowIfNullOrEmpty(folder);
        ArgumentNullException.ThrowIfNull(config);
        ArgumentNullException.ThrowIfNull(values);
        if (options.Type is not (DType.F32 or DType.BF16 or DType.F8E4M3))
            throw new ArgumentException($"A checkpoint can be written in F32, BF16 or F8E4M3, not {options.Type}.", nameof(options));
        config.Validate();
        config = options.Type == DType.F8E4M3
            ? config with { Quantization = new BlockQuantization(), WeightType = DType.BF16 }
            : config with { Quantization = null, WeightType = options.Type };
        RefuseForeignFolder(folder);
        AtomicFolder.Write(folder, temporary => Fill(temporary, config, values, options, files, cancellation), files);
    }

    private static void Fill(
        string folder, ModelConfig config, TensorRows values, CheckpointOptions options, FileOperations files, CancellationToken cancellation)
    {
        Write(Path.Combine(folder, ModelConfig.FileName), System.Text.Encoding.UTF8.GetBytes(config.ToJson()), files);
        foreach (string file in options.CopiedFiles) files.CopyFile(file, Path.Combine(folder, Path.GetFileName(file)));
        foreach (var (name, content) in options.AddedFiles) Write(Path.Combine(folder, Path.GetFileName(name)), content, files);

        var catalog = new TensorCatalog(config);
        var specs = catalog.Tensors.Where(t => options.MtpCopies || t.CopyOf is null).ToDictionary(t => t.Name);
        var shards = Shards(specs.Values, options.ShardBytes);
        var metadata = new Dictionary<string, string> { ["format"] = "pt" };
        for (int i = 0; i < shards.Count; i++)
        {
            SafetensorsWriter.WriteInPlace(Path.Combine(folder, ShardName(i, shards.Count)), shards[i], (entry, stream) =>
            {
                var spec = specs[entry.Name];
                var source = spec.CopyOf is { } original ? specs[original] : spec;
                if (spec.IsScale) BlockWeights.WriteScales(specs[spec.Name[..^TensorSpec.ScaleSuffix.Length]], config.Quantization!, values, stream, cancellation);
                else if (entry.Type == DType.F8E4M3) BlockWeights.WriteCodes(source, config.Quantization!, values, stream, cancellation);
                else WriteTensor(source, entry.Type, values, stream, cancellation);
            }, metadata, files);
        }

        if (shards.Count > 1) Write(Path.Combine(folder, CheckpointIndex.FileName), Index(shards), files);
    }

    /// <summary>Fills shard after shard in the order of the catalog; a tensor larger than the limit gets a shard of its own.</summary>
    private static List<List<SafetensorsEntry>> Shards(IEnumerable<TensorSpec> specs, long limit)
    {
        var shards = new List<List<SafetensorsEntry>> { new() };
        long size = 0;
        foreach (var spec in specs)
        {
            if (size > 0 && spec.ByteLength > limit - size)
            {
                shards.Add([]);
                size = 0;
            }

            shards[^1].Add(new SafetensorsEntry(spec.Name, spec.Type, spec.Shape));
            size += spec.ByteLength;
        }

        return shards;
    }

    // Five digits for the shard and six for the total, as DeepSeek's own folders have them.
    private static string ShardName(int index, int count) => count == 1
        ? Checkpoint.SingleFileName
        : string.Create(CultureInfo.InvariantCulture, $"model-{index + 1:00000}-of-{count:000000}.safetensors");

    private static byte[] Index(List<List<SafetensorsEntry>> shards)
    {
        using var buffer = new MemoryStream();
        using (var json = new Utf8JsonWriter(buffer, new JsonWriterOptions { Indented = true, NewLine = "\n" }))
        {
            json.WriteStartObject();
            json.WriteStartObject("metadata");
            json.WriteNumber("total_size", shards.Sum(s => s.Sum(t => t.ByteLength)));
            json.WriteEndObject();
            json.WriteStartObject("weight_map");
            var places = shards.SelectMany((shard, i) => shard.Select(t => (t.Name, Shard: ShardName(i, shards.Count))));
            foreach (var (name, shard) in places.OrderBy(p => p.Name, StringComparer.Ordinal)) json.WriteString(name, shard);
            json.WriteEndObject();
            json.WriteEndObject();
        }

        return buffer.ToArray();
    }

    private static void WriteTensor(TensorSpec spec, DType type, TensorRows values, Stream stream, CancellationToken cancellation)
    {
        int columns = checked((int)spec.Shape.Columns);
        int step = (int)Math.Clamp(ChunkElements / Math.Max(1, columns), 1, Math.Max(1, spec.Shape.Rows));
        float[] singles = ArrayPool<float>.Shared.Rent(checked(step * columns));
        ushort[] halves = ArrayPool<ushort>.Shared.Rent(type == DType.BF16 ? step * columns : 0);
        try
        {
            for (long row = 0; row < spec.Shape.Rows; row += step)
            {
                cancellation.ThrowIfCancellationRequested();
                int rows = (int)Math.Min(step, spec.Shape.Rows - row);
                var chunk = singles.AsSpan(0, rows * columns);
                values(spec, row, rows, chunk);
                if (type == DType.F32)
                {
                    stream.Write(MemoryMarshal.AsBytes(chunk));
                    continue;
                }

                var narrow = halves.AsSpan(0, chunk.Length);
                BFloat16.FromSingle(chunk, narrow);
                stream.Write(MemoryMarshal.AsBytes(narrow));
            }
        }
        finally
        {
            ArrayPool<float>.Shared.Return(singles);
            ArrayPool<ushort>.Shared.Return(halves);
        }
    }

    private static void Write(string path, ReadOnlyMemory<byte> content, FileOperations files)
    {
        using var stream = files.CreateFile(path, content.Length);
        FileOperations.Write(stream, s => s.Write(content.Span));
    }

    // Replacing deletes: a folder that holds anything but a model (a home folder, say) must survive a mistyped name.
    private static void RefuseForeignFolder(string folder)
    {
        AtomicFolder.Recover(folder);
        if (!Directory.Exists(folder)) return;
        string? inner = null;
        bool empty = true;
        try
        {
            inner = Directory.EnumerateDirectories(folder).FirstOrDefault();
            empty = !Directory.EnumerateFileSystemEntries(folder).Any();
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new CheckpointException(folder, null, $"the folder cannot be read ({e.Message.TrimEnd('.')})", e);
        }

        if (empty) return;
        if (inner is not null)
            throw new CheckpointException(folder, null,
                $"the folder is there and holds the folder {Path.GetFileName(inner)}, so it is not replaced by a model; choose another name");
        if (!File.Exists(Path.Combine(folder, ModelConfig.FileName)))
            throw new CheckpointException(folder, null, "the folder is there and holds something that is no model, so it is not replaced; choose another name");
    }
}
