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
    private const string PartPrefix = "part-";

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
        config = WrittenConfig(config, options);
        RefuseForeignFolder(folder);
        AtomicFolder.Write(folder, temporary =>
        {
            WriteHead(temporary, config, options, files);
            var shards = WriteShards(config, values, options, _ => true, (i, count) => Path.Combine(temporary, ShardName(i, count)), files, cancellation);
            if (shards.Count > 1) Write(Path.Combine(temporary, CheckpointIndex.FileName), Index(shards), files);
        }, files);
    }

    /// <summary>Writes a folder whose weights several processes write, each a part, which <see cref="WritePart"/> does; this is what one of them does about the rest.</summary>
    /// <param name="folder">The folder, as in <see cref="Write(string, ModelConfig, TensorRows, CheckpointOptions?, CancellationToken)"/>.</param>
    /// <param name="config">A valid configuration.</param>
    /// <param name="options">As those of the parts.</param>
    /// <param name="parts">Has all parts written into the folder it is given.</param>
    /// <exception cref="CheckpointException">The folder cannot be written, or the parts lack a tensor. What was there is untouched.</exception>
    internal static void WriteTogether(string folder, ModelConfig config, CheckpointOptions options, Action<string> parts)
    {
        RefuseForeignFolder(folder);
        AtomicFolder.Write(folder, temporary =>
        {
            parts(temporary);
            Join(temporary, config, options);
        });
    }

    /// <summary>Writes some tensors of a checkpoint into a folder that nobody reads yet.</summary>
    /// <param name="folder">There.</param>
    /// <param name="part">A name that no other part has.</param>
    /// <param name="config">A valid configuration.</param>
    /// <param name="values">Gives the values, a few rows at a time.</param>
    /// <param name="options">How.</param>
    /// <param name="isOwn">Whether a tensor belongs to this part. Copies of embedding and head are asked for by the name of the original.</param>
    internal static void WritePart(string folder, string part, ModelConfig config, TensorRows values, CheckpointOptions options, Func<string, bool> isOwn)
    {
        if (options.Type == DType.F8E4M3) throw new ArgumentException("Parts are written in F32 or BF16.", nameof(options));
        WriteShards(
            WrittenConfig(config, options), values, options, isOwn, (i, _) => Path.Combine(folder, string.Create(CultureInfo.InvariantCulture, $"{PartPrefix}{part}-{i:00000}.safetensors")),
            FileOperations.Platform, CancellationToken.None);
    }

    /// <summary>Makes a checkpoint of parts: their files get the usual names, and an index says what is in which.</summary>
    /// <exception cref="CheckpointException">The parts lack a tensor.</exception>
    internal static void Join(string folder, ModelConfig config, CheckpointOptions options)
    {
        config = WrittenConfig(config, options);
        var shards = new List<List<SafetensorsEntry>>();
        string[] parts = [.. Directory.EnumerateFiles(folder, PartPrefix + "*").Order(StringComparer.Ordinal)];
        foreach (string part in parts)
        {
            using (var file = SafetensorsFile.Open(part)) shards.Add([.. file.Tensors.Select(t => new SafetensorsEntry(t.Name, t.Type, t.Shape))]);
            File.Move(part, Path.Combine(folder, ShardName(shards.Count - 1, parts.Length)));
        }

        var there = shards.SelectMany(s => s).Select(t => t.Name).ToHashSet();
        if (Specs(config, options).Keys.FirstOrDefault(n => !there.Contains(n)) is { } missing)
            throw new CheckpointException(folder, missing, $"none of the {parts.Length} parts of the checkpoint has tensor {missing}");
        WriteHead(folder, config, options, FileOperations.Platform);
        if (shards.Count > 1) Write(Path.Combine(folder, CheckpointIndex.FileName), Index(shards), FileOperations.Platform);
    }

    private static ModelConfig WrittenConfig(ModelConfig config, CheckpointOptions options) => options.Type == DType.F8E4M3
        ? config with { Quantization = new BlockQuantization(), WeightType = DType.BF16 }
        : config with { Quantization = null, WeightType = options.Type };

    private static void WriteHead(string folder, ModelConfig config, CheckpointOptions options, FileOperations files)
    {
        Write(Path.Combine(folder, ModelConfig.FileName), System.Text.Encoding.UTF8.GetBytes(config.ToJson()), files);
        foreach (string file in options.CopiedFiles) files.CopyFile(file, Path.Combine(folder, Path.GetFileName(file)));
        foreach (var (name, content) in options.AddedFiles) Write(Path.Combine(folder, Path.GetFileName(name)), content, files);
    }

    private static Dictionary<string, TensorSpec> Specs(ModelConfig config, CheckpointOptions options) =>
        new TensorCatalog(config).Tensors.Where(t => options.MtpCopies || t.CopyOf is null).ToDictionary(t => t.Name);

    private static List<List<SafetensorsEntry>> WriteShards(
        ModelConfig config, TensorRows values, CheckpointOptions options, Func<string, bool> isOwn, Func<int, int, string> path, FileOperations files, CancellationToken cancellation)
    {
        var specs = Specs(config, options);
        var own = specs.Values.Where(t => isOwn(t.CopyOf ?? t.Name));
        var shards = Shards(own, options.ShardBytes);
        var metadata = new Dictionary<string, string> { ["format"] = "pt" };
        for (int i = 0; i < shards.Count; i++)
        {
            SafetensorsWriter.WriteInPlace(path(i, shards.Count), shards[i], (entry, stream) =>
            {
                var spec = specs[entry.Name];
                var source = spec.CopyOf is { } original ? specs[original] : spec;
                if (spec.IsScale) BlockWeights.WriteScales(specs[spec.Name[..^TensorSpec.ScaleSuffix.Length]], config.Quantization!, values, stream, cancellation);
                else if (entry.Type == DType.F8E4M3) BlockWeights.WriteCodes(source, config.Quantization!, values, stream, cancellation);
                else WriteTensor(source, entry.Type, values, stream, cancellation);
            }, metadata, files);
        }

        return shards;
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

        if (shards[^1].Count == 0) shards.RemoveAt(shards.Count - 1);
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
