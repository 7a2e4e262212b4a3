using System.Numerics;
using System.Runtime.InteropServices;
using Hadal.Numerics;
using Hadal.Numerics.Formats;

namespace Hadal.Model.Checkpoints.Gguf;

/// <summary>Writes a GGUF file tensor by tensor, a few rows at a time; what stood under its name stays until the new file is complete.</summary>
internal static class GgufWriter
{
    private const int ChunkElements = 1 << 21, Alignment = GgufHeader.DefaultAlignment;

    /// <summary>Writes a file: beside its name first, then flushed to the disk and renamed.</summary>
    /// <param name="path">The file; replaced if it is there.</param>
    /// <param name="pairs">Its metadata.</param>
    /// <param name="entries">Its tensors, in the order of the file.</param>
    /// <param name="progress">Told after every few rows.</param>
    /// <param name="cancellation">Stops the writing; nothing is left behind.</param>
    /// <exception cref="CheckpointException">The file cannot be written, or a value does not fit its format; nothing is left behind.</exception>
    public static void Write(string path, GgufPairs pairs, IReadOnlyList<GgufEntry> entries, IProgress<ConversionProgress>? progress, CancellationToken cancellation)
    {
        byte[] header = Header(pairs, entries);
        long total = header.Length + entries.Sum(e => Padded(e.ByteLength)), elements = entries.Sum(e => e.Shape.Count), done = 0;
        try
        {
            AtomicFile.Write(path, total, stream =>
            {
                stream.Write(header);
                foreach (var entry in entries)
                {
                    WriteTensor(stream, path, entry, count => progress?.Report(new ConversionProgress(done += count, elements, entry.Name)), cancellation);
                    Pad(stream, entry.ByteLength);
                }
            }, FileOperations.Platform);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new CheckpointException(path, null, $"the file cannot be written ({e.Message.TrimEnd('.')})", e);
        }
    }

    private static byte[] Header(GgufPairs pairs, IReadOnlyList<GgufEntry> entries)
    {
        using var stream = new MemoryStream();
        GgufPairs.Write(stream, GgufHeader.Magic);
        GgufPairs.Write(stream, GgufHeader.Version);
        GgufPairs.Write(stream, (ulong)entries.Count);
        GgufPairs.Write(stream, (ulong)pairs.Count);
        pairs.WriteTo(stream);
        long offset = 0;
        foreach (var entry in entries)
        {
            GgufPairs.Write(stream, entry.Name);
            GgufPairs.Write(stream, (uint)entry.Shape.Rank);
            for (int i = entry.Shape.Rank - 1; i >= 0; i--) GgufPairs.Write(stream, (ulong)entry.Shape[i]);
            GgufPairs.Write(stream, entry.Type.Code);
            GgufPairs.Write(stream, (ulong)offset);
            offset = checked(offset + Padded(entry.ByteLength));
        }

        Pad(stream, stream.Length);
        return stream.ToArray();
    }

    private static void WriteTensor(Stream stream, string path, GgufEntry entry, Action<long> advance, CancellationToken cancellation)
    {
        int columns = checked((int)entry.Shape.Columns), step = (int)Math.Clamp(ChunkElements / columns, 1, entry.Shape.Rows);
        float[] values = new float[checked(step * columns)];
        byte[] bytes = new byte[checked(step * entry.RowBytes)];
        for (long row = 0; row < entry.Shape.Rows; row += step)
        {
            cancellation.ThrowIfCancellationRequested();
            int rows = (int)Math.Min(step, entry.Shape.Rows - row);
            entry.Rows(row, rows, values.AsSpan(0, rows * columns));
            RequireFitting(path, entry, values.AsSpan(0, rows * columns));
            int rowBytes = (int)entry.RowBytes;
            // Rows are independent, so the result does not depend on how they are shared out.
            Parallel.For(0, rows, new ParallelOptions { CancellationToken = cancellation },
                i => Narrow(entry.Type, values.AsSpan(i * columns, columns), bytes.AsSpan(i * rowBytes, rowBytes)));
            stream.Write(bytes, 0, rows * rowBytes);
            advance((long)rows * columns);
        }
    }

    private static void Narrow(GgufTensorType type, ReadOnlySpan<float> values, Span<byte> bytes)
    {
        if (type.Blocks is { } format)
        {
            format.Encode(values, bytes);
            return;
        }

        switch (type.Element)
        {
            case DType.F32:
                MemoryMarshal.AsBytes(values).CopyTo(bytes);
                break;
            case DType.BF16:
                BFloat16.FromSingle(values, MemoryMarshal.Cast<byte, ushort>(bytes));
                break;
            default:
                var halves = MemoryMarshal.Cast<byte, Half>(bytes);
                for (int i = 0; i < values.Length; i++) halves[i] = (Half)values[i];
                break;
        }
    }

    // A NaN or an infinity would spoil the whole block around it, and a number too large for FP16 would become an infinity.
    private static void RequireFitting(string path, GgufEntry entry, ReadOnlySpan<float> values)
    {
        if (entry.Type.Element is DType.F32 or DType.BF16) return;
        float largest = 0;
        var largestSoFar = Vector<float>.Zero;
        var spoiled = Vector<float>.Zero;
        int i = 0;
        for (; i <= values.Length - Vector<float>.Count; i += Vector<float>.Count)
        {
            var v = new Vector<float>(values[i..]);
            spoiled += v * Vector<float>.Zero;
            largestSoFar = Vector.Max(largestSoFar, Vector.Abs(v));
        }

        float sum = Vector.Sum(spoiled);
        for (int lane = 0; lane < Vector<float>.Count; lane++) largest = MathF.Max(largest, largestSoFar[lane]);
        for (; i < values.Length; i++)
        {
            sum += values[i] * 0;
            largest = MathF.Max(largest, MathF.Abs(values[i]));
        }

        if (sum != 0) throw new CheckpointException(path, entry.Name, $"tensor {entry.Name} has a value that is no finite number, which {entry.Type.Name} cannot hold; F32 and BF16 can");
        if (largest > 65504) throw new CheckpointException(path, entry.Name, $"tensor {entry.Name} has the magnitude {largest}, more than the 65504 that FP16 reaches; F32 and BF16 can hold it");
    }

    private static long Padded(long length) => (length + Alignment - 1) / Alignment * Alignment;

    private static void Pad(Stream stream, long length)
    {
        Span<byte> zeros = stackalloc byte[Alignment];
        zeros.Clear();
        stream.Write(zeros[..(int)(Padded(length) - length)]);
    }
}
