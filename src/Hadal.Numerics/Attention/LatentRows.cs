using System.Runtime.CompilerServices;
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

    /// <summary>Copies a row to the working layout: FP32 as it is, otherwise bfloat16; of an 8-bit row the codes, with the scales beside them.</summary>
    /// <param name="slot">Which row.</param>
    /// <param name="shape">The working layout.</param>
    /// <param name="destination">Gets <see cref="LatentShape.Width"/> elements.</param>
    /// <param name="scales">Of an 8-bit row, gets the scales, <see cref="LatentShape.BlockKeys"/> apart.</param>
    public void Load(nint slot, in LatentShape shape, byte* destination, float* scales)
    {
        byte* row = Row(slot);
        if (type == DType.F32)
        {
            Arrange((float*)row, (float*)row + rank, shape, (float*)destination);
            return;
        }

        var to = (ushort*)destination;
        if (type == DType.BF16)
        {
            Arrange((ushort*)row, (ushort*)row + rank, shape, to);
            return;
        }

        Decode(row, to, rank);
        for (int s = 0; s < shape.Sections; s++) scales[s * LatentShape.BlockKeys] = Scales(row)[s];
        Finish((ushort*)(row + LatentShape.RopeOffset(rank)), shape, to);
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

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Decode(byte* codes, ushort* values, int count)
    {
        int i = 0;
        if (Avx512Vbmi.IsSupported)
        {
            // Unpacking works within quarters of a register.
            var order = Vector512.Create(0, 4, 1, 5, 2, 6, 3, 7L);
            for (; i <= count - 64; i += 64)
            {
                var (first, second) = E4M3Codes.Widen(Avx512F.PermuteVar8x64(Vector512.Load(codes + i).AsInt64(), order).AsByte());
                first.AsUInt16().Store(values + i);
                second.AsUInt16().Store(values + i + 32);
            }
        }

        for (; i < count; i++) values[i] = E4M3Codes.Widen(codes[i]);
    }

    private float* Scales(byte* row) => (float*)(row + LatentShape.ScaleOffset(rank));
}
