using System.Runtime.InteropServices;
using Hadal.Model.Configuration;
using Hadal.Numerics.Formats;

namespace Hadal.Model.Checkpoints;

/// <summary>Writes a weight in FP8 blocks: w ≈ code · scale with one FP32 scale for each block, its largest magnitude over 448 (report section 3.3.2).</summary>
/// <remarks>In the file, scales and codes lie far apart, so the values are asked for twice, a band of blocks at a time.</remarks>
internal static class BlockWeights
{
    public static void WriteScales(TensorSpec weight, BlockQuantization blocks, TensorRows values, Stream stream, CancellationToken cancellation) =>
        Bands(weight, blocks, values, (_, scales) => stream.Write(MemoryMarshal.AsBytes(scales)), cancellation);

    public static void WriteCodes(TensorSpec weight, BlockQuantization blocks, TensorRows values, Stream stream, CancellationToken cancellation)
    {
        int columns = checked((int)weight.Shape.Columns);
        byte[] codes = [];
        Bands(weight, blocks, values, (band, scales) =>
        {
            if (codes.Length < band.Length) codes = new byte[band.Length];
            for (int i = 0; i < band.Length; i++) codes[i] = Float8E4M3.FromSingle(band[i] / scales[i % columns / blocks.BlockColumns]);
            stream.Write(codes, 0, band.Length);
        }, cancellation);
    }

    private delegate void Band(ReadOnlySpan<float> values, ReadOnlySpan<float> scales);

    private static void Bands(TensorSpec weight, BlockQuantization blocks, TensorRows values, Band use, CancellationToken cancellation)
    {
        int columns = checked((int)weight.Shape.Columns), width = (columns + blocks.BlockColumns - 1) / blocks.BlockColumns;
        float[] band = new float[checked((int)Math.Min(weight.Shape.Rows, blocks.BlockRows) * columns)], scales = new float[width];
        for (long row = 0; row < weight.Shape.Rows; row += blocks.BlockRows)
        {
            cancellation.ThrowIfCancellationRequested();
            int rows = (int)Math.Min(blocks.BlockRows, weight.Shape.Rows - row);
            var chunk = band.AsSpan(0, rows * columns);
            values(weight, row, rows, chunk);
            Array.Clear(scales);
            for (int i = 0; i < rows; i++)
            {
                for (int b = 0; b < width; b++)
                {
                    int start = i * columns + b * blocks.BlockColumns;
                    foreach (float value in chunk[start..Math.Min(start + blocks.BlockColumns, (i + 1) * columns)]) scales[b] = MathF.Max(scales[b], MathF.Abs(value));
                }
            }

            // A block of zeros, or of numbers so small that their scale would be 0, has codes of 0 under any scale.
            for (int b = 0; b < width; b++) scales[b] = scales[b] / Float8E4M3.MaxValue is var scale and > 0 ? scale : 1;
            use(chunk, scales);
        }
    }
}
