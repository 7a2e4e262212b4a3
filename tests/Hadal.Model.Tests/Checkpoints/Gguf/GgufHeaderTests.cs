using System.Buffers.Binary;
using Hadal.Model.Checkpoints;
using Hadal.Model.Checkpoints.Gguf;
using Hadal.Numerics;

namespace Hadal.Model.Tests.Checkpoints.Gguf;

public class GgufHeaderTests
{
    private static readonly RawGguf.Entry _a = new("a", [2, 3], 0, 0), _b = new("b", [32, 2], 8, 32);

    private static GgufPairs Pairs => new GgufPairs().Add("general.architecture", "deepseek2").Add("n", 7u).Add("f", 0.5f).Add("yes", true)
        .Add("words", ["one", "", "three"]).Add("numbers", [1, -2]);

    [Fact]
    public void A_well_formed_file_is_read()
    {
        var header = RawGguf.Parse(RawGguf.File(Pairs, [_a, _b], 32 + 68));
        Assert.Equal("deepseek2", header.Metadata["general.architecture"]);
        Assert.Equal(7u, header.Metadata["n"]);
        Assert.Equal(0.5f, header.Metadata["f"]);
        Assert.Equal(true, header.Metadata["yes"]);
        Assert.Equal(3, ((GgufArray)header.Metadata["words"]).Count);
        Assert.Equal(2, ((GgufArray)header.Metadata["numbers"]).Count);
        Assert.Equal(["a", "b"], header.Tensors.Select(t => t.Name));
        Assert.Equal(new Shape(3, 2), header.Tensors[0].Shape);
        Assert.Equal(68, header.Tensors[1].ByteLength);
        Assert.Equal(32, header.Tensors[1].Offset - header.Tensors[0].Offset);
    }

    public static TheoryData<string, byte[], string> Lies()
    {
        var data = new TheoryData<string, byte[], string>();
        var good = RawGguf.File(Pairs, [_a, _b], 100);
        void Add(string name, byte[] bytes, string message) => data.Add(name, bytes, message);
        Add("empty", [], "does not begin with the four letters GGUF");
        Add("another format", [.. "PK\x3\x4"u8, .. new byte[60]], "does not begin with the four letters GGUF");
        Add("magic alone", [.. "GGUF"u8], "the version at byte 4 takes 4 bytes, but the file ends after 0 more");
        Add("version 2", RawGguf.File(Pairs, [_a], 32, version: 2), "has version 2 of the format, but only version 3");
        Add("big-endian", RawGguf.File(Pairs, [_a], 32, version: 0x03000000), "it is a big-endian file");
        Add("more tensors than bytes", RawGguf.File(Pairs, [_a], 32, tensors: ulong.MaxValue), "the number of tensors at byte 8 is 18446744073709551615");
        Add("a few tensors too many", RawGguf.File(Pairs, [_a], 0, tensors: 4), "the table of 4 tensors does not fit");
        Add("more pairs than bytes", RawGguf.File(Pairs, [_a], 32, count: 1UL << 62), "the number of metadata pairs at byte 16 is 4611686018427387904");
        Add("a pair too many", RawGguf.File(Pairs, [], 0, count: 7), "it is truncated or damaged");
        Add("truncated header", good[..150], "truncated");
        Add("truncated data", good[..^1], "tensor b takes 68 bytes from byte 32 of the data on, but the file has only 99");
        Add("the same key twice", RawGguf.File(Pairs.Add("n", 8u), [_a], 32), "the metadata key n stands in the file twice");
        Add("the same name twice", RawGguf.File(Pairs, [_a, _b with { Name = "a" }], 100), "tensor a stands in the file twice");
        Add("overlap", RawGguf.File(Pairs, [_b with { Offset = 0 }, _a with { Offset = 64 }], 100), "tensor a lies over the end of tensor b");
        Add("misaligned", RawGguf.File(Pairs, [_a with { Offset = 4 }], 100), "tensor a starts at byte 4 of the data, which is no multiple of 32");
        Add("offset beyond", RawGguf.File(Pairs, [_a with { Offset = 1UL << 63 }], 100), "tensor a takes 24 bytes from byte 9223372036854775808");
        Add("no axes", RawGguf.File(Pairs, [_a with { Axes = [] }], 32), "tensor a has 0 axes, but must have 1 to 4");
        Add("five axes", RawGguf.File(Pairs, [_a with { Axes = [1, 1, 1, 1, 1] }], 32), "tensor a has 5 axes");
        Add("an axis of 0", RawGguf.File(Pairs, [_a with { Axes = [2, 0] }], 32), "tensor a has an axis of length 0");
        Add("an axis of 2^63", RawGguf.File(Pairs, [_a with { Axes = [1UL << 63] }], 32), "tensor a has an axis of length 9223372036854775808");
        Add("an overflowing product", RawGguf.File(Pairs, [_a with { Axes = [1UL << 32, 1UL << 32] }], 32), "tensor a has more elements than 63 bits can count");
        Add("overflowing bytes", RawGguf.File(Pairs, [_a with { Axes = [1UL << 31, 1UL << 31] }], 32), "tensor a has the impossible shape");
        Add("IQ4_NL", RawGguf.File(Pairs, [_a with { Type = 20 }], 32), "tensor a has the type IQ4_NL, but only F32, F16");
        Add("an unknown type", RawGguf.File(Pairs, [_a with { Type = 4000 }], 32), "tensor a has the type code 4000, which no known program writes");
        Add("part of a block", RawGguf.File(Pairs, [_b with { Axes = [33, 2] }], 200), "tensor b has rows of 33 elements, but Q8_0 needs a multiple of 32");
        Add("alignment 0", RawGguf.File(Pairs.Add("general.alignment", 0u), [_a], 32), "general.alignment is 0, but must be a power of two");
        Add("alignment 48", RawGguf.File(Pairs.Add("general.alignment", 48u), [_a], 32), "general.alignment is 48");
        Add("alignment 2^31", RawGguf.File(Pairs.Add("general.alignment", 1u << 31), [_a], 32), "general.alignment is 2147483648");
        Add("an unknown value type", RawGguf.File(Pairs.AddRaw("k", [13, 0, 0, 0, 0]), [_a], 32), "the metadata value of k has the unknown type 13");
        Add("a bool of 2", RawGguf.File(Pairs.AddRaw("k", [7, 0, 0, 0, 2]), [_a], 32), "is the bool 2, but must be 0 or 1");
        Add("an array of arrays", RawGguf.File(Pairs.AddRaw("k", [9, 0, 0, 0, 9, 0, 0, 0, .. new byte[8]]), [_a], 32), "is an array of arrays");
        Add("an endless array", RawGguf.File(Pairs.AddRaw("k", [9, 0, 0, 0, 4, 0, 0, 0, .. Enumerable.Repeat((byte)0xFF, 8)]), [_a], 32), "the length of the array k at byte");
        Add("an endless string", RawGguf.File(Pairs.AddRaw("k", [8, 0, 0, 0, .. Enumerable.Repeat((byte)0xFF, 8)]), [_a], 32), "the metadata value of k at byte");
        Add("a key that is not text", Replaced(good, "general"u8, [0xFF, 0xFE, 0xFF, 0xFE, 0xFF, 0xFE, 0xFF]), "a metadata key at byte 24 is not UTF-8 text");
        return data;
    }

