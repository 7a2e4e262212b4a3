using Hadal.Numerics.Formats.Blocks;

namespace Hadal.Numerics.Formats;

/// <summary>Sizes, names, decoding and encoding of the block formats.</summary>
public static class BlockFormats
{
    /// <summary>Every format.</summary>
    public static IReadOnlyList<BlockFormat> All { get; } = Enum.GetValues<BlockFormat>();

    /// <summary>Elements of a block; the rows of a tensor hold whole blocks.</summary>
    /// <param name="format">The format.</param>
    /// <returns>32 or 256.</returns>
    public static int BlockElements(this BlockFormat format) => format switch
    {
        BlockFormat.Q40 or BlockFormat.Q50 or BlockFormat.Q80 => 32,
        BlockFormat.Q4K or BlockFormat.Q5K or BlockFormat.Q6K => 256,
        _ => throw new ArgumentOutOfRangeException(nameof(format), format, "There is no such block format."),
    };

    /// <summary>Bytes of a block.</summary>
    /// <param name="format">The format.</param>
    /// <returns>18 to 210.</returns>
    public static int BlockBytes(this BlockFormat format) => format switch
    {
        BlockFormat.Q40 => 18,
        BlockFormat.Q50 => 22,
        BlockFormat.Q80 => 34,
        BlockFormat.Q4K => 144,
        BlockFormat.Q5K => 176,
        BlockFormat.Q6K => 210,
        _ => throw new ArgumentOutOfRangeException(nameof(format), format, "There is no such block format."),
    };

    /// <summary>Bytes that elements take.</summary>
    /// <param name="format">The format.</param>
    /// <param name="count">Elements, a multiple of <see cref="BlockElements"/>.</param>
    /// <returns>Bytes.</returns>
    /// <exception cref="ArgumentException">The elements do not fill whole blocks.</exception>
    public static long BytesFor(this BlockFormat format, long count)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(count);
        int elements = format.BlockElements();
        if (count % elements != 0) throw new ArgumentException($"{count} elements do not fill blocks of {elements}, which {format.Name()} has.", nameof(count));
        return checked(count / elements * format.BlockBytes());
    }

    /// <summary>The name that GGUF programs give the format.</summary>
    /// <param name="format">The format.</param>
    /// <returns>For instance <c>Q4_K</c>.</returns>
    public static string Name(this BlockFormat format) => format switch
    {
        BlockFormat.Q40 => "Q4_0",
        BlockFormat.Q50 => "Q5_0",
        BlockFormat.Q80 => "Q8_0",
        BlockFormat.Q4K => "Q4_K",
        BlockFormat.Q5K => "Q5_K",
        BlockFormat.Q6K => "Q6_K",
        _ => throw new ArgumentOutOfRangeException(nameof(format), format, "There is no such block format."),
    };

    /// <summary>Widens whole blocks to FP32.</summary>
    /// <param name="format">The format.</param>
    /// <param name="blocks">Whole blocks, one after the other.</param>
    /// <param name="destination">Receives all their elements.</param>
    /// <exception cref="ArgumentException">There is part of a block, or not enough room.</exception>
    public static void Decode(this BlockFormat format, ReadOnlySpan<byte> blocks, Span<float> destination)
    {
        int bytes = format.BlockBytes(), elements = format.BlockElements();
        if (blocks.Length % bytes != 0) throw new ArgumentException($"{blocks.Length} bytes are no whole blocks of {bytes}, which {format.Name()} has.", nameof(blocks));
        int count = blocks.Length / bytes;
        if (destination.Length / elements < count)
            throw new ArgumentException($"The destination has room for {destination.Length} elements, the blocks have {(long)count * elements}.", nameof(destination));
        for (int i = 0; i < count; i++)
        {
            var block = blocks.Slice(i * bytes, bytes);
            var values = destination.Slice(i * elements, elements);
            switch (format)
            {
                case BlockFormat.Q40: SymmetricBlocks.Decode4(block, values); break;
                case BlockFormat.Q50: SymmetricBlocks.Decode5(block, values); break;
                case BlockFormat.Q80: SymmetricBlocks.Decode8(block, values); break;
                case BlockFormat.Q4K: OffsetSuperBlocks.Decode(block, values, bits: 4); break;
                case BlockFormat.Q5K: OffsetSuperBlocks.Decode(block, values, bits: 5); break;
                default: SymmetricSuperBlocks.Decode(block, values); break;
            }
        }
    }

    /// <summary>Narrows FP32 values to blocks, choosing scales (and offsets) that make the squared error small.</summary>
    /// <param name="format">The format.</param>
    /// <param name="values">Elements of whole blocks, all finite. Magnitudes beyond what the FP16 scales reach saturate, and those too small for them become 0.</param>
    /// <param name="destination">Receives the blocks.</param>
    /// <exception cref="ArgumentException">There is part of a block, or not enough room.</exception>
    public static void Encode(this BlockFormat format, ReadOnlySpan<float> values, Span<byte> destination)
    {
        int bytes = format.BlockBytes(), elements = format.BlockElements();
        long size = format.BytesFor(values.Length);
        if (destination.Length < size) throw new ArgumentException($"The destination has room for {destination.Length} bytes, the blocks need {size}.", nameof(destination));
        for (int i = 0; i < values.Length / elements; i++)
        {
            var block = destination.Slice(i * bytes, bytes);
            var source = values.Slice(i * elements, elements);
            switch (format)
            {
                case BlockFormat.Q40: SymmetricBlocks.Encode4(source, block); break;
                case BlockFormat.Q50: SymmetricBlocks.Encode5(source, block); break;
                case BlockFormat.Q80: SymmetricBlocks.Encode8(source, block); break;
                case BlockFormat.Q4K: OffsetSuperBlocks.Encode(source, block, bits: 4); break;
                case BlockFormat.Q5K: OffsetSuperBlocks.Encode(source, block, bits: 5); break;
                default: SymmetricSuperBlocks.Encode(source, block); break;
            }
        }
    }
}
