using Hadal.Numerics;
using Hadal.Numerics.Formats;

namespace Hadal.Model.Checkpoints.Gguf;

/// <summary>How a tensor of a GGUF file is stored: as single elements, or in blocks.</summary>
/// <param name="Code">The code that stands in the file.</param>
/// <param name="Name">The name that GGUF programs give it.</param>
/// <param name="Element">Type of the elements; U8 for blocks.</param>
/// <param name="Blocks">The block format; null for single elements.</param>
internal sealed record GgufTensorType(uint Code, string Name, DType Element, BlockFormat? Blocks = null)
{
    public static GgufTensorType F32 { get; } = new(0, "F32", DType.F32);

    public static GgufTensorType F16 { get; } = new(1, "F16", DType.F16);

    public static GgufTensorType BF16 { get; } = new(30, "BF16", DType.BF16);

    public static GgufTensorType Q40 { get; } = OfBlocks(2, BlockFormat.Q40);

    public static GgufTensorType Q50 { get; } = OfBlocks(6, BlockFormat.Q50);

    public static GgufTensorType Q80 { get; } = OfBlocks(8, BlockFormat.Q80);

    public static GgufTensorType Q4K { get; } = OfBlocks(12, BlockFormat.Q4K);

    public static GgufTensorType Q5K { get; } = OfBlocks(13, BlockFormat.Q5K);

    public static GgufTensorType Q6K { get; } = OfBlocks(14, BlockFormat.Q6K);

    private static readonly GgufTensorType[] _known =
    [
        F32, F16, BF16, Q40, Q50, Q80, Q4K, Q5K, Q6K,
        new(24, "I8", DType.I8), new(25, "I16", DType.I16), new(26, "I32", DType.I32), new(27, "I64", DType.I64), new(28, "F64", DType.F64),
    ];

    // Names of what other programs write and Hadal does not read, for messages.
    private static readonly Dictionary<uint, string> _foreign = new()
    {
        [3] = "Q4_1",
        [7] = "Q5_1",
        [9] = "Q8_1",
        [10] = "Q2_K",
        [11] = "Q3_K",
        [15] = "Q8_K",
        [16] = "IQ2_XXS",
        [17] = "IQ2_XS",
        [18] = "IQ3_XXS",
        [19] = "IQ1_S",
        [20] = "IQ4_NL",
        [21] = "IQ3_S",
        [22] = "IQ2_S",
        [23] = "IQ4_XS",
        [29] = "IQ1_M",
        [34] = "TQ1_0",
        [35] = "TQ2_0",
        [39] = "MXFP4",
    };

    /// <summary>Elements that are stored together.</summary>
    public int BlockElements => Blocks?.BlockElements() ?? 1;

    /// <summary>Bytes that <see cref="BlockElements"/> elements take.</summary>
    public int BlockBytes => Blocks?.BlockBytes() ?? Element.SizeOf();

    /// <summary>Whether the elements are floating-point numbers of at most 32 bits, or blocks of such.</summary>
    public bool IsReadable => Blocks is not null || Element is DType.F32 or DType.F16 or DType.BF16;

    /// <summary>Bytes of a row; the columns are a multiple of <see cref="BlockElements"/>.</summary>
    public long RowBytes(long columns) => checked(columns / BlockElements * BlockBytes);

    /// <summary>The type with a code; null if Hadal does not read it.</summary>
    public static GgufTensorType? Find(uint code) => Array.Find(_known, t => t.Code == code);

    /// <summary>What a message calls a code that <see cref="Find"/> does not know.</summary>
    public static string Describe(uint code) => _foreign.TryGetValue(code, out string? name) ? name : $"code {code}, which no known program writes";

    private static GgufTensorType OfBlocks(uint code, BlockFormat format) => new(code, format.Name(), DType.U8, format);
}
