using Hadal.Model.Configuration;
using Hadal.Numerics;

namespace Hadal.Parallel.Experts;

/// <summary>How rows look while they travel to experts: FP32, bfloat16, or E4M3 with a power-of-two scale per 128 values (report section 3.2.2: FP8 there, bfloat16 back).</summary>
/// <param name="coding">Their form; null for FP32.</param>
/// <param name="width">D.</param>
internal sealed class RowPayload(OperandCoding? coding, int width)
{
    private readonly int _codeWords = coding is { } c ? WordsOf(c, width) : width;
    private readonly int _scaleWords = coding is { } c ? checked((int)c.Kept(1, width).Scales.Columns) : 0;

    /// <summary>FP32 words of a row as it travels: codes, then scales.</summary>
    public int Words => _codeWords + _scaleWords;

    /// <summary>Bytes of a row as it travels: of V3's 7,168 values 7,392 with FP8, 14,336 with bfloat16.</summary>
    public int Bytes => Words * sizeof(float);

    /// <summary>Whether rows travel as they are.</summary>
    public bool IsPlain => coding is null;

    /// <summary>The form of a name: <c>fp32</c>, <c>bf16</c> or <c>fp8</c>; null if there is none of it.</summary>
    public static RowPayload? Find(string name, int width) => name switch
    {
        "fp32" => new RowPayload(null, width),
        "bf16" => new RowPayload(OperandCoding.BFloat16, width),
        "fp8" => new RowPayload(OperandCoding.Activations with { PowerOfTwoScales = true }, width),
        _ => null,
    };

    /// <summary>Rows as words to be moved about, [T, Words].</summary>
    /// <param name="backend">What codes.</param>
    /// <param name="x">[T, D]; given back as it is where rows travel as they are.</param>
    /// <param name="codes">Memory for codes and scales beside each other.</param>
    /// <param name="words">Memory for the result.</param>
    public Tensor Encode(IBackend backend, Tensor x, GrowingTensor codes, GrowingTensor words)
    {
        if (coding is not { } form) return x;
        var (type, codeShape, scaleShape) = form.Kept(x.Rows, x.Columns);
        var (coded, scales) = Parts(codes, type, codeShape, scaleShape);
        backend.Encode(x, form, coded, scales);
        if (_scaleWords == 0) return AsWords(coded);
        var result = words.Take(DType.F32, x.Rows, Words);
        backend.Copy(AsWords(coded), result.ColumnRange(0, _codeWords));
        backend.Copy(scales, result.ColumnRange(_codeWords, _scaleWords));
        return result;
    }

    /// <summary>The values of rows that travelled.</summary>
    /// <param name="backend">What decodes.</param>
    /// <param name="words">[T, Words].</param>
    /// <param name="codes">Memory for codes and scales apart.</param>
    /// <param name="x">[T, D], replaced.</param>
    public void Decode(IBackend backend, Tensor words, GrowingTensor codes, Tensor x)
    {
        if (coding is not { } form)
        {
            backend.Copy(words, x);
            return;
        }

        var (type, codeShape, scaleShape) = form.Kept(x.Rows, x.Columns);
        var (coded, scales) = Parts(codes, type, codeShape, scaleShape);
        backend.Copy(words.ColumnRange(0, _codeWords), AsWords(coded));
        if (_scaleWords > 0) backend.Copy(words.ColumnRange(_codeWords, _scaleWords), scales);
        backend.Decode(coded, scales, form, x);
    }

    private static int WordsOf(OperandCoding coding, int width)
    {
        var (type, codes, _) = coding.Kept(1, width);
        long bytes = codes.Columns * type.SizeOf();
        return bytes % sizeof(float) == 0
            ? checked((int)(bytes / sizeof(float)))
            : throw new ConfigException("run file", "parallel.dispatch", $"hidden_size is {width}, but rows travel as whole words of four bytes; with this dispatch it has to be a multiple of {sizeof(float) / type.SizeOf()}");
    }

    // Codes, and scales behind them.
    private static (Tensor Codes, Tensor Scales) Parts(GrowingTensor memory, DType type, Shape codes, Shape scales)
    {
        long codeBytes = (codes.Count * type.SizeOf() + 63) / 64 * 64;
        var all = memory.Take(DType.U8, 1, Math.Max(64, codeBytes + scales.Count * sizeof(float)));
        return (all.Storage.View(0, type, codes), all.Storage.View(codeBytes, DType.F32, scales));
    }

    private static Tensor AsWords(Tensor coded) =>
        coded.Storage.View(coded.ByteOffset, DType.F32, new Shape(coded.Shape.Rows, coded.Shape.Columns * coded.Type.SizeOf() / sizeof(float)));
}