    [Theory]
    [MemberData(nameof(Lies))]
    public void A_file_that_lies_is_one_sentence_and_allocates_little(string name, byte[] bytes, string message)
    {
        long before = GC.GetAllocatedBytesForCurrentThread();
        var e = Assert.Throws<CheckpointException>(() => RawGguf.Parse(bytes));
        Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 0, 1 << 18);
        Assert.True(e.Message.Contains(message, StringComparison.Ordinal), $"{name}: {e.Message}");
        Assert.StartsWith("x.gguf: ", e.Message, StringComparison.Ordinal);
        Assert.DoesNotContain('\n', e.Message);
    }

    [Fact]
    public void A_file_cut_anywhere_is_refused()
    {
        var good = RawGguf.File(Pairs, [_a, _b], 100);
        for (int length = 0; length < good.Length; length++) Assert.Throws<CheckpointException>(() => RawGguf.Parse(good[..length]));
    }

    [Fact]
    public void Ten_thousand_damaged_headers_give_an_exception_of_their_own_or_a_file_in_order()
    {
        byte[][] seeds =
        [
            RawGguf.File(Pairs, [_a, _b], 100),
            RawGguf.File(new GgufPairs(), [.. Enumerable.Range(0, 12).Select(i => new RawGguf.Entry($"blk.{i}.weight", [32, 1], 2, (ulong)(32 * i)))], 32 * 12),
            RawGguf.File(Pairs.Add("general.alignment", 8u), [_a with { Axes = [256, 2, 2, 1], Type = 12 }], 1024, alignment: 8),
        ];
        var random = new Random(5);
        ulong[] extremes = [0, 1, 255, 1UL << 31, uint.MaxValue, 1UL << 32, long.MaxValue, 1UL << 63, ulong.MaxValue - 31, ulong.MaxValue];
        int good = 0;
        Mutations.Run(seeds, seed: 6, count: 10_000, mostBytes: 1 << 18, bytes =>
        {
            if (bytes.Length >= 8 && random.Next(2) == 0)
                BinaryPrimitives.WriteUInt64LittleEndian(bytes.AsSpan(random.Next(bytes.Length - 7)), extremes[random.Next(extremes.Length)]);
            try
            {
                var header = RawGguf.Parse(bytes);
                long end = 0;
                foreach (var tensor in header.Tensors.OrderBy(t => t.Offset))
                {
                    Assert.InRange(tensor.Offset, end, bytes.Length);
                    end = tensor.Offset + tensor.ByteLength;
                }

                Assert.InRange(end, 0, bytes.Length);
                good++;
            }
            catch (CheckpointException e)
            {
                Assert.DoesNotContain('\n', e.Message);
            }
        });
        Assert.InRange(good, 100, 9_000);
    }

    private static byte[] Replaced(byte[] bytes, ReadOnlySpan<byte> from, byte[] to)
    {
        byte[] copy = [.. bytes];
        to.CopyTo(copy, bytes.AsSpan().IndexOf(from));
        return copy;
    }
}
