namespace Hadal.Numerics.Kernels;

/// <summary>What a panel's codes are.</summary>
internal enum PanelElement
{
    /// <summary>bfloat16; activations are bfloat16.</summary>
    BFloat16,

    /// <summary>FP16; activations are FP32.</summary>
    Float16,

    /// <summary>FP8 E4M3; activations are bfloat16, in which every E4M3 value is exact.</summary>
    E4M3,

    /// <summary>Unsigned bytes less a zero point; activations are signed bytes.</summary>
    Byte,

    /// <summary>Four bits less a zero point; activations are signed bytes.</summary>
    Nibble,
}

/// <summary>How the weights of sixteen output columns lie in memory: blocks along K, each its codes, then sixteen scales, then sixteen minima.</summary>
/// <remarks>
/// <para>
/// Codes come in groups of four bytes per column: [group][column][4 bytes]. A group is two k of bfloat16 or FP16 (FP16: one after the other, sixteen
/// columns each), four of bytes or E4M3 (E4M3: see
/// <see cref="PanelPacking"/> for the order), eight of nibbles (four in the low halves, the next four in the high halves).
/// </para>
/// <para>
/// In a super-block some blocks have their codes one after the other; then come sixteen scales of each block, sixteen minima of each, all of them bytes, then
/// sixteen factors of the scales and sixteen of the minima, FP16. A scale is byte · factor, which is exact in FP32. Nibbles may have one or two further bits: those
/// of a block lie behind its nibbles in 64 bytes, the bits of k 0 … 3 lowest.
/// </para>
/// <para>
/// A value is scale·(code - zero point) - minimum. Without scales a block is only a unit of padding. K is padded with codes of zero to whole blocks.
/// </para>
/// </remarks>
/// <param name="Element">The codes.</param>
/// <param name="Block">k values that share a scale.</param>
/// <param name="ScaleSize">Bytes of a scale and of a minimum: 4 (FP32), 2 (FP16), 1 in super-blocks, or 0 for none.</param>
/// <param name="ZeroPoint">The code of zero, for <see cref="PanelElement.Byte"/> and <see cref="PanelElement.Nibble"/>.</param>
/// <param name="HasMinimum">Whether minima follow the scales.</param>
/// <param name="InTiles">Whether bfloat16 is summed as processors with tiles (AMX-BF16) do it: a contract of its own, see <see cref="PanelGemm"/>.</param>
/// <param name="SuperBlock">Blocks of a super-block; 1 if there are no super-blocks.</param>
/// <param name="HighBits">Bits of a code beside those of its nibble.</param>
internal readonly record struct PanelFormat(
    PanelElement Element, int Block, int ScaleSize, int ZeroPoint = 0, bool HasMinimum = false, bool InTiles = false, int SuperBlock = 1, int HighBits = 0)
{
    /// <summary>k values that the weights of all formats are padded to at most.</summary>
    public const int LargestBlock = 128;

    /// <summary>bfloat16 without scales.</summary>
    public static PanelFormat BFloat16 => new(PanelElement.BFloat16, 16, 0);

    /// <summary>bfloat16 in the order of tiles, which are 32 k deep.</summary>
    public static PanelFormat BFloat16InTiles => new(PanelElement.BFloat16, 32, 0, InTiles: true);

    /// <summary>FP16 without scales.</summary>
    public static PanelFormat Float16 => new(PanelElement.Float16, 16, 0);

    /// <summary>bfloat16 with a scale per block: E4M3 after decoding.</summary>
    public static PanelFormat ScaledBFloat16(int block) => new(PanelElement.BFloat16, block, sizeof(float));

    /// <summary>E4M3 with FP32 scales.</summary>
    public static PanelFormat E4M3(int block) => new(PanelElement.E4M3, block, sizeof(float));

    /// <summary>Whether activations are signed bytes.</summary>
    public bool HasByteActivations => Element is PanelElement.Byte or PanelElement.Nibble;

    /// <summary>Whether activations are FP32; if neither these nor bytes, they are bfloat16.</summary>
    public bool HasSingleActivations => Element == PanelElement.Float16;

    /// <summary>k values in 64 bytes of codes: one register.</summary>
    public int GroupDepth => Element switch { PanelElement.BFloat16 or PanelElement.Float16 => 2, PanelElement.Nibble => 8, _ => 4 };

    /// <summary>Bytes of the codes of a block.</summary>
    public int CodeBytes => HighBitOffset + HighBits * Block * 2;

    /// <summary>Where the further bits of nibbles start in a block.</summary>
    public int HighBitOffset => Block / GroupDepth * 64;

    /// <summary>Bytes of a super-block.</summary>
    public int SuperBlockBytes => SuperBlock * CodeBytes + 16 * SuperBlock * (HasMinimum ? 2 : 1) + 64;

    /// <summary>Where the factors start behind the first scale of a super-block.</summary>
    public int FactorOffset => 16 * SuperBlock * (HasMinimum ? 2 : 1);

    /// <summary>Bytes of a block, scales and minima included, where there are no super-blocks.</summary>
    public int BlockBytes => CodeBytes + 16 * ScaleSize * (HasMinimum ? 2 : 1);

    /// <summary>Where the minima start in a block.</summary>
    public int MinimumOffset => CodeBytes + 16 * ScaleSize;

    /// <summary>The same weights one k per byte or bfloat16: what wide products read.</summary>
    public PanelFormat Unpacked => Element switch
    {
        PanelElement.E4M3 => this with { Element = PanelElement.BFloat16 },
        PanelElement.Nibble => this with { Element = PanelElement.Byte, ScaleSize = SuperBlock > 1 ? sizeof(float) : ScaleSize, SuperBlock = 1, HighBits = 0 },
        _ => this,
    };

    /// <summary>Bytes of a code before it moves into a panel.</summary>
    public int CodeSize => Element is PanelElement.BFloat16 or PanelElement.Float16 ? 2 : 1;

    /// <summary>Bytes of an activation.</summary>
    public int ActivationSize => HasByteActivations ? 1 : HasSingleActivations ? 4 : 2;

    /// <summary>Blocks that cover a depth, whole super-blocks.</summary>
    public int Blocks(int depth) => (depth + Block * SuperBlock - 1) / (Block * SuperBlock) * SuperBlock;

    /// <summary>Where the codes of a block start in its panel.</summary>
    public nint Offset(int block) => SuperBlock == 1 ? (nint)block * BlockBytes : (nint)(block / SuperBlock) * SuperBlockBytes + block % SuperBlock * CodeBytes;

    /// <summary>Bytes of a panel.</summary>
    public long PanelBytes(int depth) => Offset(Blocks(depth));

    /// <inheritdoc/>
    public override string ToString() => $"{Element} in blocks of {Block}";
}
