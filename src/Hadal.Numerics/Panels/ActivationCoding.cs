using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace Hadal.Numerics.Kernels;

/// <summary>How activations are coded before a product.</summary>
internal enum ActivationCode
{
    /// <summary>FP32 as it is.</summary>
    Single,

    /// <summary>bfloat16, ties to even, subnormals as zero.</summary>
    BFloat16,

    /// <summary>E4M3 with a scale max(amax, 1e-4) / 448 per row and block (report section 3.3.2), held as bfloat16, in which it is exact.</summary>
    E4M3,

    /// <summary>Signed bytes with a scale amax / 127 per row and block.</summary>
    SignedByte,
}

/// <summary>Codes a row of activations block by block.</summary>
internal static unsafe class ActivationCoding
{
    // Adding 1.5·2^23 rounds to an integer, ties to even, and leaves it in the lowest bits.
    private const float Rounder = 12582912;
    private const int RounderBits = 0x4B400000;

    /// <summary>Codes a row.</summary>
    /// <param name="code">Which code.</param>
    /// <param name="format">The weights' format: block length and zero point.</param>
    /// <param name="x">FP32, <paramref name="depth"/> values.</param>
    /// <param name="depth">K without padding.</param>
    /// <param name="codes">Gets the codes, padded with zeros to whole blocks.</param>
    /// <param name="values">Gets a value per block; null if the format has no scales.</param>
    public static void Run(ActivationCode code, in PanelFormat format, float* x, int depth, byte* codes, ActivationBlock* values)
    {
        if (code == ActivationCode.Single)
        {
            int padded = format.Blocks(depth) * format.Block;
            new ReadOnlySpan<float>(x, depth).CopyTo(new Span<float>(codes, depth));
            new Span<float>((float*)codes + depth, padded - depth).Clear();
            return;
        }

        if (code == ActivationCode.BFloat16)
        {
            Narrow(x, depth, (ushort*)codes, format.Blocks(depth) * format.Block);
            for (int b = 0; values != null && b < format.Blocks(depth); b++) values[b] = new ActivationBlock { Scale = 1 };
            return;
        }

        float* tail = stackalloc float[PanelFormat.LargestBlock];
        int padding = format.Blocks(depth) * format.Block;
        for (int start = 0; start < padding; start += format.Block, values++, codes += format.Block * format.ActivationSize)
        {
            float* block = x + start;
            if (depth - start < format.Block)
            {
                new Span<float>(tail, format.Block).Clear();
                if (start < depth) new ReadOnlySpan<float>(block, depth - start).CopyTo(new Span<float>(tail, format.Block));
                block = tail;
            }

            *values = code == ActivationCode.E4M3 ? CodeE4M3(block, format.Block, (ushort*)codes) : CodeBytes(block, format, (sbyte*)codes);
        }
    }

    /// <summary>The largest magnitude of a multiple of sixteen values.</summary>
    public static float Amax(float* x, int length)
    {
        var most = Vector512<float>.Zero;
        for (int i = 0; i < length; i += 16) most = Vector512.Max(most, Vector512.Abs(Vector512.Load(x + i)));
        var half = Vector256.Max(most.GetLower(), most.GetUpper());
        var quarter = Vector128.Max(half.GetLower(), half.GetUpper());
        return MathF.Max(MathF.Max(quarter[0], quarter[1]), MathF.Max(quarter[2], quarter[3]));
    }

    private static ActivationBlock CodeBytes(float* x, in PanelFormat format, sbyte* codes)
    {
        float amax = Amax(x, format.Block), scale = amax / 127, inverse = amax > 1e-30f ? 127 / amax : 0;
        var (factor, rounder, bits) = (Vector512.Create(inverse), Vector512.Create(Rounder), Vector512.Create(RounderBits));
        var total = Vector512<int>.Zero;
        for (int i = 0; i < format.Block; i += 16)
        {
            var code = (Vector512.Load(x + i) * factor + rounder).AsInt32() - bits;
            total += code;
            StoreLowBytes(code, codes + i);
        }

        int sum = Vector512.Sum(total);
        return new ActivationBlock { Scale = scale, Offset = -format.ZeroPoint * sum, Sum = scale * sum };
    }

    private static ActivationBlock CodeE4M3(float* x, int length, ushort* codes)
    {
        float scale = OperandRows.Scale(OperandCoding.Activations, Amax(x, length));
        RoundToE4M3(x, length, scale, codes);
        return new ActivationBlock { Scale = scale };
    }

    /// <summary>x / scale rounded to E4M3, as bfloat16.</summary>
    /// <param name="x">FP32.</param>
    /// <param name="length">A multiple of sixteen.</param>
    /// <param name="scale">What values are divided by.</param>
    /// <param name="codes">Gets the codes.</param>
    public static void RoundToE4M3(float* x, int length, float scale, ushort* codes)
    {
        var divisor = Vector512.Create(scale);
        for (int i = 0; i < length; i += 16)
        {
            var upper = Vector512.ShiftRightLogical(RoundToE4M3(Vector512.Load(x + i) / divisor).AsUInt32(), 16);
            if (Avx512F.IsSupported) Avx512F.ConvertToVector256UInt16(upper).Store(codes + i);
            else
            {
                for (int j = 0; j < 16; j++) codes[i + j] = (ushort)upper[j];
            }
        }
    }

    /// <summary>The nearest E4M3 value, ties to even, saturating. From 2^-6 on three fraction bits stay; below, values are 2^-9 apart.</summary>
    public static Vector512<float> RoundToE4M3(Vector512<float> x)
    {
        var sign = x.AsUInt32() & Vector512.Create(0x80000000u);
        var magnitude = Vector512.Abs(x);
        var bits = magnitude.AsUInt32();
        var normal = (bits + Vector512.Create(0x7FFFFu) + (Vector512.ShiftRightLogical(bits, 20) & Vector512<uint>.One)) & Vector512.Create(0xFFF00000u);
        var capped = Vector512.Min(normal.AsSingle(), Vector512.Create(448f));
        // 1.5·2^14 has a unit in the last place of 2^-9.
        var anchor = Vector512.Create(24576f);
        var small = magnitude + anchor - anchor;
        var rounded = Vector512.ConditionalSelect(Vector512.LessThan(magnitude, Vector512.Create(0.015625f)), small, capped);
        return Vector512.ConditionalSelect(Vector512.Equals(x, x), (rounded.AsUInt32() | sign).AsSingle(), x);
    }

    /// <summary>bfloat16 codes as <see cref="PanelCodes.Narrow"/> makes them, then zeros.</summary>
    public static void Narrow(float* x, int count, ushort* codes, int padded)
    {
        int i = 0;
        if (Avx512F.IsSupported)
        {
            for (; i <= count - 16; i += 16)
            {
                Avx512F.ConvertToVector256UInt16(PlainCode.Code(Vector512.Load(x + i), null)).Store(codes + i);
            }
        }

        for (; i < count; i++) codes[i] = PanelCodes.Narrow(x[i]);
        for (; i < padded; i++) codes[i] = 0;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void StoreLowBytes(Vector512<int> values, sbyte* destination)
    {
        if (Avx512F.IsSupported)
        {
            Avx512F.ConvertToVector128SByte(values).Store(destination);
            return;
        }

        for (int i = 0; i < 16; i++) destination[i] = (sbyte)values[i];
    }
}
