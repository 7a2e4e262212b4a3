using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;
using Hadal.Numerics.Formats;

namespace Hadal.Numerics.Kernels;

/// <summary>Rows of a latent cache, as <see cref="LatentShape.CacheColumns"/> lays them out.</summary>
internal readonly unsafe struct LatentRows(byte* pointer, nint stride, DType type, int rank, int rope)
{
    /// <summary>Bytes between rows.</summary>
    public nint Stride { get; } = stride;

    public byte* Row(nint slot) => pointer + slot * Stride;

    /// <summary>A value as FP32: of an 8-bit row, code times scale.</summary>
    public float At(nint slot, int column)
    {
        byte* row = Row(slot);
        return type switch
        {
            DType.F32 => ((float*)row)[column],
            DType.BF16 => BFloat16.ToSingle(((ushort*)row)[column]),
            _ when column >= rank => BFloat16.ToSingle(((ushort*)(row + LatentShape.RopeOffset(rank)))[column - rank]),
            _ => Float8E4M3.ToSingle(row[column]) * Scales(row)[column / LatentShape.ScaledColumns],
        };
    }

    /// <summary>Stores a row.</summary>
    /// <param name="values">FP32: latent and rope key.</param>
    /// <param name="slot">Which row.</param>
    public void Write(float* values, nint slot)
    {
        byte* row = Row(slot);
        if (type == DType.F32)
        {
            new ReadOnlySpan<float>(values, rank + rope).CopyTo(new Span<float>(row, rank + rope));
            return;
        }

        if (type == DType.BF16)
        {
            BFloat16.Narrow(values, (ushort*)row, rank + rope);
            return;
        }

        float* scales = Scales(row);
        for (int start = 0, section = 0; start < rank; start += LatentShape.ScaledColumns, section++)
        {
            int end = Math.Min(rank, start + LatentShape.ScaledColumns);
            float amax = 1e-4f;
            for (int c = start; c < end; c++) amax = MathF.Max(amax, MathF.Abs(values[c]));
            float scale = scales[section] = amax / Float8E4M3.MaxValue;
            for (int c = start; c < end; c++) row[c] = Float8E4M3.FromSingle(values[c] / scale);
        }

        new Span<byte>(row + rank, LatentShape.ScaleOffset(rank) - rank).Clear();
        BFloat16.Narrow(values + rank, (ushort*)(row + LatentShape.RopeOffset(rank)), rope);
        if (rope % 2 != 0) ((ushort*)(row + LatentShape.RopeOffset(rank)))[rope] = 0;
    }

    /// <summary>Reads a row as FP32.</summary>
    public void Read(nint slot, float* values)
    {
        byte* row = Row(slot);
        if (type == DType.F32) new ReadOnlySpan<float>(row, rank + rope).CopyTo(new Span<float>(values, rank + rope));
        else if (type == DType.BF16) BFloat16.Widen((ushort*)row, values, rank + rope);
        else for (int c = 0; c < rank + rope; c++) values[c] = At(slot, c);
    }

    /// <summary>Copies a row that is not in 8 bits to the working layout: FP32 or bfloat16 as it is.</summary>
    /// <param name="slot">Which row.</param>
    /// <param name="shape">The working layout.</param>
    /// <param name="destination">Gets <see cref="LatentShape.Width"/> elements.</param>
    public void Load(nint slot, in LatentShape shape, byte* destination)
    {
        byte* row = Row(slot);
        if (type == DType.F32) Arrange((float*)row, (float*)row + rank, shape, (float*)destination);
        else Arrange((ushort*)row, (ushort*)row + rank, shape, (ushort*)destination);
    }

    /// <summary>Copies 8-bit rows that lie side by side to the working layout: codes as bfloat16, with the scales beside them.</summary>
    /// <param name="slot">The first row.</param>
    /// <param name="count">How many.</param>
    /// <param name="shape">The working layout.</param>
    /// <param name="destination">Gets <see cref="LatentShape.Width"/> elements for each.</param>
    /// <param name="distance">Bytes between rows there.</param>
    /// <param name="scales">Gets a scale for each, sections <see cref="LatentShape.BlockKeys"/> apart.</param>
    public void Decode(nint slot, int count, in LatentShape shape, byte* destination, nint distance, float* scales)
    {
        int sections = shape.Sections, rope = shape.Rope, ropeStart = shape.RopeStart, width = shape.Width, whole = Avx512Vbmi.IsSupported ? shape.Rank & ~63 : 0;
        int scaleOffset = LatentShape.ScaleOffset(rank), ropeOffset = LatentShape.RopeOffset(rank);
        byte* row = Row(slot), tables = E4M3Codes.Tables;
        Vector512<byte> lower0 = Vector512.Load(tables), lower1 = Vector512.Load(tables + 64), upper0 = Vector512.Load(tables + 128), upper1 = Vector512.Load(tables + 192);
        // Unpacking works within quarters of a register.
        var order = Vector512.Create(0, 4, 1, 5, 2, 6, 3, 7L);
        for (int r = 0; r < count; r++, row += Stride, destination += distance)
        {
            var to = (ushort*)destination;
            int i = 0;
            for (; i < whole; i += 64)
            {
                var codes = Avx512F.PermuteVar8x64(Vector512.Load(row + i).AsInt64(), order).AsByte();
                var lower = Avx512Vbmi.PermuteVar64x8x2(lower0, codes, lower1);
                var upper = Avx512Vbmi.PermuteVar64x8x2(upper0, codes, upper1) | (codes & Vector512.Create((byte)0x80));
                Avx512BW.UnpackLow(lower, upper).AsUInt16().Store(to + i);
                Avx512BW.UnpackHigh(lower, upper).AsUInt16().Store(to + i + 32);
            }

            for (; i < rank; i++) to[i] = E4M3Codes.Widen(row[i]);
            for (; i < ropeStart; i++) to[i] = 0;
            var key = (ushort*)(row + ropeOffset);
            int c = 0;
            for (; c <= rope - 32; c += 32) Vector512.Load(key + c).Store(to + i + c);
            for (; c < rope; c++) to[i + c] = key[c];
            for (i += c; i < width; i++) to[i] = 0;
            for (int s = 0; s < sections; s++) scales[s * LatentShape.BlockKeys + r] = ((float*)(row + scaleOffset))[s];
        }
    }

    /// <summary>Values in the working layout.</summary>
    public static void Arrange<T>(T* latent, T* rope, in LatentShape shape, T* destination) where T : unmanaged
    {
        new ReadOnlySpan<T>(latent, shape.Rank).CopyTo(new Span<T>(destination, shape.Rank));
        Finish(rope, shape, destination);
    }

    private static void Finish<T>(T* rope, in LatentShape shape, T* destination) where T : unmanaged
    {
        new Span<T>(destination + shape.Rank, shape.RopeStart - shape.Rank).Clear();
        new ReadOnlySpan<T>(rope, shape.Rope).CopyTo(new Span<T>(destination + shape.RopeStart, shape.Rope));
        new Span<T>(destination + shape.RopeStart + shape.Rope, shape.Width - shape.RopeStart - shape.Rope).Clear();
    }

    private float* Scales(byte* row) => (float*)(row + LatentShape.ScaleOffset(rank));
}
