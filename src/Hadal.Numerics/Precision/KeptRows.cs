using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;
using Hadal.Numerics.Formats;
using Hadal.Numerics.Threading;

namespace Hadal.Numerics.Kernels;

/// <summary>FP32 rows and the same rows as they are kept: codes, and a scale for every 128 of them.</summary>
internal unsafe struct KeptRows
{
    public Matrix X;
    public OperandCoding Coding;
    public byte* Codes;
    public nint CodeStride;
    public float* Scales;
    public nint ScaleStride;
    public int RowsPerItem;

    public readonly (int First, int End) RowsOf(int item) => (item * RowsPerItem, Math.Min(X.Rows, (item + 1) * RowsPerItem));
}

/// <summary>Codes rows to be kept, with the codes and scales that a product would give them.</summary>
internal unsafe struct EncodeJob : ITeamJob
{
    public KeptRows Rows;

    public readonly void Execute(int item, int worker)
    {
        float* tail = stackalloc float[OperandView.Tile];
        var (first, end) = Rows.RowsOf(item);
        for (int row = first; row < end; row++)
        {
            byte* codes = Rows.Codes + row * Rows.CodeStride;
            int columns = Rows.X.Columns;
            if (!Rows.Coding.IsScaled)
            {
                BFloat16.Narrow(Rows.X.Row(row), (ushort*)codes, columns);
                continue;
            }

            float* scales = Rows.Scales + row * Rows.ScaleStride;
            for (int k = 0; k < columns; k += OperandView.Tile)
            {
                int count = Math.Min(OperandView.Tile, columns - k);
                float* block = OperandRows.Whole(Rows.X.Row(row) + k, count, tail);
                float scale = *scales++ = OperandRows.Scale(Rows.Coding, ActivationCoding.Amax(block, OperandView.Tile));
                if (Rows.Coding.Number == CodedNumber.E5M6) E5M6.Pack(block, count, scale, codes + k / 2 * 3);
                else EncodeE4M3(block, count, scale, codes + k);
            }
        }
    }

    private static void EncodeE4M3(float* x, int count, float scale, byte* codes)
    {
        var divisor = Vector512.Create(scale);
        int i = 0;
        for (; i <= count - 16; i += 16)
        {
            // Every rounded value is exact in FP32: from 2^-6 on exponent and fraction are its upper bits, below it counts in units of 2^-9.
            var rounded = ActivationCoding.RoundToE4M3(Vector512.Load(x + i) / divisor);
            var bits = rounded.AsUInt32();
            var size = Vector512.Abs(rounded);
            var normal = Vector512.ShiftRightLogical(size.AsUInt32(), 20) - Vector512.Create(120u << 3);
            var small = Vector512.ConvertToUInt32(size * Vector512.Create(512f));
            var code = Vector512.ConditionalSelect(Vector512.LessThan(size, Vector512.Create(0.015625f)).AsUInt32(), small, normal);
            code = Vector512.ConditionalSelect(Vector512.Equals(rounded, rounded).AsUInt32(), code, Vector512.Create(0x7Fu)) | (Vector512.ShiftRightLogical(bits, 24) & Vector512.Create(0x80u));
            if (Avx512F.IsSupported) Avx512F.ConvertToVector128Byte(code).Store(codes + i);
            else
            {
                for (int j = 0; j < 16; j++) codes[i + j] = (byte)code[j];
            }
        }

        for (; i < count; i++) codes[i] = Float8E4M3.FromSingle(x[i] / scale);
    }
}

/// <summary>Brings kept rows back to FP32: code · scale.</summary>
internal unsafe struct DecodeJob : ITeamJob
{
    public KeptRows Rows;

    public readonly void Execute(int item, int worker)
    {
        var (first, end) = Rows.RowsOf(item);
        for (int row = first; row < end; row++)
        {
            byte* codes = Rows.Codes + row * Rows.CodeStride;
            float* x = Rows.X.Row(row);
            int columns = Rows.X.Columns;
            if (!Rows.Coding.IsScaled)
            {
                BFloat16.Widen((ushort*)codes, x, columns);
                continue;
            }

            for (int k = 0; k < columns; k += OperandView.Tile)
            {
                int count = Math.Min(OperandView.Tile, columns - k);
                float scale = Rows.Scales[row * Rows.ScaleStride + k / OperandView.Tile];
                if (Rows.Coding.Number == CodedNumber.E5M6) E5M6.Unpack(codes + k / 2 * 3, count, scale, x + k);
                else DecodeE4M3(codes + k, count, scale, x + k);
            }
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void DecodeE4M3(byte* codes, int count, float scale, float* x)
    {
        int i = 0;
        if (Avx512F.IsSupported)
        {
            var factor = Vector512.Create(scale);
            for (; i <= count - 16; i += 16)
            {
                var wide = E4M3Codes.Widen(Avx2.ConvertToVector256Int16(codes + i).AsUInt16());
                (Vector512.ShiftLeft(Avx512F.ConvertToVector512UInt32(wide), 16).AsSingle() * factor).Store(x + i);
            }
        }

        for (; i < count; i++) x[i] = Float8E4M3.ToSingle(codes[i]) * scale;
    }
}
